"""Models by command on lakes of published data: archive to lake, lake to a chosen model, model to scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.engine.api import run
from radlake.engine.learning import PLAIN, Setting, evaluate, predict, train
from radlake.engine.local import Local
from radlake.lake.store import Lake
from radlake.learn.training import Request, Trained
from radlake.report.page import contents, render

PARTS = {"train": 50, "val": 10, "test": 40}


def part_of(archive: Path, to: Path) -> Path:
    """Some pictures of each part of a published archive, both classes alike."""
    arrays = {}
    with np.load(archive) as data:
        for role, most in PARTS.items():
            labels = data[f"{role}_labels"].ravel()
            each = [np.flatnonzero(labels == c)[: most // 2] for c in (0, 1)]
            chosen = np.sort(np.concatenate(each))
            arrays |= {f"{role}_{what}": data[f"{role}_{what}"][chosen] for what in ("images", "labels")}
    np.savez(to, **arrays)
    return to


@pytest.fixture(scope="module")
def lake(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that was made of a published archive."""
    folder = tmp_path_factory.mktemp(request.param)
    archive = part_of(shared / "medmnist" / f"{request.param}.npz", folder / "some.npz")
    (folder / "key").write_text("5" * 64)  # pseudonyms order the cases, and so decide on folds
    (folder / "key").chmod(0o600)
    run(PLAIN, archive, folder / "lake", engine=Local(1), key_file=folder / "key")
    return folder / "lake"


def trained_on(lake: Path, inputs: str, *models: str) -> Trained:
    asked = Request("label", budget="10m", models=models, folds=3, repeats=1)
    setting = Setting(Local(1))
    return train(lake, asked, lake.parent / f"model of {inputs}", unit=None, setting=setting, inputs=inputs)


@pytest.mark.parametrize(
    ("lake", "inputs", "models"),
    [
        ("breastmnist", "features", ("short", "tree")),
        ("breastmnist", "both", ("short", "logistic+images")),
        ("pneumoniamnist", "images", ("hog-logistic",)),
        ("adrenalmnist3d", "features", ("short", "logistic")),
        ("adrenalmnist3d", "images", ("hog-logistic",)),
    ],
    indirect=["lake"],
)
def test_a_lake_of_a_published_archive_is_learned_from(lake: Path, inputs: str, models: tuple[str, ...]) -> None:
    if inputs != "features":
        pytest.importorskip("torch")
    trained = trained_on(lake, inputs, *models)
    evidence = trained.bundle.evidence or {}
    tried = {line["family"] for line in evidence["table"] if line["mean"] is not None}
    assert tried == set(models)
    assert evidence["reason"]
    assert len(trained.cases.ids) == PARTS["train"] + PARTS["val"], "the published test part is not trained on"
    told = {row["metric"]: row["value"] for row in evidence["test"]}
    bundle = lake.parent / f"model of {inputs}"
    found = evaluate(bundle, lake, split="test", seed=0, setting=Setting(Local(1)))
    assert found["cases"] == PARTS["test"]
    assert found["left_out"] == len(trained.cases.ids)
    again = {row["metric"]: row["value"] for row in found["scores"]}
    assert again["auc"] == pytest.approx(told["auc"], abs=1e-12)  # other cases in the batch, other last bits
    assert again["auc"] > 0.5
    assert len(predict(bundle, lake, out=None, setting=Setting(Local(1)))) == sum(PARTS.values())
    told_to_readers = render(contents(Lake.open(lake)))
    what = "What do the pixels of each image tell" if inputs == "images" else "measured numbers of each"
    assert what in told_to_readers
    assert ">0 cases" not in told_to_readers

"""Pictures as cases: roles and labels of an archive, files of a folder, near-duplicates, and what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from radlake.cli import app
from radlake.core.errors import UsageError
from radlake.engine.api import run
from radlake.engine.local import Local
from radlake.engine.pictures import lake_pictures, pictures
from radlake.engine.pipeline import Pipeline, step
from radlake.imaging.preview import png_bytes
from radlake.lake.store import Lake
from radlake.learn.bundle import plan_of
from radlake.learn.cases import Cohort


def blobs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Upright or lying bars in noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = rng.normal(60, 10, (n, 28, 28))
    for picture, lying in zip(x, y, strict=True):
        a, b = rng.integers(4, 12, 2)
        picture[(slice(a, a + 4), slice(b, b + 14)) if lying else (slice(b, b + 14), slice(a, a + 4))] += 120
    return np.clip(x, 0, 255).astype(np.uint8), y


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    arrays = {}
    for seed, (role, n) in enumerate((("train", 60), ("val", 20), ("test", 20))):
        arrays[f"{role}_images"], arrays[f"{role}_labels"] = blobs(n, seed)
    arrays["test_images"][3] = np.clip(arrays["train_images"][7].astype(int) + 1, 0, 255)  # a near copy
    np.savez(tmp_path / "bars 条.npz", **arrays)
    return tmp_path / "bars 条.npz"


def test_an_archive_keeps_its_roles_and_labels_and_tells_near_copies(archive: Path) -> None:
    found = pictures(archive, "label")
    assert np.unique(found.roles, return_counts=True)[1].tolist() == [20, 60, 20]
    assert found.y.tolist() == [0, 1] * 50
    assert (found.names, found.features.shape) == ((), (100, 28, 28))
    near = [i for i, c in enumerate(found.clusters.tolist()) if c]
    assert near == [7, 83]
    assert len(set(found.ids.tolist())) == 100


def test_files_of_a_folder_are_pictures_without_names(tmp_path: Path) -> None:
    for i, picture in enumerate(blobs(3, 5)[0]):
        (tmp_path / f"Doe^Jane {i}.png").write_bytes(png_bytes(picture))
    (tmp_path / "notes.txt").write_text("nothing")
    found = pictures(tmp_path)
    assert found.features.shape == (3, 28, 28)
    assert not any("Doe" in i for i in found.ids.tolist())
    np.testing.assert_array_equal(found.features[0], blobs(3, 5)[0][0])


def test_what_has_no_pictures_or_labels_is_told(archive: Path, tmp_path: Path) -> None:
    for source, target, told in (
        (archive, "grade", "no label 'grade'; there is label"),
        (tmp_path, "label", "pictures in files have no labels"),
    ):
        with pytest.raises(UsageError, match=told):
            pictures(source, target)
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(UsageError, match=r"MedMNIST layout|differ in the size"):
        pictures(tmp_path / "other.npz", "label")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no picture that can be read"):
        pictures(tmp_path / "empty")


def test_a_model_of_pictures_by_command(archive: Path, tmp_path: Path) -> None:
    def radlake(*words: object) -> dict[str, object] | list[dict[str, object]]:
        done = CliRunner().invoke(app, [str(w) for w in words])
        assert done.exit_code == 0, done.output
        found: dict[str, object] | list[dict[str, object]] = json.loads(done.stdout)
        return found

    model = tmp_path / "model"
    made = radlake(
        "train", archive, "--target", "label", "--inputs", "images", "--models", "hog-logistic", "--budget", "5m",
        "--out", model, "--json",
    )  # fmt: skip
    assert isinstance(made, dict)
    assert {row["metric"]: row["value"] for row in made["test"]}["auc"] > 0.9  # type: ignore[index,attr-defined]
    assert made["test_distinct"] != made["test"]
    (tmp_path / "one.png").write_bytes(png_bytes(blobs(2, 8)[0][1]))
    said = radlake("predict", model, tmp_path / "one.png", "--json")
    assert isinstance(said, list)
    assert said[0]["answer"] == 1
    scores = radlake("evaluate", model, archive, "--json")
    assert isinstance(scores, dict)
    assert (scores["cases"], scores["left_out"]) == (20, 80)
    page = CliRunner().invoke(app, ["explain", str(model), str(archive), "--out", str(tmp_path / "why")])
    assert page.exit_code == 0, page.output


def test_pictures_of_a_lake_come_with_its_patients_labels_and_roles(archive: Path, tmp_path: Path) -> None:
    study = Pipeline("p", (step("deid"), step("fingerprint"), step("duplicates")))
    run(study, archive, tmp_path / "lake", engine=Local(0), key_file=tmp_path / "key")
    lake, plain = Lake.open(tmp_path / "lake"), pictures(archive, "label")
    found = lake_pictures(lake, "label", memory_bytes=1 << 30, workers=2)
    assert (found.features.shape, found.features.dtype) == (plain.features.shape, plain.features.dtype)
    assert np.unique(found.roles, return_counts=True)[1].tolist() == [20, 60, 20]

    def content(cohort: Cohort) -> set[tuple[bytes, int, str]]:
        rows = zip(cohort.features, cohort.y.tolist(), cohort.roles.tolist(), strict=True)
        return {(np.ascontiguousarray(x).tobytes(), y, role) for x, y, role in rows}

    assert content(found) == content(plain)
    assert not len(lake_pictures(lake, None, memory_bytes=1 << 30).y)
    with pytest.raises(UsageError, match=r"no image whose pixels can be read has a label 'grade'; .* labels are label"):
        lake_pictures(lake, "grade", memory_bytes=1 << 30)
    with pytest.raises(UsageError, match=r"100 images take about .* more than the memory that is allowed"):
        lake_pictures(lake, "label", memory_bytes=1000)
    archive.unlink()
    with pytest.raises(UsageError, match="no picture that can be read"):
        lake_pictures(lake, None, memory_bytes=1 << 30)


def test_files_with_a_table_of_labels_become_a_model_of_pictures_by_command(tmp_path: Path) -> None:
    folder, (x, y) = tmp_path / "scans 图", blobs(40, 3)
    folder.mkdir()
    for i, picture in enumerate(x):
        (folder / f"P{i:02d}.png").write_bytes(png_bytes(picture))
    (tmp_path / "labels.csv").write_text("patient_id,lying\n" + "".join(f"P{i:02d},{n}\n" for i, n in enumerate(y)))
    (tmp_path / "study.yaml").write_text("name: p\nsteps: [deid, fingerprint, duplicates]\n")

    def radlake(*words: object) -> str:
        done = CliRunner().invoke(app, [str(w) for w in words])
        assert done.exit_code == 0, done.output
        return done.stdout

    lake, key, model = tmp_path / "lake", ("--key-file", tmp_path / "key"), tmp_path / "model"
    radlake(
        "run",
        folder,
        "--config",
        tmp_path / "study.yaml",
        "--out",
        lake,
        "--patient-regex",
        r"(P\d+)",
        *key,
        "--workers",
        1,
    )
    radlake("join", lake, tmp_path / "labels.csv", "--on", "patient_id", "--target", "lying", *key)
    options = ("--inputs", "images", "--models", "hog-logistic", "--budget", "5m", "--out", model)
    told = radlake("train", lake, "--target", "lying", *options)
    assert "patients held out in turn" in told
    assert "One kind of model was tried, regression on edges and textures" in told
    assert [p.name for p in tmp_path.iterdir() if "journal" in p.name] == []
    said = json.loads(radlake("predict", model, lake, "--json"))
    assert len(said) == 40
    assert all(row["patient_id"].startswith("pt-") for row in said)
    plan = plan_of(model)
    (tmp_path / "plan.json").write_text(json.dumps(plan.as_dict()))
    assert plan_of(tmp_path / "plan.json") == plan
    refused = CliRunner().invoke(
        app, ["train", str(lake), "--target", "lying", "--out", str(model), "--replay", str(folder)]
    )
    assert refused.exit_code == 2
    assert "the plan to replay must be the folder of a model" in " ".join(refused.output.split())

"""Keras networks from the request to the bundle: trained by fold, evaluated on the test part, asked again from disk."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from radlake.core.errors import UsageError
from radlake.learn.cases import Cohort

os.environ.setdefault("KERAS_BACKEND", "torch")  # else Keras looks for TensorFlow
pytest.importorskip("keras", reason="an extra")
from radlake.learn.bundle import BundleError, load
from radlake.learn.keras_choice import choose
from radlake.learn.keras_networks import classic
from radlake.learn.model_stages import scored
from radlake.learn.predicting import predictions
from radlake.learn.training import Request, Trained, save_model, train

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras warns of its own calls to torch and numpy


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Digits 0, 1 and 2 of 16 x 16 pixels, a third of them the test part."""
    x, y = load_digits(n_class=3, return_X_y=True)
    x, y = np.kron(x.reshape(-1, 8, 8), np.ones((1, 2, 2)))[:180], y[:180]
    nothing = np.full(180, "")
    roles = np.array(["test" if i % 3 == 0 else "train" for i in range(180)])
    ids = np.array([f"d{i:03d}" for i in range(180)])
    return Cohort("image", ids, nothing, roles, nothing, x, (), {}, y, {})


@pytest.fixture(scope="module")
def trained(cohort: Cohort) -> Trained:
    return train(cohort, Request("digit", budget="10m", models=("keras-classic",), folds=3))


def test_it_is_trained_evaluated_and_asked_again_from_disk(cohort: Cohort, trained: Trained, tmp_path: Path) -> None:
    evidence = trained.bundle.evidence or {}
    assert evidence["table"][0]["title"] == "Keras: the classic small network"
    assert {row["metric"]: row["value"] for row in evidence["test"]}["accuracy"] > 0.9
    assert evidence["honest"]["accuracy"] > 0.85
    save_model(trained, tmp_path / "网络")
    bundle = load(tmp_path / "网络")
    test = cohort.part(cohort.roles == "test")
    assert bundle.predict_proba(test.features).tobytes() == trained.bundle.predict_proba(test.features).tobytes()
    assert scored(bundle, cohort, split="test", seed=0)["cases"] == 60
    told = predictions(bundle, replace(test, y=np.empty(0)))
    assert np.mean([row["answer"] == truth for row, truth in zip(told, test.y, strict=True)]) > 0.9
    assert "keras" in (tmp_path / "网络" / "bundle.json").read_text()


def test_a_plan_gives_the_same_bits(cohort: Cohort, trained: Trained) -> None:
    cases = cohort.part(cohort.roles != "test")
    again = choose(cases.features, cases.y, folds=3, replay=trained.choice.plan)
    assert again.predictions.tobytes() == trained.choice.predictions.tobytes()
    with pytest.raises(UsageError, match="made for other data"):
        choose(cases.features[:90], cases.y[:90], folds=3, replay=trained.choice.plan)


def test_a_file_of_ones_own_is_trained_on(cohort: Cohort, tmp_path: Path) -> None:
    classic((16, 16, 1), 3).save(tmp_path / "mine.keras")
    found = train(cohort, Request("digit", budget="10m", models=(str(tmp_path / "mine.keras"),), folds=2))
    evidence = found.bundle.evidence or {}
    assert evidence["table"][0]["title"] == "Keras: the network that was given"
    assert str(tmp_path) not in str(evidence)
    save_model(found, tmp_path / "m")
    assert str(tmp_path) not in (tmp_path / "m" / "network.json").read_text()


def test_what_it_cannot_do_is_told(cohort: Cohort) -> None:
    x, y = cohort.features, cohort.y
    with pytest.raises(UsageError, match="sees pictures"):
        choose(x.reshape(180, -1), y)
    for options, words in (
        ({"models": ["keras-classic", "cnn-small"]}, "is trained alone"),
        ({"y": y + 0.25 * np.arange(180)}, "tells classes"),
        ({"budget": "0.01s"}, "the budget is too short"),
        ({"folds": 100}, "folds need as many"),
        ({"models": ["absent.keras"]}, "cannot be read"),
    ):
        with pytest.raises(UsageError, match=words):
            choose(x, **{"y": y, "folds": 3} | options)


def test_code_in_a_bundle_is_not_opened(trained: Trained, tmp_path: Path) -> None:
    import hashlib
    import json

    save_model(trained, tmp_path / "m")
    path, manifest_path = tmp_path / "m" / "network.json", tmp_path / "m" / "bundle.json"
    data = path.read_bytes().replace(b'"class_name": "MaxPooling2D"', b'"class_name": "Lambda"', 1)
    path.write_bytes(data)
    with pytest.raises(BundleError, match="not the file that was saved"):
        load(tmp_path / "m")
    manifest = json.loads(manifest_path.read_text())
    manifest["files"]["network.json"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest_path.write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="names code that is not Keras' own"):
        load(tmp_path / "m")

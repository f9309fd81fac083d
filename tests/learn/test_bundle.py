"""Bundles: equal bytes, equal answers, and nothing foreign is opened."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from skops import io as skops

from radlake.learn.bundle import Bundle, BundleError, load, save
from radlake.learn.classical import LOGISTIC, SINGLE, SVM, Model
from radlake.learn.validate import fit


def make(model: Model, seed: int = 0) -> tuple[Bundle, np.ndarray]:
    """A fitted bundle and features to ask it about."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, 2))
    x[::9, 1] = np.nan
    y = (x[:, 0] + rng.normal(size=80) > 0).astype(np.int64)
    fitted = fit(model, x, y, np.arange(80), folds=3, rng=np.random.default_rng(1))
    return Bundle(model.name, "ill", ("size", "form"), fitted), x


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


@pytest.mark.parametrize("model", [LOGISTIC, SVM, SINGLE], ids=lambda m: m.name)
def test_a_bundle_answers_as_before_and_equal_models_give_equal_bytes(model: Model, tmp_path: Path) -> None:
    bundle, x = make(model)
    again, _ = make(model)
    save(bundle, tmp_path / "one")
    save(again, tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    loaded = load(tmp_path / "one")
    assert (loaded.name, loaded.target, loaded.inputs) == (bundle.name, "ill", ("size", "form"))
    assert loaded.fitted.settings == dict(bundle.fitted.settings)
    assert loaded.probability(x).tobytes() == bundle.probability(x).tobytes()
    save(loaded, tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two"]


def test_other_data_give_other_bytes(tmp_path: Path) -> None:
    save(make(LOGISTIC)[0], tmp_path / "one")
    save(make(LOGISTIC, seed=1)[0], tmp_path / "two")
    assert digests(tmp_path / "one")["pipeline.skops"] != digests(tmp_path / "two")["pipeline.skops"]


def test_a_changed_or_missing_file_is_refused(tmp_path: Path) -> None:
    save(make(SVM)[0], tmp_path / "m")
    pipeline = tmp_path / "m" / "calibrator.skops"
    pipeline.write_bytes(pipeline.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match=r"calibrator\.skops is not the file that was saved"):
        load(tmp_path / "m")
    pipeline.unlink()
    with pytest.raises(BundleError, match="missing"):
        load(tmp_path / "m")


def test_a_file_that_is_no_pipeline_is_refused_even_with_the_right_hash(tmp_path: Path) -> None:
    save(make(LOGISTIC)[0], tmp_path / "m")
    (tmp_path / "m" / "pipeline.skops").write_bytes(b"no zip")
    manifest = json.loads((tmp_path / "m" / "bundle.json").read_text())
    manifest["files"]["pipeline.skops"] = hashlib.sha256(b"no zip").hexdigest()
    (tmp_path / "m" / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="incomplete"):
        load(tmp_path / "m")


def test_foreign_types_are_refused_even_with_the_right_hash(tmp_path: Path) -> None:
    save(make(LOGISTIC)[0], tmp_path / "m")
    data = skops.dumps({"run": Path("x")})
    (tmp_path / "m" / "pipeline.skops").write_bytes(data)
    manifest = json.loads((tmp_path / "m" / "bundle.json").read_text())
    manifest["files"]["pipeline.skops"] = hashlib.sha256(data).hexdigest()
    (tmp_path / "m" / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="holds types"):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "not of format 1"),
        ({"files": {"../x": "0"}}, "cannot have"),
        ({"files": None}, "incomplete"),
        ({"files": {"pipeline.skops": 1}}, "not the file"),
    ],
)
def test_odd_manifests_are_refused(change: dict[str, object], words: str, tmp_path: Path) -> None:
    save(make(LOGISTIC)[0], tmp_path / "m")
    manifest = json.loads((tmp_path / "m" / "bundle.json").read_text())
    (tmp_path / "m" / "bundle.json").write_text(json.dumps(manifest | change))
    with pytest.raises(BundleError, match=words):
        load(tmp_path / "m")


def test_no_bundle_and_wrong_columns_are_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no bundle\.json"):
        load(tmp_path)
    with pytest.raises(ValueError, match=r"expected 2 columns \(size, form\)"):
        make(SINGLE)[0].probability(np.zeros((3, 5)))

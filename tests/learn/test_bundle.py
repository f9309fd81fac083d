"""Bundles: equal bytes, equal answers, and nothing foreign is opened."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skops import io as skops

from radlake.learn.bundle import Bundle, BundleError, load, save
from radlake.learn.classical import LOGISTIC, SINGLE, SVM, Model
from radlake.learn.deep import ImageClassifier
from radlake.learn.validate import Fitted, fit


def make(model: Model, seed: int = 0) -> tuple[Bundle, np.ndarray]:
    """A fitted bundle and features to ask it about."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, 2))
    x[::9, 1] = np.nan
    y = (x[:, 0] + rng.normal(size=80) > 0).astype(np.int64)
    fitted = fit(model, x, y, np.arange(80), folds=3, rng=np.random.default_rng(1))
    return Bundle(model.name, "ill", ("size", "form"), fitted), x


def facts(data: bytes) -> dict[str, object]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


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
    manifest["files"]["pipeline.skops"] = facts(b"no zip")
    (tmp_path / "m" / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="incomplete"):
        load(tmp_path / "m")


def test_foreign_types_are_refused_even_with_the_right_hash(tmp_path: Path) -> None:
    save(make(LOGISTIC)[0], tmp_path / "m")
    data = skops.dumps({"run": Path("x")})
    (tmp_path / "m" / "pipeline.skops").write_bytes(data)
    manifest = json.loads((tmp_path / "m" / "bundle.json").read_text())
    manifest["files"]["pipeline.skops"] = facts(data)
    (tmp_path / "m" / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="holds types"):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 1}, "not of format 2"),
        ({"files": {"../x": "0"}}, "cannot have"),
        ({"files": None}, "incomplete"),
        ({"files": {"pipeline.skops": 1}}, "incomplete"),
        ({"files": {"pipeline.skops": {"bytes": 1, "sha256": ""}}}, "not the file"),
        ({"files": {"pipeline.skops": {}, "network.json": {}, "weights.safetensors": {}}}, "cannot have"),
        ({"files": {"network.json": {}}}, "cannot have"),
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


def test_the_contract_and_the_steps_before_are_kept(tmp_path: Path) -> None:
    bundle, x = make(LOGISTIC)
    contract = {"kind": "table", "low": [0.0, 1.5]}
    save(replace(bundle, contract=contract, pipeline="name: ct\nsteps: []\n"), tmp_path / "m")
    loaded = load(tmp_path / "m")
    assert loaded.contract == contract
    assert loaded.pipeline == "name: ct\nsteps: []\n"
    assert loaded.predict_proba(x)[:, 1].tobytes() == bundle.probability(x).tobytes()
    assert loaded.predict(x).tolist() == (bundle.probability(x) > 0.5).astype(int).tolist()


@pytest.fixture(scope="module")
def network() -> tuple[Bundle, np.ndarray]:
    """A small network for the digits 0 and 1 of scikit-learn."""
    from sklearn.datasets import load_digits

    x, y = load_digits(n_class=2, return_X_y=True)
    model = ImageClassifier("vgg-small", epochs=1, batch=90).fit(x.reshape(-1, 8, 8), y)
    fitted = Fitted({"epochs": 1}, model, None, "binary", (0, 1))
    return Bundle("vgg-small", "one", (), fitted, contract=model.contract_), x.reshape(-1, 8, 8)


def test_a_network_answers_the_same_bits_in_a_new_process(network: tuple[Bundle, np.ndarray], tmp_path: Path) -> None:
    bundle, x = network
    save(bundle, tmp_path / "m")
    assert sorted(digests(tmp_path / "m")) == ["bundle.json", "network.json", "weights.safetensors"]
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys, numpy as np; from pathlib import Path; from radlake.learn.bundle import load;"
        "np.save(sys.argv[3], load(Path(sys.argv[1])).predict_proba(np.load(sys.argv[2])))"
    )
    files = [str(tmp_path / name) for name in ("m", "x.npy", "p.npy")]
    subprocess.run([sys.executable, "-c", code, *files], check=True)
    assert np.load(tmp_path / "p.npy").tobytes() == bundle.predict_proba(x).tobytes()
    save(load(tmp_path / "m"), tmp_path / "n")
    assert digests(tmp_path / "m") == digests(tmp_path / "n")


def test_networks_that_were_tampered_with_are_refused(network: tuple[Bundle, np.ndarray], tmp_path: Path) -> None:
    save(network[0], tmp_path / "m")
    weights = tmp_path / "m" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(BundleError, match=r"weights\.safetensors is not the file that was saved"):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("weights.safetensors", lambda _: b"\xff" * 64, "no file of weights"),
        ("network.json", lambda text: text.replace(b"ImageClassifier", b"os.system"), "incomplete"),
        ("network.json", lambda text: text.replace(b"vgg-small", b"cnn-small"), "incomplete"),
        ("network.json", lambda text: text.replace(b'"batch"', b'"magic"'), "incomplete"),
        ("network.json", lambda _: b"[]", "incomplete"),
    ],
)
def test_foreign_networks_are_refused_even_with_the_right_hash(
    network: tuple[Bundle, np.ndarray], tmp_path: Path, name: str, change: Callable[[bytes], bytes], words: str
) -> None:
    save(network[0], tmp_path / "m")
    data = change((tmp_path / "m" / name).read_bytes())
    (tmp_path / "m" / name).write_bytes(data)
    manifest = json.loads((tmp_path / "m" / "bundle.json").read_text())
    manifest["files"][name] = facts(data)
    (tmp_path / "m" / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=words):
        load(tmp_path / "m")

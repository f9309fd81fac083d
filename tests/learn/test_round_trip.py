"""Every family of models on real data: saved, opened in another process, the same answers to the last bit."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from radlake.learn.both import VIEW, families, final
from radlake.learn.bundle import Bundle, save
from radlake.learn.calibration import calibrator
from radlake.learn.families import FAMILIES
from radlake.learn.paired import Paired
from radlake.learn.problem import Problem, problem
from radlake.learn.validate import Fitted, decisions

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")

from radlake.learn.deep import ImageClassifier, ImageRegressor, ImageSegmenter
from radlake.learn.deep.ensemble import Together
from radlake.learn.deep.families import image_families

pytestmark = pytest.mark.filterwarnings("ignore")  # of few epochs and few cases, and of Keras' own calls

_CODE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
import numpy as np
from radlake.learn.bundle import load
from radlake.learn.paired import Paired
root = Path(sys.argv[1])
for folder in sorted(p for p in root.iterdir() if (p / "bundle.json").is_file()):
    bundle, x, beside = load(folder), np.load(folder.with_suffix(".x.npy")), folder.with_suffix(".f.npy")
    x = Paired(np.load(beside), x) if beside.is_file() else x
    classes = bundle.fitted.task in ("binary", "multiclass")
    np.save(folder.with_suffix(".p.npy"), bundle.predict_proba(x) if classes else np.asarray(bundle.predict(x)))
"""


# every family that is given an image score beside features, or alone
WITH_IMAGES = ("score+images", "logistic+images", "forest+images", "boosting+images", "svm+images")


def table(name: str, *, value: bool) -> tuple[Bundle, np.ndarray]:
    """A family of tables on breast cancer, or on diabetes where it tells values."""
    family = FAMILIES[name]
    x, y = (load_diabetes if value else load_breast_cancer)(return_X_y=True)
    given = problem(x[:150, :8], y[:150], task="regression" if value else "binary")
    settings = family.grid[family.usual]
    model = family.make(settings, given.task, 0).fit(given.features, given.y)
    curve = calibrator(family, given, decisions(model, given.features))
    return Bundle(name, "ill", given.names, Fitted(settings, model, curve, given.task, given.classes)), given.features


def digits(*, slices: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Digits 0 and 1; as volumes each digit in some slices."""
    x, y = load_digits(n_class=2, return_X_y=True)
    flat = x[:60].reshape(-1, 8, 8)
    return (np.repeat(flat[:, None], slices, axis=1) if slices else flat), y[:60]


def picture(name: str) -> tuple[Bundle, np.ndarray]:
    """A family of images on digits."""
    family = image_families()[name]
    if name.startswith("monai") and importlib.util.find_spec("monai") is None:
        pytest.skip("MONAI is not installed")
    x, y = digits(slices=0 if "yx" in family.spatial else 6)
    if family.view is None:
        model: Any = family.make({"epochs": 1}, "binary", 0)
        model.fit(x, y)
        return Bundle(name, "one", (), Fitted({}, model, None, "binary", (0, 1)), None, model.contract_), x
    from sklearn.pipeline import Pipeline

    from radlake.learn.deep.views import ImageFeatures

    inside = family.make(family.grid[0], "binary", 0)
    model = Pipeline([("features", ImageFeatures(family.view)), ("model", inside)]).fit(x[:40], y[:40])
    curve = calibrator(family, problem(np.arange(40.0)[:, None], y[:40]), decisions(model, x[:40]))
    return Bundle(name, "one", (), Fitted({}, model, curve, "binary", (0, 1))), x[:40]


@cache
def paired() -> Problem:
    """Digits with two measures and what is seen of them."""
    from radlake.learn.deep.views import seen
    from radlake.learn.images import images

    x, y = digits()
    features = np.stack([x.mean(axis=(1, 2)), x.std(axis=(1, 2))], axis=1)[:40]
    return replace(problem(features, y[:40]), looks=seen(images(x[:40]), VIEW))


def both(name: str) -> tuple[Bundle, Paired]:
    """A family of features and images."""
    family, given, pixels = families(paired())[name], paired(), digits()[0][:40]
    settings = family.grid[family.usual]
    model = family.make(settings, "binary", 0).fit(given.inputs, given.y)
    curve = calibrator(family, given, decisions(model, given.inputs))
    whole = final(Fitted(settings, model, curve, "binary", (0, 1)), pixels)
    return Bundle(name, "one", given.names, whole), Paired(given.features, pixels)


def together() -> tuple[Bundle, np.ndarray]:
    x, y = digits()
    model = Together([ImageClassifier("cnn-small", epochs=1, seed=s).fit(x, y) for s in (0, 1)])
    return Bundle("together", "one", (), Fitted({}, model, None, "binary", (0, 1))), x


def values() -> tuple[Bundle, np.ndarray]:
    x, _ = digits()
    model = ImageRegressor("cnn-small", epochs=1).fit(x, x.mean(axis=(1, 2)))
    return Bundle("values", "mean", (), Fitted({}, model, None, "regression", ())), x


def outlines(*, slices: int = 0) -> tuple[Bundle, np.ndarray]:
    x = np.kron(digits(slices=slices)[0][:6], np.ones((2, 4, 4) if slices else (1, 4, 4)))[: 6 if slices else None]
    patch = (16, 32, 32) if slices else (32, 32)
    model = ImageSegmenter(epochs=1, batch=2, patch=patch).fit(x, (x > 8).astype(np.int64))
    return Bundle("outlines", "digit", (), Fitted({}, model, None, "segmentation", ())), x


def keras() -> tuple[Bundle, np.ndarray]:
    pytest.importorskip("keras", reason="an extra")
    from radlake.learn.keras_networks import KerasClassifier

    x, y = digits()
    large = np.kron(x, np.ones((1, 2, 2)))
    model = KerasClassifier(epochs=1).fit(large, y)
    return Bundle("keras", "one", (), Fitted({}, model, None, "binary", (0, 1)), None, model.contract_), large


MADE: dict[str, Callable[[], tuple[Bundle, Any]]] = {
    **{f"table {n}": lambda n=n: table(n, value=False) for n, f in FAMILIES.items() if "binary" in f.tasks},
    **{f"values {n}": lambda n=n: table(n, value=True) for n, f in FAMILIES.items() if "regression" in f.tasks},
    **{name: lambda name=name: both(name) for name in WITH_IMAGES},
    **{f"image {name}": lambda name=name: picture(name) for name in image_families()},
    "networks together": together, "network for values": values, "U-Net": outlines,
    "U-Net of volumes": lambda: outlines(slices=8), "Keras": keras,
}  # fmt: skip


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[np.ndarray, Path]]:
    """What every model says here, with the file of what it says in another process."""
    root, found = tmp_path_factory.mktemp("bundles"), {}
    for k, (name, make) in enumerate(MADE.items()):
        try:
            bundle, x = make()
        except pytest.skip.Exception:
            continue
        folder = root / f"{k:03d}"
        save(bundle, folder)
        np.save(folder.with_suffix(".x.npy"), x.images if isinstance(x, Paired) else x)
        if isinstance(x, Paired):
            np.save(folder.with_suffix(".f.npy"), x.features)
        classes = bundle.fitted.task in ("binary", "multiclass")
        said = bundle.predict_proba(x) if classes else np.asarray(bundle.predict(x))
        found[name] = (said, folder.with_suffix(".p.npy"))
    subprocess.run([sys.executable, "-c", _CODE, str(root)], check=True)
    return found


def test_no_family_of_features_and_images_is_forgotten() -> None:
    assert {name for name in families(paired()) if name.endswith("+images")} == set(WITH_IMAGES)


@pytest.mark.parametrize("name", MADE)
def test_every_model_says_the_same_bits_in_another_process(
    name: str, opened: dict[str, tuple[np.ndarray, Path]]
) -> None:
    if name not in opened:
        pytest.skip("an extra that is not installed")
    said, path = opened[name]
    assert np.isfinite(said).all()
    assert np.load(path).tobytes() == said.tobytes()
    manifest = json.loads((path.parent / path.name.split(".")[0] / "bundle.json").read_text())
    assert not any(file.endswith((".pkl", ".pickle", ".pt")) for file in manifest["files"])

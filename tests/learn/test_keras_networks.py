"""Keras networks on digits: the classic one and a user's own file; files with code inside are not opened."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle
from radlake.learn.cases import Cohort
from radlake.learn.evaluation.scores import Answered, evaluate
from radlake.learn.explain.pictures import explain_pictures
from radlake.learn.validate import Fitted

os.environ.setdefault("KERAS_BACKEND", "torch")  # else Keras looks for TensorFlow
keras = pytest.importorskip("keras", reason="an extra")
from radlake.learn.keras_networks import KerasClassifier, classic, load  # noqa: E402 - only where Keras is there

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras warns of its own calls to torch and numpy


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Digits of 8 x 8 pixels, each pixel three times as long and wide, in frames of 28 x 28."""
    data = load_digits()
    large = np.kron(data.images, np.ones((1, 3, 3)))
    return np.pad(large, ((0, 0), (2, 2), (2, 2))), data.target


@pytest.fixture(scope="module")
def trained(digits: tuple[np.ndarray, np.ndarray]) -> KerasClassifier:
    x, y = digits
    return KerasClassifier(epochs=6, batch=32).fit(x[:1000], y[:1000])


def test_the_classic_network_is_the_classic_one() -> None:
    kinds = [type(layer).__name__ for layer in classic((28, 28, 1), 10).layers]
    assert kinds == [
        "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dropout", "Dense",
    ]  # fmt: skip
    assert classic((28, 28, 1), 10).count_params() == 320 + 18_496 + 204_928 + 1_290


def test_it_learns_digits_and_is_evaluated_like_any_other(
    digits: tuple[np.ndarray, np.ndarray], trained: KerasClassifier
) -> None:
    x, y = digits
    p = trained.predict_proba(x[1000:])
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)  # single precision
    found = {m.metric: m for m in evaluate(Answered("multiclass", y[1000:], p[None], np.arange(len(p))))}
    assert found["accuracy"].value > 0.9
    assert found["macro_auc"].value > 0.99
    assert (trained.predict(x[1000:]) == p.argmax(axis=1)).all()


def test_maps_are_made_by_covering_and_compared_with_an_untrained_twin(
    digits: tuple[np.ndarray, np.ndarray], trained: KerasClassifier
) -> None:
    x, y = digits[0][1000:1003], digits[1][1000:1003]
    nothing, ids = np.full(3, ""), np.array(["a", "b", "c"])
    cases = Cohort("image", ids, nothing, nothing, nothing, x, (), {}, y, {})
    bundle = Bundle("keras", "digit", (), Fitted({}, trained, None, "multiclass", tuple(range(10))))
    (found,) = explain_pictures(bundle, cases, most=1)
    (shown,) = found.maps
    assert shown.method == "occlusion"
    assert shown.checked.random_network is not None
    assert shown.checked.deletion < shown.checked.random_deletion
    assert not np.array_equal(trained.untrained(5).predict_proba(x), trained.predict_proba(x))


def test_a_file_is_opened_again_and_trained_on(
    digits: tuple[np.ndarray, np.ndarray], trained: KerasClassifier, tmp_path: Path
) -> None:
    x, y = digits
    path = tmp_path / "我的 network.keras"
    trained.save(path)
    again = KerasClassifier(path, epochs=0)
    again.fit(x[:1000], y[:1000])
    np.testing.assert_allclose(again.predict_proba(x[1000:1100]), trained.predict_proba(x[1000:1100]), atol=1e-6)
    assert clone(again).get_params()["network"] == path
    with pytest.raises(UsageError, match=r"gives 10 classes; these are \(28, 28, 1\) with 3"):
        KerasClassifier(path).fit(x[:30], y[:30] % 3)


def test_a_bare_file_answers_with_intensities_as_it_knows_them(
    digits: tuple[np.ndarray, np.ndarray], trained: KerasClassifier, tmp_path: Path
) -> None:
    x, y = digits[0][1000:1100], digits[1][1000:1100]
    trained.save(tmp_path / "net.keras")
    bytes_ = np.round(x * 255 / 16).astype(np.uint8)  # its training images went from 0 to 16
    bare = KerasClassifier.of_file(tmp_path / "net.keras")
    np.testing.assert_allclose(bare.predict_proba(bytes_), trained.predict_proba(bytes_ / 255 * 16), atol=1e-5)
    np.testing.assert_allclose(bare.predict_proba(x / 16), trained.predict_proba(x), atol=1e-5)
    assert (bare.predict(bytes_) == y).mean() > 0.9
    with pytest.raises(UsageError, match="takes images of 28 x 28 pixels, got 20 x 28"):
        bare.predict_proba(x[:, :20])
    own = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255), trained.network_])
    own.save(tmp_path / "own.keras")
    scaled = KerasClassifier.of_file(tmp_path / "own.keras").predict_proba(bytes_)
    np.testing.assert_allclose(scaled, bare.predict_proba(bytes_), atol=1e-5)
    keras.Sequential([keras.Input((9,)), keras.layers.Dense(2)]).save(tmp_path / "table.keras")
    with pytest.raises(UsageError, match=r"must take \(N, Y, X, channels\)"):
        KerasClassifier.of_file(tmp_path / "table.keras")


def changed(path: Path, dest: Path, change: Any) -> Path:
    """A copy of a .keras file with another configuration."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(dest, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            target.writestr(name, data)
    return dest


def test_files_with_code_inside_are_not_opened(trained: KerasClassifier, tmp_path: Path) -> None:
    path = tmp_path / "good.keras"
    trained.save(path)

    def lambda_layer(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["class_name"] = "Lambda"

    def foreign(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["module"] = "os"
        config["config"]["layers"][1]["class_name"] = "system"

    def registered(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["registered_name"] = "mine>Conv2D"

    for change in (lambda_layer, foreign, registered):
        with pytest.raises(UsageError, match="names code that is not Keras' own"):
            load(changed(path, tmp_path / "bad.keras", change))


def test_other_files_and_images_are_refused_in_words(tmp_path: Path, trained: KerasClassifier) -> None:
    (tmp_path / "x.keras").write_bytes(b"weights")
    with pytest.raises(UsageError, match=r"is no \.keras file"):
        load(tmp_path / "x.keras")
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "absent.keras")
    with pytest.raises(UsageError, match="an image has 2 or 3 axes"):
        trained.predict(np.zeros((4, 4)))
    with pytest.raises(UsageError, match="not finite"):
        trained.predict(np.full((1, 28, 28), np.nan))

"""Networks keep scikit-learn's contract, and refuse what they cannot use in words that say what to do."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from radlake.core.errors import UsageError
from radlake.learn.deep import ImageClassifier, ImageRegressor


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(n_class=3, return_X_y=True)
    return x.reshape(-1, 8, 8), y


QUICK: dict[str, Any] = {"network": "cnn-small", "epochs": 4, "batch": 32}


def test_digits_are_told_apart_with_the_same_bits_for_a_seed(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    words = np.array(["zero", "one", "two"])[y]
    model = ImageClassifier(**QUICK).fit(x[:400], words[:400])
    assert (model.predict(x[400:]) == words[400:]).mean() > 0.95
    p = model.predict_proba(x[400:])
    assert p.sum(axis=1) == pytest.approx(1)
    assert model.decision_function(x).shape == (len(x), 3)
    assert model.history_.losses[-1] < model.history_.losses[0]
    again = clone(model).fit(x[:400], words[:400])
    assert again.predict_proba(x[400:]).tobytes() == p.tobytes()
    assert pickle.loads(pickle.dumps(model)).predict_proba(x[400:]).tobytes() == p.tobytes()
    assert clone(model).set_params(seed=1).fit(x[:400], words[:400]).predict_proba(x[400:]).tobytes() != p.tobytes()


def test_values_are_told(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, _ = digits
    ink = x.sum(axis=(1, 2))
    model = ImageRegressor(**QUICK | {"epochs": 8}).fit(x[:400], ink[:400])
    assert np.corrcoef(model.predict(x[400:]), ink[400:])[0, 1] > 0.9
    assert abs(model.predict(x[400:]).mean() - ink[400:].mean()) < ink.std()


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 3), (5, 8, 9), (5, 8, 9, 3)])
@pytest.mark.parametrize("network", ["cnn-small", "vgg-small"])
def test_flat_images_volumes_and_channels_are_taken(network: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    x = rng.normal(size=(24, *shape)) + 3 * y.reshape(-1, *([1] * len(shape)))
    model = ImageClassifier(network, epochs=4, batch=8).fit(x, y)
    assert (model.predict(x) == y).mean() > 0.9


def test_mixed_sizes_and_the_callers_random_state_are_respected() -> None:
    import torch

    rng = np.random.default_rng(0)
    y = np.arange(30) % 2
    x = [rng.normal(size=(8 + i % 3, 9 + i % 2)) + 3 * k for i, k in enumerate(y)]
    before, used = torch.get_rng_state(), torch.get_num_threads()
    model = ImageClassifier(**QUICK).fit(x, y)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == used
    assert model.scale_.size == (12, 12)
    assert model.contract_["smallest"] == [8, 9]
    assert (model.predict(x) == y).mean() > 0.9


def test_options_of_the_training_are_obeyed(digits: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    x, y = digits[0][:140], digits[1][:140]
    options = QUICK | {"balance": "sampler", "augment": "ct", "precision": "bfloat16", "threads": 1, "epochs": 30}
    model = ImageClassifier(**options, patience=2, rate=0.02, checkpoint=tmp_path / "state")
    model.fit(x, y, groups=np.arange(140) // 2)
    assert (tmp_path / "state" / "checkpoint.safetensors").exists()
    assert len(model.history_.validation) == len(model.history_.losses)
    assert model.precision_ == "bfloat16"
    assert (model.predict(x) == y).mean() > 0.9
    again = clone(model).fit(x, y, groups=np.arange(140) // 2)  # finds its own last state
    assert again.predict_proba(x).tobytes() == model.predict_proba(x).tobytes()
    probed = ImageClassifier(**QUICK, precision="probe").fit(x, y)
    assert probed.precision_ in {"float32", "bfloat16"}
    with pytest.raises(UsageError, match="patience needs cases to hold out: a class occurs in 2 groups only"):
        ImageClassifier(**QUICK, patience=2).fit(x[:6], [0, 0, 1, 1, 1, 1])
    with pytest.raises(UsageError, match="no augmentation 'wild'"):
        ImageClassifier(**QUICK, augment="wild").fit(x, y)


def test_progress_is_told_after_each_epoch(digits: tuple[np.ndarray, np.ndarray]) -> None:
    told: list[Any] = []
    ImageClassifier(**QUICK, progress=told.append).fit(digits[0][:60], digits[1][:60])
    assert [(t.epoch, t.epochs) for t in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert told[-1].left == 0


def test_untrained_and_mistaken_uses_are_told(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    with pytest.raises(NotFittedError):
        ImageClassifier().predict(x)
    assert not get_tags(ImageClassifier()).input_tags.two_d_array
    model = ImageClassifier(**QUICK | {"epochs": 1}).fit(x[:60], y[:60])
    with pytest.raises(UsageError, match="trained on images with channels 1, got 3; convert the images"):
        model.predict(np.zeros((2, 8, 8, 3)))
    with pytest.raises(UsageError, match="trained on images with axes yx, got zyx"):
        model.predict(np.zeros((2, 6, 8, 8)))


@pytest.mark.parametrize(
    ("options", "x", "y", "words"),
    [
        ({}, np.zeros((4, 8, 8)), np.zeros(4), "all images have the same label"),
        ({}, np.zeros((4, 8, 8)), np.arange(5), "expected one outcome for each of the 4 images, got 5"),
        ({}, np.zeros((4, 1, 1)), np.arange(4), "too small"),
        ({"network": "magic"}, np.zeros((4, 8, 8)), np.arange(4), "no network 'magic'; there are cnn-small"),
    ],
)
def test_what_cannot_be_learned_from_is_told(options: dict[str, Any], x: Any, y: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ImageClassifier(**options).fit(x, y)


@pytest.mark.parametrize("y", [np.ones(4), np.array([1, 2, np.nan, 3]), np.ones((4, 2))])
def test_values_that_cannot_be_learned_are_told(y: np.ndarray) -> None:
    with pytest.raises(UsageError, match="one finite value an image"):
        ImageRegressor().fit(np.zeros((4, 8, 8)), y)

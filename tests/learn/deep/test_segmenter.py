"""A U-Net on real digits' ink and on made balls: learns, keeps its bits, and says what it cannot use."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle, load, save
from radlake.learn.deep import ImageSegmenter
from radlake.learn.deep.unet import UNet, segmentation_loss, strides_for
from radlake.learn.deep.windows import cut, over_windows, random_corner, say, window_corners
from radlake.learn.validate import Fitted


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


def balls(number: int, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Noisy volumes of mixed sizes, each with a ball of label 1 and a brighter one of label 4."""
    rng = np.random.default_rng(seed)
    volumes, masks = [], []
    for i in range(number):
        shape = (10 + i % 3, 16 + i % 4, 18)
        grid = np.indices(shape)
        mask = np.zeros(shape, np.uint8)
        for label, x in ((1, 5), (4, 12)):
            centre = np.array([5, 8 + rng.uniform(-1, 1), x]).reshape(-1, 1, 1, 1)
            mask[((grid - centre) ** 2).sum(axis=0) < 9] = label
        masks.append(mask)
        volumes.append(rng.normal(size=shape) * 0.3 + np.array([0, 2, 0, 0, 4])[mask])
    return volumes, masks


@pytest.fixture(scope="module")
def trained() -> ImageSegmenter:
    model = ImageSegmenter(
        epochs=24, widths=(8, 16), patch=(8, 16, 16), threads=1, rate=0.01, average=0.8, augment="none"
    )  # fmt: skip
    return model.fit(*balls(10))


def test_two_labels_are_outlined_in_volumes_of_mixed_sizes(trained: ImageSegmenter) -> None:
    volumes, masks = balls(4, seed=9)
    assert trained.classes_.tolist() == [0, 1, 4]
    for found, mask, p in zip(
        trained.predict(volumes), masks, trained.predict_proba(volumes), strict=True
    ):  # fmt: skip
        assert found.shape == mask.shape
        assert dice(found == 1, mask == 1) > 0.7
        assert dice(found == 4, mask == 4) > 0.7
        assert p.shape == (3, *mask.shape)
        assert p.sum(axis=0) == pytest.approx(1, abs=1e-4)


def test_the_ink_of_real_digits_is_outlined_from_patches() -> None:
    x = np.kron(load_digits().images[:24], np.ones((1, 3, 3)))
    masks = (x > 8).astype(int)
    noisy = x + np.random.default_rng(0).normal(size=x.shape) * 2
    model = ImageSegmenter(
        epochs=8, batch=4, threads=1, widths=(6, 12), patch=(16, 16), intensity="cohort", rate=0.02, average=0.8
    )
    found = model.fit(noisy[:16], masks[:16]).predict(noisy[16:])
    assert np.mean([dice(f > 0, m > 0) for f, m in zip(found, masks[16:], strict=True)]) > 0.85


def test_a_bundle_and_a_second_training_give_the_same_bits(trained: ImageSegmenter, tmp_path: Path) -> None:
    volumes, _ = balls(2, seed=9)
    expected = [p.tobytes() for p in trained.predict_proba(volumes)]
    save(Bundle("U-Net", "balls", (), Fitted({}, trained, None, "segmentation", (0, 1, 4))), tmp_path / "m")
    loaded = load(tmp_path / "m")
    assert [p.tobytes() for p in loaded.fitted.pipeline.predict_proba(volumes)] == expected
    assert loaded.predict(volumes)[0].tolist() == trained.predict(volumes)[0].tolist()
    again = clone(trained).fit(*balls(10))
    assert [p.tobytes() for p in again.predict_proba(volumes)] == expected


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros((2, 8, 8)), np.zeros((3, 8, 8), int), "one mask for each of the 2 images, got 3"),
        (np.zeros((2, 8, 8)), np.zeros((2, 8, 9), int), r"mask 0 has shape \(8, 9\), its image \(8, 8\)"),
        (np.zeros((2, 8, 8)), np.zeros((2, 8, 8)), "must hold whole numbers"),
        (np.zeros((2, 8, 8)), np.zeros((2, 8, 8), int), "nothing to learn to outline"),
    ],
)
def test_what_cannot_be_used_is_told(x: Any, y: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ImageSegmenter().fit(x, y)


def test_the_loss_is_zero_for_sure_right_answers_at_all_depths_and_high_for_wrong_ones() -> None:
    wanted = torch.zeros((1, 8, 8), dtype=torch.int64)
    wanted[:, :4] = 1
    right = torch.stack([(wanted == k).float() * 40 - 20 for k in range(2)], dim=1)
    coarse = right[:, :, ::2, ::2]
    assert float(segmentation_loss([right, coarse], wanted)) == pytest.approx(0, abs=1e-4)
    assert float(segmentation_loss(-right, wanted)) > 10


def test_a_unet_speaks_at_every_depth_while_training_only() -> None:
    network = UNet(1, 3, (4, 8, 16), strides_for((8, 16, 16), 3))
    x = torch.zeros(2, 1, 8, 16, 16)
    assert [tuple(s.shape[2:]) for s in network(x)] == [(8, 16, 16), (4, 8, 8)]
    assert network.eval()(x).shape == (2, 3, 8, 16, 16)


@given(st.integers(4, 30), st.integers(4, 12))
def test_windows_cover_everything_with_half_of_each_shared(whole: int, part: int) -> None:
    part = min(part, whole)
    corners = [c[0] for c in window_corners((whole,), (part,))]
    assert corners[0] == 0
    assert corners[-1] == whole - part
    assert all(b - a <= max(1, part // 2) for a, b in pairwise(corners))


def test_windows_that_say_what_they_see_give_the_image_back() -> None:
    image = np.random.default_rng(0).normal(size=(1, 9, 21)).astype(np.float32)
    assert over_windows(image, (8, 8), lambda window: window, 1) == pytest.approx(image, abs=1e-5)
    assert over_windows(image, (16, 32), lambda window: window, 1) == pytest.approx(image, abs=1e-5)
    assert say((5, 5)).argmax() == 12


def test_patches_lie_inside_and_often_hold_what_is_rare() -> None:
    labels = np.zeros((1, 40, 40), np.int64)
    labels[0, 37, 2] = 1
    rng = np.random.default_rng(0)
    corners = [random_corner(labels, (8, 8), rng) for _ in range(300)]
    assert all(0 <= a <= 32 and 0 <= b <= 32 for a, b in corners)
    assert 0.3 < np.mean([cut(labels, c, (8, 8)).any() for c in corners]) < 0.5

"""Consensus masks: by hand, properties, and STAPLE against SimpleITK's."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.consensus import majority, staple


def _raters(count: int) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(3)
    truth = np.hypot(*np.mgrid[-20:20, -20:20]) < 11
    rates = rng.uniform(0.02, 0.25, count)
    return truth, [truth ^ (rng.random(truth.shape) < rate) for rate in rates]


@settings(max_examples=30)
@given(arrays.arrays(np.bool_, (5, 4, 6)))
def test_majority_counts_votes(masks: np.ndarray) -> None:
    assert np.array_equal(majority(list(masks)), np.median(masks, axis=0) > 0.5)


def test_a_tie_is_outside() -> None:
    assert majority([np.array([[1, 0]]), np.array([[1, 1]])]).tolist() == [[True, False]]


def test_staple_equals_simpleitks() -> None:
    _, masks = _raters(5)
    judge = SimpleITK.STAPLEImageFilter()
    judge.SetForegroundValue(1)
    judge.SetMaximumIterations(1000)
    theirs = SimpleITK.GetArrayFromImage(
        judge.Execute([SimpleITK.GetImageFromArray(m.astype(np.uint8)) for m in masks])
    )
    ours = staple(masks)
    np.testing.assert_allclose(ours.probability, theirs, atol=1e-5)
    np.testing.assert_allclose(ours.sensitivity, judge.GetSensitivity(), atol=1e-6)
    np.testing.assert_allclose(ours.specificity, judge.GetSpecificity(), atol=1e-6)


def test_staple_finds_the_poor_rater_and_beats_the_vote() -> None:
    truth, masks = _raters(4)
    masks.append(np.random.default_rng(0).random(truth.shape) < 0.5)
    result = staple(masks)
    assert np.argmin(np.add(result.sensitivity, result.specificity)) == 4
    wrong = [(m != truth).sum() for m in (np.asarray(result.probability) >= 0.5, majority(masks))]
    assert wrong[0] <= wrong[1]


def test_equal_masks_are_their_own_consensus() -> None:
    mask = Image(np.arange(12).reshape(3, 4) > 7, Geometry((2.0, 1.0)), kind="label", unit="label")
    result = staple([mask, mask, mask])
    assert isinstance(result.probability, Image)
    assert result.probability.geometry == mask.geometry
    assert np.array_equal(result.probability.array >= 0.5, mask.array)
    assert np.array_equal(majority([mask, mask]).array, mask.array)


def test_what_does_not_fit_is_refused() -> None:
    mask = np.eye(3, dtype=bool)
    for call in (majority, staple):
        with pytest.raises(ValueError, match="at least one"):
            call([])
        with pytest.raises(ItemError) as problem:
            call([mask, mask[:2]])
        assert problem.value.code == "misaligned_mask"
    with pytest.raises(ItemError, match="no voxel"):
        staple([mask & False, mask & False])
    with pytest.raises(ValueError, match="prior"):
        staple([mask, mask], prior=1.0)
    with pytest.raises(ValueError, match="at most 63"):
        staple([mask] * 64)

"""Perturbed masks, the published example of ICC(2,1), clusters of redundant features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radlake.core.image import Geometry, Image
from radlake.features import extract
from radlake.features.stability import USUAL, Perturbation, icc, perturbed, perturbed_values, redundant, reliable

# Shrout and Fleiss (1979), table 2: six targets rated by four judges; ICC(2,1) = .29 in their table 4.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], np.float64
)
BALL = np.sqrt(sum(g.astype(float) ** 2 for g in np.ogrid[-9:10, -9:10, -9:10])) < 6.2


def test_the_example_of_shrout_and_fleiss() -> None:
    found = icc(SHROUT_FLEISS)
    # Mean squares of their table 3: BMS 11.24, JMS 32.49, EMS 1.02
    assert found.icc == pytest.approx((11.24 - 1.02) / (11.24 + 3 * 1.02 + 4 * (32.49 - 1.02) / 6), abs=5e-4)
    assert round(found.icc, 2) == 0.29
    # McGraw and Wong's interval of the same data, as R's psych and irr print it
    assert (round(found.low, 2), round(found.high, 2)) == (0.02, 0.76)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.floats(-5, 5))
def test_agreement_does_not_know_unit_or_zero_and_the_interval_holds_it(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    ratings = rng.normal(size=(12, 1)) * 2 + rng.normal(size=(12, 3))
    found, other = icc(ratings), icc(ratings * scale + shift)
    assert other == pytest.approx(found, rel=1e-6, abs=1e-9)
    assert found.low <= found.icc <= found.high


def test_agreement_needs_two_by_two_finite_numbers() -> None:
    with pytest.raises(ValueError, match="at least 2 subjects"):
        icc(np.ones((1, 3)))
    with pytest.raises(ValueError, match="not finite"):
        icc(np.array([[1.0, np.nan], [2.0, 3.0]]))
    assert np.isnan(icc(np.ones((4, 3))).icc)
    assert icc(np.array([[1.0, 1.0], [2.0, 2.0]])) == (1.0, 1.0, 1.0)


@settings(max_examples=15)
@given(st.floats(0.4, 3.0))
def test_growing_and_shrinking_are_dilation_and_erosion_by_a_ball(radius: float) -> None:
    spacing = (2.0, 1.0, 0.8)
    grid = np.ogrid[-3:4, -4:5, -5:6]
    ball = sum((g * s) ** 2 for g, s in zip(grid, spacing, strict=True)) <= (radius + 1e-6) ** 2
    grown = perturbed(BALL, Perturbation(grow_mm=radius), spacing=spacing)
    shrunk = perturbed(BALL, Perturbation(grow_mm=-radius), spacing=spacing)
    assert np.array_equal(grown, ndimage.binary_dilation(BALL, ball))
    assert np.array_equal(shrunk, ndimage.binary_erosion(BALL, ball))


def test_whole_steps_shift_exactly_and_a_quarter_turn_turns() -> None:
    mask = np.zeros((9, 11, 11), bool)
    mask[3:6, 4:7, 3:9] = True
    moved = perturbed(mask, Perturbation(shift_mm=(2.0, -1.0, 1.6)), spacing=(2.0, 1.0, 0.8))
    assert np.array_equal(moved, np.roll(mask, (1, -1, 2), (0, 1, 2)))
    odd = np.pad(np.ones((3, 3, 5), bool), 3)  # its middle is a voxel
    turned = perturbed(odd, Perturbation(turn_degrees=90))
    assert np.array_equal(turned[:, :, 1:-1], np.rot90(odd[:, :, 1:-1], axes=(1, 2)))
    with pytest.raises(ValueError, match="needs 3 numbers, got 2"):
        perturbed(mask, Perturbation(shift_mm=(1.0, 1.0)))
    assert not perturbed(np.zeros((3, 3)), USUAL[0]).any()


def test_values_under_changes_begin_with_the_mask_itself() -> None:
    image = Image(np.random.default_rng(0).normal(size=BALL.shape), Geometry((1.0, 1.0, 1.0)))
    found = perturbed_values(
        lambda m: extract(image, m, families=("shape", "intensity"), as_dict=True), image.with_array(BALL)
    )
    assert found["morph_vol_approx"][0] == BALL.sum()
    assert found["morph_vol_approx"][1] > BALL.sum() > found["morph_vol_approx"][2]
    assert all(len(values) == 1 + len(USUAL) for values in found.values())
    tiny = np.zeros(BALL.shape, bool)
    tiny[9, 9, 9] = True
    gone = perturbed_values(lambda m: {"n": float(m.sum())}, tiny, changes=[Perturbation(grow_mm=-1.0)])
    assert np.isnan(gone["n"][1])


def test_features_that_agree_are_kept_and_those_that_do_not_are_not() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(30, 1))
    values = {
        "steady": truth + 0.05 * rng.normal(size=(30, 4)),
        "loose": truth + 2 * rng.normal(size=(30, 4)),
        "absent": np.full((30, 4), np.nan),
    }
    assert [*reliable(values)] == ["steady"]
    assert "loose" in reliable(values, least=0.05, by_lower_bound=False)


def test_redundant_features_share_a_cluster_and_constants_stand_alone() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 40))
    table = np.stack([x, np.exp(x), y, -y + 0.01 * x, np.ones(40)], axis=1)
    assert redundant(table, ["x", "exp", "y", "minus", "one"]) == [["x", "exp"], ["y", "minus"], ["one"]]
    assert redundant(table[:, :1], ["x"]) == [["x"]]
    with pytest.raises(ValueError, match="at least 3 rows of 2 features"):
        redundant(table, ["x", "y"])

"""Moran's I and Geary's C against the double sum over all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.core.fault import ItemError
from radlake.features import autocorrelation as module
from radlake.features.autocorrelation import CONSTANT, TOO_LARGE, autocorrelation
from radlake.features.morphology import NO_INTENSITY, ONE_VOXEL
from radlake.features.roi import Roi

volumes = arrays.arrays(np.int16, st.tuples(*[st.integers(1, 4)] * 3), elements=st.integers(0, 9))


def _double_sum(image: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...]) -> tuple[float, float]:
    places, values = np.argwhere(mask) * spacing, image[mask].astype(float)
    distance = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    weights, d, n = 1 / distance, values - values.mean(), len(values)
    moran = n / weights.sum() * (weights * np.outer(d, d)).sum() / (d**2).sum()
    geary = (n - 1) / (2 * weights.sum()) * (weights * (values[:, None] - values[None]) ** 2).sum() / (d**2).sum()
    return moran, geary


@settings(max_examples=50)
@given(volumes)
def test_it_is_the_double_sum(image: np.ndarray) -> None:
    mask, spacing = image != 3, (2.5, 0.7, 1.1)
    found = autocorrelation(Roi(mask, spacing, image))
    if mask.sum() < 2 or np.ptp(image[mask]) == 0:
        assert set(found.values()) <= {NO_INTENSITY, ONE_VOXEL, CONSTANT}
    else:
        expected = _double_sum(image, mask, spacing)
        assert tuple(found.values()) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_gradient_is_alike_and_a_chessboard_is_not() -> None:
    mask = np.ones((8, 8), bool)
    gradient = np.add.outer(np.arange(8.0), np.arange(8.0))
    chessboard = np.indices((8, 8)).sum(axis=0) % 2
    alike, unlike = (autocorrelation(Roi(mask, (1.0, 1.0), x)) for x in (gradient, chessboard))
    assert float(alike["morph_moran_i"]) > 0.1 > float(unlike["morph_moran_i"])
    assert float(alike["morph_geary_c"]) < 1 < float(unlike["morph_geary_c"])


def test_a_region_too_large_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LIMIT", 10)
    found = autocorrelation(Roi(np.ones((3, 3), bool), (1.0, 1.0), np.arange(9).reshape(3, 3)))
    assert set(found.values()) == {TOO_LARGE}


def test_nan_inside_is_a_fault() -> None:
    with pytest.raises(ItemError, match="not finite"):
        autocorrelation(Roi(np.ones((1, 2), bool), (1.0, 1.0), np.array([[1.0, np.nan]])))

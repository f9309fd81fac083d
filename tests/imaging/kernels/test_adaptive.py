"""Adaptive equalisation: one tile by hand, many against an independent way, threads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from radlake.imaging import threads
from radlake.imaging.kernels.adaptive import Levels, adapted

RNG = np.random.default_rng(9)


def test_clipped_counts_are_spread_over_all_nodes() -> None:
    values = np.array([[[0.0, 0.0, 0.0, 3.0]]])
    # counts 3 0 0 1, clipped at 2: 2 0 0 1 and a quarter more each, so the curve is 2.25 2.5 2.75 4 of 4
    found = adapted(values, (1, 1, 1), Levels(0.0, 3.0, 4), 2.0)
    assert found[0, 0].tolist() == [1.6875, 1.6875, 1.6875, 3.0]


def _by_interpolation(values: np.ndarray, counts: tuple[int, ...], levels: Levels, clip: float) -> np.ndarray:
    """Sample by sample: the curves of the eight tiles around, each by numpy's histogram and interpolation."""
    side = [n // c for n, c in zip(values.shape, counts, strict=True)]
    nodes = levels.low + np.arange(levels.nodes) / levels.scale
    limit = max(1.0, clip * np.prod(side) / levels.nodes)
    curves = {}
    for tile in np.ndindex(*counts):
        part = values[tuple(slice(t * w, (t + 1) * w) for t, w in zip(tile, side, strict=True))]
        count = np.histogram(part, levels.nodes, (nodes[0] - 0.5 / levels.scale, nodes[-1] + 0.5 / levels.scale))[0]
        kept = np.minimum(count, limit) + np.maximum(count - limit, 0).sum() / levels.nodes
        curves[tile] = levels.low + np.cumsum(kept) / part.size * (levels.high - levels.low)
    result = np.zeros(values.shape)
    for place in np.ndindex(*values.shape):
        at = [(p + 0.5) / w - 0.5 for p, w in zip(place, side, strict=True)]
        for corner in itertools.product((0, 1), repeat=3):
            floors = [int(np.floor(a)) for a in at]
            tile = tuple(int(np.clip(f + c, 0, n - 1)) for f, c, n in zip(floors, corner, counts, strict=True))
            weight = np.prod([a - f if c else 1 - (a - f) for a, f, c in zip(at, floors, corner, strict=True)])
            result[place] += weight * np.interp(values[place], nodes, curves[tile])
    return np.clip(result, levels.low, levels.high)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-4)])
def test_curves_are_mixed_between_the_centres_of_tiles(dtype: type, tolerance: float) -> None:
    values = RNG.integers(-50, 150, (4, 12, 15)).astype(dtype)
    values[0, 0, 0], values[0, 0, 1] = -50, 149
    levels = Levels(-50.0, 149.0, 200)
    expected = _by_interpolation(values, (2, 3, 3), levels, 3.0)
    # curves are float32: a few units in the last place of 200
    np.testing.assert_allclose(adapted(values, (2, 3, 3), levels, 3.0), expected, atol=tolerance)


def test_threads_do_not_show() -> None:
    values = RNG.normal(0, 1, (6, 30, 31)).astype(np.float32)
    levels = Levels(float(values.min()), float(values.max()), 64)
    alone = adapted(values, (2, 4, 3), levels, 4.0)
    with threads(3):
        assert np.array_equal(adapted(values, (2, 4, 3), levels, 4.0), alone)

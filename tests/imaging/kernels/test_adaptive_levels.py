"""Tables of all levels give what curves give, up to rounding; one tile by hand; threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from radlake.imaging import threads
from radlake.imaging.enhance import clahe
from radlake.imaging.kernels.adaptive import Levels, adapted
from radlake.imaging.kernels.adaptive_levels import adapted_levels

RNG = np.random.default_rng(9)


def test_clipped_counts_are_spread_over_all_nodes() -> None:
    codes = np.array([[0, 0, 0, 3]], np.uint16)
    # counts 3 0 0 1, clipped at 2: 2 0 0 1 and a quarter more each, so the curve is 2.25 2.5 2.75 4 of 4
    assert adapted_levels(codes, (1, 1), 4, 4, 2.0).tolist() == [[2, 2, 2, 3]]


@settings(max_examples=60, deadline=None)
@example((20, 19), (9, 6), 27, 1.5)  # of tiles of four columns the last lies beyond the image
@given(
    st.tuples(st.integers(2, 60), st.integers(2, 60)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([2, 17, 300, 5000]),
    st.floats(1, 20),
)
def test_levels_are_those_of_the_curves(
    shape: tuple[int, int], counts: tuple[int, int], span: int, clip: float
) -> None:
    counts = min(counts[0], shape[0] // 2), min(counts[1], shape[1] // 2)
    codes = RNG.integers(0, span, shape).astype(np.uint16 if span > 256 else np.uint8)
    nodes = min(span, 1024)
    found = adapted_levels(codes, counts, span, nodes, clip)
    curves = adapted(codes.astype(np.float64)[None], (1, *counts), Levels(0.0, span - 1.0, nodes), clip)[0]
    # rounded here; there places on the curve, up to 1024, are float32, and the curve rises by up to the span per node
    assert np.abs(found - curves).max() <= 0.5 + span * 2**-14


def test_bits_do_not_depend_on_threads() -> None:
    codes = RNG.integers(0, 4000, (211, 307)).astype(np.uint16)
    alone = adapted_levels(codes, (5, 6), 4000, 1024, 4.0)
    for count in (2, 5):
        with threads(count):
            assert np.array_equal(adapted_levels(codes, (5, 6), 4000, 1024, 4.0), alone)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", ">i2", ">u2"])
def test_every_dtype_of_few_bits_gives_the_levels_of_a_wide_one(dtype: str) -> None:
    low = -100 if "i" in dtype else 30
    plane = (RNG.integers(0, 150, (90, 120)) + low).astype(dtype)
    before = plane.copy()
    found = clahe(plane, tile_vox=30, clip=3.0)
    wide = clahe(plane.astype(np.int32), tile_vox=30, clip=3.0)
    assert found.dtype == np.dtype(dtype)
    assert np.abs(found.astype(int) - wide).max() <= 1
    assert np.mean(found != wide) < 0.01
    assert np.array_equal(plane, before)


def test_the_whole_range_of_sixteen_bits_is_kept() -> None:
    plane = np.linspace(-32768, 32767, 400 * 500).astype(np.int16).reshape(400, 500)
    found = clahe(plane, tile_vox=(200, 250), clip=3.0)
    assert (found.max(), found.dtype) == (32767, np.int16)
    assert np.abs(found.astype(int) - clahe(plane.astype(np.int32), tile_vox=(200, 250), clip=3.0)).max() <= 1

"""Slabs make up the whole, on as many threads as were asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.imaging import edges, enhance, filters, morphology, threads
from radlake.imaging.kernels.threads import by_slabs, over_rows


@given(st.integers(0, 60), st.integers(1, 5), st.integers(1, 9))
def test_every_index_is_worked_on_once_and_slabs_are_not_too_small(length: int, count: int, least: int) -> None:
    seen: list[tuple[int, int]] = []
    with threads(count):
        by_slabs(lambda start, stop: seen.append((start, stop)), length, least=least)
    assert sorted(i for start, stop in seen for i in range(start, stop)) == [*range(length)]
    assert len(seen) == 1 or all(stop - start >= least for start, stop in seen)


@given(st.tuples(st.integers(0, 12), st.integers(0, 30)), st.integers(1, 5), st.integers(1, 5), st.integers(1, 9))
def test_every_row_of_every_plane_is_worked_on_once(sides: tuple[int, int], count: int, planes: int, rows: int) -> None:
    seen: list[tuple[int, int, int, int]] = []
    with threads(count):
        over_rows((*sides, 3), seen.append, least=(planes, rows))
    places = [(z, y) for start, stop, top, bottom in seen for z in range(start, stop) for y in range(top, bottom)]
    assert sorted(places) == [(z, y) for z in range(sides[0]) for y in range(sides[1])]
    for start, stop, top, bottom in seen:
        assert stop - start >= min(planes, sides[0])
        assert bottom - top >= min(rows, sides[1])


def test_the_context_decides_how_many_threads_work_and_ends() -> None:
    names: set[str] = set()

    def note(_start: int, _stop: int) -> None:
        time.sleep(0.02)
        names.add(threading.current_thread().name)

    by_slabs(note, 8)
    assert names == {threading.current_thread().name}
    names.clear()
    with threads(2):
        by_slabs(note, 8)
    assert len(names) == 2
    assert threading.current_thread().name not in names
    names.clear()
    by_slabs(note, 8)
    assert names == {threading.current_thread().name}


def test_a_slab_that_fails_fails_the_whole() -> None:
    def fail(start: int, _stop: int) -> None:
        if start:
            raise MemoryError

    with threads(2), pytest.raises(MemoryError):
        by_slabs(fail, 8)


def test_less_than_one_thread_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one thread, got 0"), threads(0):
        pass


VOLUME = np.random.default_rng(8).integers(-900, 900, (26, 40, 44)).astype(np.int16)
LARGE = np.random.default_rng(9).integers(-900, 900, (300, 500)).astype(np.int16)
JOBS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "median 3": lambda a: filters.median(a, size_vox=3),
    "median 5": lambda a: filters.median(a, size_vox=5),
    "median 9": lambda a: filters.median(a, size_vox=9),
    "mean": lambda a: filters.mean(a, size_vox=5),
    "Gaussian": lambda a: filters.gaussian(a, sigma_vox=1.5),
    "ball": lambda a: morphology.dilate(a, size_vox=5, footprint="ball"),
    "box": lambda a: morphology.erode(a, size_vox=5),
    "top-hat": lambda a: morphology.top_hat(a, size_vox=5, footprint="ball"),
    "unsharp, in integers": lambda a: filters.unsharp(a, sigma_vox=0.8, out_dtype=np.int16),
    "Laplacian of Gaussian": lambda a: edges.laplacian_of_gaussian(a, sigma_vox=1.0),
    "Canny": lambda a: edges.canny(a, low=20.0, high=60.0, sigma_vox=0.8),
    "CLAHE": lambda a: enhance.clahe(a, tile_vox=16.0),
    "equalised": enhance.equalize,
    "bilateral": lambda a: filters.bilateral(a, sigma_vox=0.6, sigma_value=50.0),
}


@pytest.mark.parametrize("shown", ["volume", "plane", "large plane", "one slice", "few slices", "uint8"])
@pytest.mark.parametrize("job", JOBS)
def test_the_bits_do_not_depend_on_threads(job: str, shown: str) -> None:
    array = {
        "volume": VOLUME,
        "plane": VOLUME[3],
        "large plane": LARGE,
        "one slice": VOLUME[3:4],
        "few slices": VOLUME[:3],
        "uint8": (VOLUME & 255).astype(np.uint8),
    }[shown]
    alone = JOBS[job](array)
    for count in (2, 5):
        with threads(count):
            assert np.array_equal(JOBS[job](array), alone)

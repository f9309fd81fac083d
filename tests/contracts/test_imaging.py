"""Edges, enhancement, classes and anatomy on every kind of input: the same promises for all that are registered."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging import ANATOMY, CLASSIFIERS, EDGES, ENHANCERS, segment
from tests.contracts.test_features import INPUTS

EVERYTHING = {**EDGES, **ENHANCERS, **CLASSIFIERS, **ANATOMY}
OPTIONS: dict[str, dict[str, Any]] = {
    "laplacian_of_gaussian": {"sigma_mm": 0.8},
    "canny": {"sigma_mm": 0.8, "low": 5.0, "high": 20.0},
    "window": {"centre": 100.0, "width": 150.0},
    "clahe": {"tile_mm": 5.0},
    "n4": {"shrink": 1, "iterations": (3,)},
}
DTYPES = {"canny": np.bool_, **dict.fromkeys(ANATOMY, np.bool_), **dict.fromkeys([*CLASSIFIERS, "window"], np.uint8)}
KEEPS = {"equalize", "clahe"}
FAULTS = {"empty_mask", "no_pixels", "not_finite"}


def _outcome(call: Callable[[], Image]) -> Image | str:
    """The image, or the code of the fault."""
    try:
        return call()
    except ItemError as problem:
        return problem.code


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", EVERYTHING)
def test_operations_keep_grid_and_input_and_are_deterministic(name: str, kind: str) -> None:
    array = INPUTS[kind]
    image = Image(array, Geometry((3.0, 0.8, 0.7)[-array.ndim :]), kind="ct", unit="HU")
    before = array.copy()
    first, second = (_outcome(lambda: EVERYTHING[name](image, **OPTIONS.get(name, {}))) for _ in range(2))
    assert np.array_equal(array, before, equal_nan=before.dtype.kind == "f")
    if not isinstance(first, Image) or not isinstance(second, Image):
        assert first == second
        assert first in FAULTS
        assert name not in EDGES
        return
    floats = first.array.dtype.kind == "f"
    assert np.array_equal(first.array, second.array, equal_nan=floats)
    assert (first.array.shape, first.geometry) == (array.shape, image.geometry)
    assert first.array.dtype == (array.dtype if name in KEEPS else DTYPES.get(name, np.float32))
    assert not np.shares_memory(first.array, array)


@pytest.mark.parametrize("kind", [k for k, a in INPUTS.items() if a.size])
@pytest.mark.parametrize("name", EDGES)
def test_a_constant_image_has_no_edges(name: str, kind: str) -> None:
    result = EDGES[name](np.full_like(INPUTS[kind], 100), **OPTIONS.get(name, {}))
    # float32 weights do not add up to exactly nothing
    assert np.all(np.abs(result) < 1e-3)


@pytest.mark.parametrize("name", EVERYTHING)
def test_operations_pickle_and_say_where_they_come_from(name: str) -> None:
    function = EVERYTHING[name]
    assert pickle.loads(pickle.dumps(function)) is function
    text = inspect.getdoc(function) or ""
    assert "References\n----------" in text
    assert "Examples\n--------" in text
    assert "unit" in text or "mm" in text or "uint8" in text
    _, *options = inspect.signature(function).parameters.values()
    assert all(option.kind is inspect.Parameter.KEYWORD_ONLY for option in options)


def _seeded(array: np.ndarray) -> dict[str, Callable[[Image], Image]]:
    """Operations that need a second input, each with one of the image's shape."""
    marks = np.zeros(array.shape, np.uint8)
    flat = marks.reshape(-1)
    flat[:1], flat[-1:] = 1, 2
    half = np.arange(array.size).reshape(array.shape) < array.size / 2
    return {
        "grow": lambda i: segment.grow(i, seeds_vox=[(0,) * array.ndim], low=-1.0, high=150.0),
        "watershed": lambda i: segment.watershed(i, markers=marks),
        "random_walker": lambda i: segment.random_walker(i, markers=marks),
        "chan_vese": lambda i: segment.chan_vese(i, initial=half, iterations=3),
        "geodesic": lambda i: segment.geodesic(i, initial=half, sigma_mm=1.0, edge=10.0, iterations=3),
        "components": segment.components,
        "largest_component": segment.largest_component,
    }


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", _seeded(np.zeros((2, 2))))
def test_operations_with_a_second_input_keep_the_promises_too(name: str, kind: str) -> None:
    array = INPUTS[kind]
    image = Image(array, Geometry((3.0, 0.8, 0.7)[-array.ndim :]), kind="ct", unit="HU")
    before, run = array.copy(), _seeded(array)[name]
    first, second = (_outcome(lambda: run(image)) for _ in range(2))
    assert np.array_equal(array, before, equal_nan=before.dtype.kind == "f")
    if not isinstance(first, Image) or not isinstance(second, Image):
        assert first == second
        assert first in FAULTS
        return
    assert np.array_equal(first.array, second.array)
    assert (first.array.shape, first.geometry, first.unit) == (array.shape, image.geometry, "label")
    assert first.array.dtype == (np.int32 if name in ("watershed", "random_walker", "components") else np.bool_)

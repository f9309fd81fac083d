"""Every registered operation of morphology and on masks, on every kind of input: the same promises for all."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.imaging import MASK_OPERATIONS, MORPHOLOGY
from tests.contracts.test_features import INPUTS

EVERYTHING = {**MORPHOLOGY, **MASK_OPERATIONS}
OPTIONS: dict[str, dict[str, Any]] = {
    "remove_small": {"least_mm": 2.0},
    "fill_holes": {},
    "skeleton": {},
    "distance_map": {},
}
GREY = {"radius_mm": 1.0, "footprint": "ball"}
RESULTS = {"remove_small": np.bool_, "fill_holes": np.bool_, "skeleton": np.bool_, "distance_map": np.float32}


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", EVERYTHING)
def test_operations_keep_grid_and_input_and_are_deterministic(name: str, kind: str) -> None:
    array, options = INPUTS[kind], OPTIONS.get(name, GREY)
    image = Image(array, Geometry((3.0, 0.8, 0.7)[-array.ndim :]), kind="ct", unit="HU")
    before = array.copy()
    first, second = (EVERYTHING[name](image, **options) for _ in range(2))
    floats = first.array.dtype.kind == "f"
    assert np.array_equal(array, before, equal_nan=before.dtype.kind == "f")
    assert np.array_equal(first.array, second.array, equal_nan=floats)
    assert (first.array.shape, first.geometry) == (array.shape, image.geometry)
    assert first.array.dtype == RESULTS.get(name, array.dtype)
    assert not np.shares_memory(first.array, array)
    alone = EVERYTHING[name](array, **options, spacing=image.geometry.spacing)
    assert np.array_equal(alone, first.array, equal_nan=floats)


@pytest.mark.parametrize("kind", [k for k, a in INPUTS.items() if a.size])
@pytest.mark.parametrize("name", MORPHOLOGY)
def test_a_constant_image_has_no_edges_and_no_parts(name: str, kind: str) -> None:
    constant = np.full_like(INPUTS[kind], 100)
    result = MORPHOLOGY[name](constant, radius_mm=2.0, footprint="ball")
    assert np.all(result == (0 if name in ("gradient", "top_hat", "black_hat") else 100))


@pytest.mark.parametrize("name", EVERYTHING)
def test_operations_pickle_and_say_where_they_come_from(name: str) -> None:
    function = EVERYTHING[name]
    assert pickle.loads(pickle.dumps(function)) is function
    text = inspect.getdoc(function) or ""
    assert "References\n----------" in text
    assert "Examples\n--------" in text
    _, *options = inspect.signature(function).parameters.values()
    assert all(option.kind is inspect.Parameter.KEYWORD_ONLY for option in options)

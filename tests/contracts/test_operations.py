"""No operation behind a step escapes the batteries: what the others do not run is run here, on every kind of input."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.stages import STAGES
from radlake.imaging.steps import Made
from tests.contracts import test_features, test_imaging, test_morphology, test_responses
from tests.contracts.test_features import INPUTS

OPERATIONS: dict[str, Callable[..., Image]] = {
    name: stage.function.operation for name, stage in STAGES.items() if isinstance(stage.function, Made)
}
ELSEWHERE = {
    *test_features.FILTERS.values(),
    *test_features.SEGMENTERS.values(),
    *test_responses.RESPONSES.values(),
    *test_morphology.EVERYTHING.values(),
    *test_imaging.EVERYTHING.values(),
}
SEEDED = {f"segment.{name}" for name in ("grow", "watershed", "random_walker", "chan_vese", "geodesic")}
LABELS = {"mask.components", "mask.largest_component"}
REST = [n for n, operation in OPERATIONS.items() if operation not in ELSEWHERE and n not in SEEDED | LABELS]
# what may be wrong with an image, by code; everything else is a fault of the operation
FAULTS = {"empty_mask", "no_pixels", "not_finite", "outside", "too_large", "misaligned_mask", "not_registered"}


def _reference(image: Image) -> Image:
    """Another image with as many axes, that lies a little beside."""
    sides = (4, 5, 6)[-image.geometry.ndim :]
    array = np.arange(np.prod(sides), dtype=np.float32).reshape(sides)
    return Image(array, replace(image.geometry, origin=(0.5, 0.0, 0.0)), kind="ct", unit="HU")


def _arguments(name: str, image: Image) -> tuple[list[Image], dict[str, Any]]:
    """A second image and options with which an operation can run."""
    axes, shape = image.geometry.ndim, image.array.shape
    inside = Image(np.arange(image.array.size).reshape(shape) % 3 == 0, image.geometry, kind="label")
    options: dict[str, dict[str, Any]] = {
        "edges.gradient": {"axis": 0},
        "enhance.nyul": {"percentiles": [1, 50, 99], "scale": [0, 50, 100]},
        "resample.to_spacing": {"spacing_mm": 1.3},
        "resample.crop": {"start": (0,) * axes, "stop": tuple(max(1, n - 1) for n in shape)},
        "resample.crop_to": {"mask": inside, "margin_mm": 1.0},
        "resample.pad": {"before": (1,) * axes, "after": (2,) * axes},
        "resample.reorient": {"axes": "SPL"},
        "resample.register": {"levels": (1,)},
    }
    second = "reference" in inspect.signature(OPERATIONS[name]).parameters or name == "resample.register"
    return [_reference(image)] if second else [], options.get(name, {})


def _outcome(name: str, image: Image) -> Image | str:
    """The result, or what kept it from being one."""
    others, options = _arguments(name, image)
    try:
        return OPERATIONS[name](image, *others, **options)
    except ItemError as problem:
        return problem.code


def test_the_rest_is_what_other_batteries_leave_out() -> None:
    assert {n for n in OPERATIONS if n.startswith(("filter.", "morphology."))}.isdisjoint(REST)
    assert set(test_imaging._seeded(np.zeros((2, 2)))) == {n.split(".")[1] for n in SEEDED | LABELS}
    assert set(OPERATIONS) >= SEEDED | LABELS


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", REST)
def test_the_input_stays_and_the_result_is_determined(name: str, kind: str) -> None:
    array = INPUTS[kind]
    image = Image(array, Geometry((3.0, 0.8, 0.7)[-array.ndim :]), kind="ct", unit="HU")
    if (name == "resample.reorient" and array.ndim == 2) or (name == "resample.crop" and not array.size):
        with pytest.raises(ValueError, match="expected"):  # a plane has no orientation, nothing has no corners
            _outcome(name, image)
        return
    before = array.copy()
    first, second = (_outcome(name, image) for _ in range(2))
    assert np.array_equal(array, before, equal_nan=before.dtype.kind == "f")
    if not isinstance(first, Image) or not isinstance(second, Image):
        assert first == second
        assert first in FAULTS
        return
    assert first.geometry == second.geometry
    assert first.geometry.ndim == image.geometry.ndim
    assert np.array_equal(first.array, second.array, equal_nan=first.array.dtype.kind == "f")
    assert not np.shares_memory(first.array, array)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_pickles_and_says_where_it_comes_from(name: str) -> None:
    function = OPERATIONS[name]
    assert pickle.loads(pickle.dumps(function)) is function
    text = inspect.getdoc(function) or ""
    assert "References\n----------" in text
    assert "Examples\n--------" in text

"""Response maps on every kind of input: the same promises for all that are registered."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging import RESPONSES
from tests.contracts.test_features import INPUTS

OPTIONS: dict[str, dict[str, Any]] = {
    "laplacian_of_gaussian": {"sigma_mm": 1.0},
    "laws": {"kernels": "L5E5", "pooling": "max", "energy_vox": 2},
    "gabor": {"sigma_mm": 1.5, "wavelength_mm": 3.0},
    "wavelet": {"bands": "LH", "level": 2, "pooling": "average"},
    "simoncelli": {"level": 2},
    "riesz": {"order": (1, 1), "level": 1},
}
FINITE = {"gabor", "simoncelli", "riesz"}


def _outcome(call: Callable[[], Image]) -> Image | str:
    """The image, or the code of the fault."""
    try:
        return call()
    except ItemError as problem:
        return problem.code


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", RESPONSES)
def test_responses_keep_grid_and_input_and_are_deterministic(name: str, kind: str) -> None:
    array = INPUTS[kind]
    image = Image(array, Geometry((3.0, 0.8, 0.7)[-array.ndim :]), kind="ct", unit="HU")
    before = array.copy()
    first, second = (_outcome(lambda: RESPONSES[name](image, **OPTIONS[name])) for _ in range(2))
    assert np.array_equal(array, before, equal_nan=before.dtype.kind == "f")
    if not isinstance(first, Image) or not isinstance(second, Image):
        assert first == second == "not_finite"
        assert name in FINITE
        assert not np.isfinite(array).all()
        return
    assert np.array_equal(first.array, second.array, equal_nan=True)
    assert (first.array.shape, first.geometry) == (array.shape, image.geometry)
    assert first.array.dtype == np.float32
    assert not np.shares_memory(first.array, array)
    alone = RESPONSES[name](array, **OPTIONS[name], spacing=image.geometry.spacing)
    assert np.array_equal(alone, first.array, equal_nan=True)


@pytest.mark.parametrize("kind", [k for k, a in INPUTS.items() if a.size])
@pytest.mark.parametrize("name", [n for n in RESPONSES if n not in ("gabor", "laplacian_of_gaussian")])
def test_a_constant_image_has_no_texture(name: str, kind: str) -> None:
    response = RESPONSES[name](np.full_like(INPUTS[kind], 100), **OPTIONS[name])
    # float32 weights do not add up to exactly nothing
    assert np.all(np.abs(response) < 1e-3)


@pytest.mark.parametrize("name", RESPONSES)
def test_planes_of_a_volume_are_filtered_one_by_one(name: str) -> None:
    volume = INPUTS["volume float32"]
    options = OPTIONS[name] | ({"by_plane": True} if name in ("laplacian_of_gaussian", "simoncelli") else {})
    together = RESPONSES[name](volume, spacing=(3.0, 0.8, 0.7), **options)
    alone = RESPONSES[name](volume[2], spacing=(0.8, 0.7), **OPTIONS[name])
    assert np.array_equal(together[2], alone)


@pytest.mark.parametrize("name", RESPONSES)
def test_responses_pickle_and_say_where_they_come_from(name: str) -> None:
    function = RESPONSES[name]
    assert pickle.loads(pickle.dumps(function)) is function
    text = inspect.getdoc(function) or ""
    assert "References\n----------" in text
    assert "Examples\n--------" in text
    assert "unit of the input" in text or "unit of that" in text
    _, *options = inspect.signature(function).parameters.values()
    assert all(option.kind is inspect.Parameter.KEYWORD_ONLY for option in options)

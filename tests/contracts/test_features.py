"""Every registered filter, segmenter and feature family on every kind of input: the same promises for all."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from radlake.core.fault import ItemError, Term
from radlake.core.image import Geometry, Image
from radlake.features import FAMILIES, extract
from radlake.features.names import FEATURES
from radlake.features.roi import Roi, region_of_interest
from radlake.imaging import FILTERS, SEGMENTERS

RNG = np.random.default_rng(11)
BASE = RNG.integers(0, 200, (5, 9, 11))
INPUTS: dict[str, np.ndarray] = {
    **{f"volume {t.__name__}": BASE.astype(t) for t in (np.uint8, np.int8, np.int16, np.uint16, np.int32, np.float32)},
    "plane float64": BASE[0].astype(np.float64),
    "plane uint8": BASE[1].astype(np.uint8),
    "constant": np.full((4, 5, 6), 7, np.int16),
    "one voxel": np.array([[[3]]], np.int16),
    "one row": BASE[:1, :1].astype(np.int16),
    "not contiguous": BASE.astype(np.int16)[::2, ::-1, ::3],
    "fortran order": np.asfortranarray(BASE.astype(np.float32)),
    "read only": BASE.astype(np.int16).copy(),
    "read only float32": BASE.astype(np.float32),
    "NaN": np.where(BASE > 190, np.nan, BASE),
    "infinite": np.where(BASE > 190, np.inf, BASE),
    "empty": np.zeros((0, 4, 4), np.int16),
}
for kind in ("read only", "read only float32"):
    INPUTS[kind].flags.writeable = False
LENGTHS: dict[str, dict[str, float]] = {
    "gaussian": {"sigma_mm": 1.0},
    "mean": {"radius_mm": 1.0},
    "median": {"radius_mm": 1.0},
    "unsharp": {"sigma_mm": 1.0},
    "bilateral": {"sigma_mm": 1.0, "sigma_value": 50.0},
    "non_local_means": {"patch_radius_mm": 1.0, "search_radius_mm": 3.0, "strength": 50.0},
    "anisotropic_diffusion": {"slope": 30.0},
}


def _image(array: np.ndarray) -> Image:
    return Image(array, Geometry((3.0, 0.8, 0.7)[-array.ndim :]), kind="ct", unit="HU")


def _masks(array: np.ndarray) -> Iterator[np.ndarray]:
    yield np.ones(array.shape, bool)
    yield np.random.default_rng(5).random(array.shape) > 0.5
    single = np.zeros(array.shape, bool)
    single[(0,) * array.ndim] = True
    yield single
    yield np.zeros(array.shape, bool)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Image):
        return bool(np.array_equal(a.array, b.array, equal_nan=a.array.dtype.kind == "f")) and a.geometry == b.geometry
    return bool(a == b)


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ItemError as problem:
        return problem.code


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", FILTERS)
def test_filters_keep_grid_and_input_and_are_deterministic(name: str, kind: str) -> None:
    image = _image(INPUTS[kind])
    before = image.array.copy()
    first, second = (FILTERS[name](image, **LENGTHS[name]) for _ in range(2))
    assert np.array_equal(image.array, before, equal_nan=before.dtype.kind == "f")
    assert _same(first, second)
    assert (first.array.shape, first.geometry, first.kind, first.unit) == (before.shape, image.geometry, "ct", "HU")
    assert not np.shares_memory(first.array, image.array)
    array = FILTERS[name](image.array, **LENGTHS[name], spacing=image.geometry.spacing)
    assert np.array_equal(array, first.array, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize("kind", [k for k, a in INPUTS.items() if a.size and a.dtype.kind != "f"])
@pytest.mark.parametrize("name", FILTERS)
def test_filters_leave_a_constant_alone_and_rescale_nothing(name: str, kind: str) -> None:
    array = np.full_like(INPUTS[kind], 100)
    # float32 weights do not add up to exactly one
    assert np.allclose(FILTERS[name](_image(array), **LENGTHS[name]).array, 100, rtol=1e-6)


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", SEGMENTERS)
def test_segmenters_give_a_mask_or_a_fault(name: str, kind: str) -> None:
    image = _image(INPUTS[kind])
    before = image.array.copy()
    first, second = (_outcome(lambda: SEGMENTERS[name](image)) for _ in range(2))
    assert np.array_equal(image.array, before, equal_nan=before.dtype.kind == "f")
    assert _same(first, second)
    if isinstance(first, Image):
        assert first.array.dtype == np.bool_
        assert first.array.any()
        assert first.array.shape == before.shape
    else:
        assert first == "empty_mask"
        finite = before[np.isfinite(before)]
        assert finite.size == 0 or np.ptp(finite) == 0


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", FAMILIES)
def test_families_give_values_or_reasons_or_a_fault(name: str, kind: str) -> None:
    image = _image(INPUTS[kind])
    before = image.array.copy()
    if before.size == 0:
        with pytest.raises(ItemError, match="no voxel"):
            extract(image, np.zeros(before.shape, bool), families=(name,))
        return
    for mask in _masks(image.array):
        held = mask.copy()
        first, second = (_outcome(lambda m=mask: _values(name, image, m)) for _ in range(2))
        assert np.array_equal(mask, held)
        assert np.array_equal(image.array, before, equal_nan=before.dtype.kind == "f")
        assert first == second
        if isinstance(first, str):
            assert first == ("not_finite" if mask.any() else "empty_mask")
            assert not mask.any() or not np.isfinite(before[mask]).all()
            continue
        for feature, value in first.items():
            assert feature in FEATURES
            assert isinstance(value, Term) or np.isfinite(value), feature


def _values(name: str, image: Image, mask: np.ndarray) -> dict[str, float | Term]:
    return FAMILIES[name].function(region_of_interest(image, mask))


INWARD = [name for name, family in FAMILIES.items() if not family.looks_around]


@pytest.mark.parametrize("name", INWARD)
def test_families_do_not_depend_on_where_the_region_lies(name: str) -> None:
    image, mask = BASE.astype(np.int16), BASE > 60
    shifted = [np.pad(a, ((3, 1), (7, 0), (2, 5))) for a in (image, mask)]
    spacing = (2.0, 0.7, 0.9)
    here = extract(image, mask, families=(name,), spacing=spacing)
    assert here.equals(extract(*shifted, families=(name,), spacing=spacing))


@pytest.mark.parametrize("name", INWARD)
def test_families_do_not_look_outside_the_region(name: str) -> None:
    mask = BASE > 60
    noisy = np.where(mask, BASE, 31000).astype(np.int16)
    clean = np.where(mask, BASE, -5).astype(np.int16)
    spacing = (2.0, 0.7, 0.9)
    tables = [extract(a, mask, families=(name,), spacing=spacing) for a in (noisy, clean)]
    assert tables[0].equals(tables[1])


EVERYTHING: dict[str, Callable[..., Any]] = {
    **FILTERS,
    **SEGMENTERS,
    **{n: f.function for n, f in FAMILIES.items()},
    "extract": extract,
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_everything_pickles_and_says_where_it_comes_from(name: str) -> None:
    function = EVERYTHING[name]
    assert pickle.loads(pickle.dumps(function)) is function
    text = inspect.getdoc(function) or ""
    assert "References\n----------" in text
    assert "Examples\n--------" in text
    assert "unit" in text or "mm" in text or "bool" in text


@pytest.mark.parametrize("name", {**FILTERS, **SEGMENTERS})
def test_options_are_keyword_only(name: str) -> None:
    _, *options = inspect.signature(EVERYTHING[name]).parameters.values()
    assert all(option.kind is inspect.Parameter.KEYWORD_ONLY for option in options)


def test_a_roi_without_range_shares_its_mask() -> None:
    mask = np.ones((2, 2), bool)
    assert np.shares_memory(Roi(mask, (1.0, 1.0)).intensity_mask(), mask)

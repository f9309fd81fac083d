"""One image through one step without a lake."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.core.image import Geometry, Image
from radlake.engine.one import Unfit, apply, parse, steps_of, usage
from radlake.engine.parameters import BadParameter
from radlake.engine.registry import UnknownName
from radlake.imaging import filters

IMAGE = Image(
    np.random.default_rng(3).integers(0, 900, (6, 20, 18)).astype(np.int16), Geometry((3.0, 1.0, 1.0)), "ct", "HU"
)


def test_a_filter_gives_what_its_function_gives() -> None:
    result = apply("filter", "gaussian", IMAGE, {"sigma_mm": 2})
    np.testing.assert_array_equal(result.array, filters.gaussian(IMAGE, sigma_mm=2.0).array)
    assert result.geometry == IMAGE.geometry


def test_a_segmentation_gives_a_mask_on_the_same_grid() -> None:
    mask = apply("segment", "otsu", IMAGE, {})
    assert mask.array.dtype == np.bool_
    assert (mask.array.shape, mask.geometry) == (IMAGE.array.shape, IMAGE.geometry)


def test_wrong_names_and_values_are_met_with_advice() -> None:
    with pytest.raises(UnknownName, match="did you mean 'median'"):
        apply("filter", "medan", IMAGE, {})
    with pytest.raises(UnknownName, match="did you mean 'sigma_mm'"):
        apply("filter", "gaussian", IMAGE, {"sigma_m": 2})
    with pytest.raises(BadParameter, match="must be a number"):
        apply("filter", "gaussian", IMAGE, {"sigma_mm": "wide"})
    with pytest.raises(UsageError, match="inside a pipeline"):
        apply("filter", "gaussian", IMAGE, {"to": "other"})
    with pytest.raises(UsageError, match="pairs such as"):
        parse(["--radius-mm"])


def test_an_image_that_a_step_cannot_use_is_told_with_a_hint() -> None:
    with pytest.raises(Unfit, match="holds no voxel; the image is constant"):
        apply("segment", "otsu", IMAGE.with_array(np.zeros_like(IMAGE.array)), {})


def test_every_step_is_listed_with_its_parameters() -> None:
    text = usage("filter")
    for name, step in steps_of("filter").items():
        assert f"{name}: " in text
        assert all(f"--{p.replace('_', '-')} " in text for p in step.parameters if p not in ("image", "to"))

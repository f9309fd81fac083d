"""Settings by name or one by one, and resampling of images and arrays alike."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.features.discretise import Binning
from radlake.features.presets import PRESETS, Settings, resampled, settings_of

RNG = np.random.default_rng(1)
IMAGE = RNG.integers(-50, 50, (4, 6, 8)).astype(np.int16)
MASK = RNG.integers(0, 2, (4, 6, 8)).astype(np.uint8)
SPACING = (3.0, 1.5, 1.0)


def test_single_options_become_settings() -> None:
    found = settings_of(None, {"bin_width": 25, "aggregations": ["2D_avg"], "outlier_sigma": 3})
    assert found == Settings(("2D_avg",), Binning(bin_width=25), outlier_sigma=3)
    assert settings_of(None, {}) == Settings()


def test_what_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="unknown aggregation '4D'; known: 2D_avg"):
        settings_of(None, {"aggregations": ["4D"]})  # type: ignore[list-item]
    with pytest.raises(ValueError, match="unknown preset 'c'"):
        settings_of("c", {})
    with pytest.raises(TypeError, match="bin_size"):
        settings_of(None, {"bin_size": 3})  # type: ignore[typeddict-unknown-key]


def test_without_a_spacing_nothing_is_touched() -> None:
    found = resampled(IMAGE, MASK, PRESETS["ibsi-a"], SPACING)
    assert found[0] is IMAGE
    assert found[1] is MASK


def test_images_and_arrays_are_resampled_alike() -> None:
    settings = PRESETS["ibsi-b"]
    image, mask, spacing = resampled(IMAGE, MASK, settings, SPACING)
    geometry = Geometry(SPACING)
    both = resampled(Image(IMAGE, geometry), Image(MASK, geometry, kind="label"), settings, None)
    assert spacing == (3.0, 2.0, 2.0)
    assert isinstance(both[0], Image)
    assert isinstance(both[1], Image)
    assert both[2] is None
    assert both[0].geometry.spacing == spacing
    assert np.array_equal(both[0].array, np.asarray(image))
    assert np.array_equal(both[1].array, np.asarray(mask))
    mixed = resampled(Image(IMAGE, geometry), MASK, settings, None)
    assert np.array_equal(np.asarray(mixed[1]), np.asarray(mask))
    assert mixed[2] is None


def test_intensities_are_rounded_where_asked_and_planes_take_the_last_axes() -> None:
    image, mask, spacing = resampled(IMAGE[0], MASK[0], PRESETS["ibsi-c"], SPACING[1:])
    assert np.asarray(image).dtype == np.int32
    assert np.asarray(mask).dtype == np.bool_
    assert spacing == (2.0, 2.0)
    plain, _, _ = resampled(IMAGE, MASK, Settings(spacing_mm=(0, 2, 2)), SPACING)
    assert np.asarray(plain).dtype == np.float32


def test_a_mask_alone_can_be_resampled() -> None:
    image, mask, _ = resampled(None, MASK, PRESETS["ibsi-d"], SPACING)
    assert image is None
    assert np.asarray(mask).shape == (6, 5, 4)


def test_millimetres_need_a_spacing() -> None:
    with pytest.raises(ValueError, match="needs spacing"):
        resampled(IMAGE, MASK, PRESETS["ibsi-d"], None)
    pixels = Geometry(SPACING, calibrated=False)
    with pytest.raises(ValueError, match="needs spacing"):
        resampled(Image(IMAGE, pixels), Image(MASK, pixels), PRESETS["ibsi-d"], None)

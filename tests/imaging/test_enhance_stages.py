"""Steps `enhance.*` and `resample.*`: what they leave in the item, and what they leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.core.stage import Item
from radlake.imaging.enhance_stages import STAGES
from radlake.imaging.segment_stages import STAGES as SEGMENT
from tests.imaging.test_stages import _item


def _volume(**options: object) -> Image:
    z, y, x = np.indices((8, 24, 24))
    array = np.where((y - 12) ** 2 + (x - 12) ** 2 < 80, 100 + 4 * x + (y % 3), 5 + z).astype(np.int16)
    return Image(array, Geometry((2.0, 1.0, 1.0)), **options)  # type: ignore[arg-type]


def _run(name: str, item: Item, **parameters: object) -> Image:
    assert STAGES[name].function(item, to="made", **parameters) == []
    return item.images["made"]


@pytest.mark.parametrize("name", ["enhance.equalize", "enhance.clahe"])
def test_contrast_keeps_range_and_dtype(name: str) -> None:
    image = _volume(kind="ct", unit="HU")
    made = _run(name, _item(image))
    assert (made.array.dtype, made.unit) == (np.int16, "a.u.")
    assert made.array.max() <= image.array.max()
    assert not np.array_equal(made.array, image.array)


def test_the_z_score_is_taken_inside_the_mask() -> None:
    item = _item(_volume())
    SEGMENT["segment.li"].function(item)
    made = _run("enhance.z_score", item)
    inside = made.array[item.regions["foreground"][0].mask.array]
    assert abs(inside.mean()) < 1e-4
    item.regions["foreground"] = []
    with pytest.raises(ItemError, match="no voxel"):
        STAGES["enhance.z_score"].function(item)


def test_only_mr_has_a_bias_field() -> None:
    ct, mr = _volume(kind="ct", unit="HU"), _volume(kind="mr")
    assert _run("enhance.n4", _item(ct)) is ct
    assert _run("enhance.n4", _item(mr), shrink=1).array.dtype == np.float32


def test_resampling_follows_the_limit_of_memory() -> None:
    item = _item(_volume())
    assert _run("resample.to_spacing", item, spacing_mm=[4.0, 2.0, 0.0]).array.shape == (4, 12, 24)
    with pytest.raises(ItemError) as problem:
        STAGES["resample.to_spacing"].function(item, spacing_mm=0.001)
    assert problem.value.code == "too_large"


def test_volumes_are_turned_and_slices_stay() -> None:
    image = _volume()
    assert np.array_equal(_run("resample.reorient", _item(image), axes="IPL").array, image.array[::-1])
    plane = Image(image.array[0], Geometry((1.0, 1.0)))
    assert _run("resample.reorient", _item(plane)) is plane

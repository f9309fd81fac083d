from __future__ import annotations

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry
from radlake.formats.raster import picture, picture_image, without_alpha
from radlake.formats.source import Source
from radlake.formats.volume import Volume

FILE = Source("a.png", data=bytes(1000))


def test_a_picture_has_no_spacing_and_a_stack_has_slices() -> None:
    flat = picture(FILE, rows=3, columns=4, samples=1, dtype=np.dtype("u1"))
    assert (flat.shape, flat.axes, flat.geometry.calibrated) == ((3, 4), "yx", False)
    stack = picture(FILE, rows=3, columns=4, samples=3, dtype=np.dtype("u1"), slices=5)
    assert (stack.shape, stack.axes) == ((5, 3, 4, 3), "zyxc")


@pytest.mark.parametrize(("channels", "kept"), [(1, ()), (2, ()), (3, (3,)), (4, (3,))])
def test_opacity_is_dropped(channels: int, kept: tuple[int, ...]) -> None:
    array = np.arange(4 * channels).reshape(2, 2, channels)
    found = without_alpha(array)
    assert found.shape == (2, 2, *kept)
    np.testing.assert_array_equal(found, array[..., 0] if not kept else array[..., :3])


def test_samples_that_contradict_the_header_are_refused() -> None:
    volume = Volume((3, 4), "yx", np.dtype("u1"), Geometry((1.0, 1.0), calibrated=False))
    with pytest.raises(ItemError) as caught:
        picture_image(np.zeros((4, 3), np.uint8), volume, {})
    assert caught.value.code == "undecodable_pixels"

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.formats.labelmap import regions

GRID = Geometry((3.0, 2.0, 1.0), (1.0, 2.0, 3.0))


def code_of(labels: Image, image: Image, **options: int) -> str:
    with pytest.raises(ItemError) as caught:
        regions(labels, image, **options)
    return caught.value.code


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_masks_are_disjoint_and_cover_all_labels(seed: int) -> None:
    array = np.random.default_rng(seed).integers(0, 4, (3, 4, 5))
    array[0, 0, 0] = 1
    found = regions(Image(array, GRID), Image(np.zeros((3, 4, 5)), GRID))
    np.testing.assert_array_equal(sum(mask.astype(int) for _, mask in found), array > 0)
    assert [name for name, _ in found] == [f"label_{v}" for v in np.unique(array) if v]


def test_a_coarser_grid_is_sampled_at_the_nearest_label() -> None:
    labels = np.zeros((1, 2, 2), np.uint8)
    labels[0, 1, 1] = 7
    coarse = Geometry((1.0, 2.0, 2.0), (0.5, 0.5, 0.0))  # each sample covers two by two of the image's
    [(name, mask)] = regions(Image(labels, coarse), Image(np.zeros((1, 4, 4)), Geometry((1.0, 1.0, 1.0))))
    assert name == "label_7"
    np.testing.assert_array_equal(np.argwhere(mask), [[0, 2, 2], [0, 2, 3], [0, 3, 2], [0, 3, 3]])


def test_a_turned_grid_is_followed() -> None:
    array = np.arange(24).reshape(2, 3, 4)
    ras = Geometry((1.0, 1.0, 1.0), (3.0, 2.0, 0.0), ((0, 0, 1), (0, -1, 0), (-1, 0, 0)))
    found = regions(Image(array, ras), Image(np.zeros((2, 3, 4)), Geometry((1.0, 1.0, 1.0))))
    turned = sum(int(name[6:]) * mask for name, mask in found)
    np.testing.assert_array_equal(turned, array[:, ::-1, ::-1])


def test_time_and_colour_of_the_image_are_left_out() -> None:
    image = Image(np.zeros((5, 2, 3, 4, 3)), GRID, time_axis=0, channel_axis=4)
    [(_, mask)] = regions(Image(np.ones((2, 3, 4), np.uint8), GRID), image)
    assert mask.shape == (2, 3, 4)


def test_pictures_of_one_size_need_no_spacing_and_others_do() -> None:
    pixels = Geometry((1.0, 1.0), calibrated=False)
    labels = Image(np.eye(3, dtype=np.uint8), pixels)
    assert regions(labels, Image(np.zeros((3, 3)), pixels))[0][1].sum() == 3
    assert code_of(labels, Image(np.zeros((4, 4)), pixels)) == "misaligned_mask"


def test_labels_outside_the_image_are_misaligned() -> None:
    far = Geometry((1.0, 1.0, 1.0), (500.0, 0.0, 0.0))
    assert code_of(Image(np.ones((2, 2, 2)), far), Image(np.zeros((2, 2, 2)), GRID)) == "misaligned_mask"


def test_labels_that_are_none_are_refused() -> None:
    image = Image(np.zeros((2, 2, 2)), GRID)
    assert code_of(Image(np.zeros((2, 2, 2)), GRID), image) == "empty_mask"
    assert code_of(Image(np.full((2, 2, 2), 0.5), GRID), image) == "unsupported_format"
    assert code_of(Image(np.full((2, 2, 2), np.nan), GRID), image) == "unsupported_format"
    big = Geometry((1.0, 1.0, 1.0))
    assert code_of(Image(np.arange(1000).reshape(10, 10, 10), big), Image(np.zeros((10, 10, 10)), big)) == (
        "unsupported_format"
    )


def test_masks_beyond_the_memory_limit_are_refused() -> None:
    labels = Image(np.arange(8).reshape(2, 2, 2), GRID)
    assert code_of(labels, Image(np.zeros((2, 2, 2)), GRID), memory_bytes=50) == "too_large"

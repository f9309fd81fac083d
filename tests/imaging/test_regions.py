"""Regions that a step keeps: ids, rows, objects."""

from __future__ import annotations

import numpy as np

from radlake.core.image import Geometry, Image
from radlake.formats.nifti import read_mask
from radlake.imaging.regions import keep_regions
from tests.imaging.test_stages import _item


def test_each_mask_has_an_id_of_its_own_a_volume_and_an_object() -> None:
    image = Image(np.zeros((2, 3, 4)), Geometry((2.0, 0.5, 0.5)))
    masks = [image.with_array(np.indices((2, 3, 4))[2] == i, kind="label", unit="label") for i in range(2)]
    item = _item(image)
    rows = [row for _, row in keep_regions(item, "parts", [("left", masks[0]), ("right", masks[1])])]
    assert [row["roi"] for row in rows] == ["left", "right"]
    assert [row["volume_mm3"] for row in rows] == [3.0, 3.0]
    assert len({row["mask_id"] for row in rows}) == 2
    assert len({row["object"] for row in rows}) == 2
    assert read_mask(item.context.objects.get(str(rows[1]["object"]))).array.sum() == masks[1].array.sum()
    again = [row for _, row in keep_regions(_item(image), "parts", [("left", masks[0]), ("right", masks[1])])]
    assert again == rows


def test_nothing_found_is_an_empty_list() -> None:
    item = _item(Image(np.zeros((2, 2)), Geometry((1.0, 1.0))))
    assert keep_regions(item, "none", []) == []
    assert item.regions["none"] == []

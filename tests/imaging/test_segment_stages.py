"""Steps `segment.*`: regions, rows and objects; what is not there is no fault."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.core.schema import to_table
from radlake.imaging.segment_stages import STAGES
from tests.imaging.test_segment_body import _chest
from tests.imaging.test_stages import _item

CHEST, TRUNK, AIR = _chest()


@pytest.mark.parametrize("name", STAGES)
def test_every_step_leaves_regions_and_as_many_rows(name: str) -> None:
    item = _item(CHEST)
    rows = STAGES[name].function(item, to="found")
    assert [row["mask_id"] for _, row in rows] == [region.id for region in item.regions["found"]]
    assert len({row["mask_id"] for _, row in rows}) == len(rows) > 0
    to_table("masks", [row for _, row in rows])


@pytest.mark.parametrize("name", ["segment.multi_otsu", "segment.gaussian_mixture"])
def test_classes_are_regions_from_dark_to_bright_that_fill_the_image(name: str) -> None:
    item = _item(CHEST)
    STAGES[name].function(item, classes=3)
    regions = item.regions["classes"]
    assert [region.roi for region in regions] == ["class_1", "class_2", "class_3"]
    means = [CHEST.array[region.mask.array].mean() for region in regions]
    assert means == sorted(means)
    assert np.array_equal(sum(region.mask.array.astype(int) for region in regions), np.ones(CHEST.array.shape))


def test_body_and_lungs_are_found_on_ct_only() -> None:
    mr = Image(CHEST.array, CHEST.geometry, kind="mr")
    for name in ("body", "lungs"):
        item = _item(mr)
        assert STAGES[f"segment.{name}"].function(item) == []
        assert item.regions[name] == []


def test_a_ct_without_lungs_is_no_fault_but_one_without_a_body_is() -> None:
    head = CHEST.with_array(np.where(TRUNK, 40, -1000).astype(np.int16))
    item = _item(head)
    assert STAGES["segment.lungs"].function(item) == []
    air = CHEST.with_array(np.full(CHEST.array.shape, -1000))
    with pytest.raises(ItemError):
        STAGES["segment.body"].function(_item(air))

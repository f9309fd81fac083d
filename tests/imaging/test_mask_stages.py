"""Steps that compare and join the masks of one image."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.schema import to_table
from radlake.core.stage import Item
from radlake.imaging.consensus import majority, staple
from radlake.imaging.mask_stages import STAGES
from tests.imaging.test_stages import _disc, _item
from tests.imaging.test_steps import _region


def _read_three_times() -> Item:
    item, disc = _item(_disc()), _disc().array > 0
    item.regions["seg"] = [_region(disc, "a"), _region(np.roll(disc, 2, 1), "b"), _region(np.roll(disc, 1, 2), "c")]
    return item


def test_every_pair_of_masks_is_measured_in_millimetres() -> None:
    item = _read_three_times()
    item.regions["mine"] = item.regions["seg"][:1]
    rows = STAGES["mask.agreement"].function(item, mask="mine", reference="seg")
    to_table("agreement", [row for _, row in rows])
    assert [row["reference_id"] for _, row in rows] == ["a", "b", "c"]
    assert rows[0][1]["dice"] == 1.0
    # two samples of 0.5 mm along y, one along x
    assert [row["hausdorff_mm"] for _, row in rows] == [0.0, 1.0, 0.5]


def test_two_empty_masks_are_no_row() -> None:
    item = _item(_disc())
    item.regions["seg"] = [_region(np.zeros((3, 40, 40), bool))]
    assert STAGES["mask.agreement"].function(item, mask="seg", reference="seg") == []


@pytest.mark.parametrize("name", ["mask.majority", "mask.staple"])
def test_a_consensus_is_a_region_a_row_and_an_object(name: str) -> None:
    item = _read_three_times()
    masks = [region.mask for region in item.regions["seg"]]
    [(table, row)] = STAGES[name].function(item, mask="seg")
    to_table(table, [row])
    [region] = item.regions["consensus"]
    expected = majority(masks).array if name.endswith("majority") else staple(masks).probability.array >= 0.5
    assert np.array_equal(region.mask.array, expected)
    item.regions["seg"] = []
    with pytest.raises(ItemError):
        STAGES[name].function(item, mask="seg")

"""Steps `edges.*`: what they leave in the item."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.core.schema import to_table
from radlake.formats.nifti import read_mask
from radlake.imaging import EDGES
from radlake.imaging.edge_stages import STAGES
from tests.imaging.test_stages import _item

STEP = Image(
    np.repeat(np.where(np.arange(20) < 10, 0, 200)[None], 16, axis=0).astype(np.int16), Geometry((0.5, 0.5)), kind="mr"
)


def test_every_edge_filter_has_a_step() -> None:
    assert {f"edges.{name}" for name in EDGES} == set(STAGES)


@pytest.mark.parametrize("name", [n for n in STAGES if n != "edges.canny"])
def test_a_derivative_is_left_as_an_image(name: str) -> None:
    item = _item(STEP)
    assert STAGES[name].function(item, to="made") == []
    options = {"sigma_mm": 1.0} if name.endswith("gaussian") else {}
    expected = EDGES[name.removeprefix("edges.")](STEP, **options)
    assert np.array_equal(item.images["made"].array, expected.array)
    assert np.abs(expected.array).max() > 10


def test_edges_are_left_as_a_region_a_row_and_an_object() -> None:
    item = _item(STEP)
    [(table, row)] = STAGES["edges.canny"].function(item)
    [region] = item.regions["edges"]
    assert (table, row["roi"], row["source"]) == ("masks", "edges", "auto")
    assert row["voxels"] == region.mask.array.sum() > 0
    assert read_mask(item.context.objects.get(row["object"])).array.sum() == row["voxels"]
    to_table("masks", [row])


def test_no_edges_are_no_region() -> None:
    item = _item(STEP.with_array(np.zeros_like(STEP.array)))
    assert STAGES["edges.canny"].function(item) == []
    assert item.regions["edges"] == []

"""Regions in aspects: order, and what a fault costs."""

from __future__ import annotations

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.image import Array
from radlake.features.aspects import aspects_of, shown
from radlake.features.filtered import Filter
from radlake.features.roi import region_of_interest
from radlake.features.subregions import Habitat, Shell

IMAGE = np.arange(48.0).reshape(6, 8)
ROI = region_of_interest(IMAGE, (IMAGE > 9) & (IMAGE % 8 > 1))


def test_aspects_come_in_order_and_one_fault_is_of_one_aspect() -> None:
    aspects = (Filter("mean size_vox=3"), Shell(50, 60), Habitat(1, 2))
    found = list(aspects_of(ROI, aspects))
    assert [aspect for aspect, _ in found] == [None, *aspects]
    assert [isinstance(roi, ItemError) for _, roi in found] == [False, False, True, False]


def test_responses_are_computed_once() -> None:
    responses: dict[Filter, Array] = {}
    one = Filter("mean size_vox=3")
    first = shown(ROI, one, responses)
    assert first.surroundings is responses[one]
    assert shown(ROI, one, responses).surroundings is first.surroundings

"""Steps `filter.*` against noise, for sharpness and for texture: what they leave in the item."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.imaging import FILTERS, RESPONSES, filter_stages, response_stages
from tests.imaging.test_stages import _item

STAGES = {**filter_stages.STAGES, **response_stages.STAGES}
FUNCTIONS = {**FILTERS, **RESPONSES}
NOISE = Image(
    np.random.default_rng(3).normal(100, 20, (6, 12, 14)).astype(np.int16), Geometry((2.0, 0.8, 0.8)), kind="ct"
)


@pytest.mark.parametrize("name", STAGES)
def test_a_step_leaves_what_its_filter_gives_with_the_same_parameters(name: str) -> None:
    item, stage = _item(NOISE), STAGES[name]
    assert stage.function(item, to="made") == []
    parameters = inspect.signature(stage.function).parameters.values()
    defaults: dict[str, Any] = {p.name: p.default for p in parameters if p.name not in ("item", "image", "to")}
    expected = FUNCTIONS[name.removeprefix("filter.")](NOISE, **defaults)
    assert np.array_equal(item.images["made"].array, expected.array)
    assert np.ptp(expected.array) > 0
    assert item.images["original"] is NOISE


def test_every_response_has_a_step() -> None:
    assert {f"filter.{name}" for name in RESPONSES} == set(response_stages.STAGES)

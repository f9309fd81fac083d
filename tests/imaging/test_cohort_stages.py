"""Steps that fit Nyul's scale on a cohort and apply it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.core.schema import to_table
from radlake.core.stage import Item
from radlake.imaging.cohort_stages import STAGES
from radlake.imaging.enhance import Landmarks, apply_nyul, fit_nyul
from tests.imaging.test_stages import Memory, _item
from tests.imaging.test_steps import _region

RNG = np.random.default_rng(8)
BRAINS = [RNG.gamma(3.0, 40.0 * gain, (4, 20, 20)) for gain in (1.0, 2.0, 0.7)]


class Tables:
    """A lake of two tables."""

    def __init__(self, rows: list[dict[str, object]]):
        self.objects = Memory()
        self.held = {"landmarks": to_table("landmarks", rows), "scales": to_table("scales", [])}

    def read(self, table: str) -> pa.Table:
        return self.held[table]

    def replace(self, table: str, data: pa.Table) -> None:
        self.held[table] = data


def _mr(array: np.ndarray) -> Item:
    item = _item(Image(array, Geometry((3.0, 1.0, 1.0)), kind="mr", unit="a.u."))
    item.regions["foreground"] = [_region(array > 50, "foreground")]
    return item


def _landmarks(**options: object) -> list[dict[str, object]]:
    rows = []
    for number, brain in enumerate(BRAINS):
        item = replace(_mr(brain), id=f"im-{number}")
        rows += [row for _, row in STAGES["nyul.landmarks"].function(item, **options)]
    return rows


def test_the_scale_of_a_cohort_is_that_of_its_images_inside_their_masks() -> None:
    lake = Tables(_landmarks()[::-1])
    STAGES["nyul.scale"].function(lake)
    [row] = lake.read("scales").to_pylist()
    expected = fit_nyul(BRAINS, masks=[brain > 50 for brain in BRAINS])
    assert (row["cohort"], row["images"], row["scale"]) == ("nyul", 3, list(expected.scale))
    item = _mr(BRAINS[1])
    item.context.objects.held.update(lake.objects.held)
    assert Landmarks.from_json(json.loads(item.context.objects.get(row["object"]))) == expected
    assert STAGES["nyul.apply"].function(item, scale=row["object"]) == []
    assert np.array_equal(item.images["nyul"].array, apply_nyul(BRAINS[1], expected, mask=BRAINS[1] > 50))


def test_the_order_of_rows_does_not_show_and_other_cohorts_stay() -> None:
    rows = _landmarks(mask=None, percentiles=(5.0, 50.0, 95.0))
    saved = []
    for order in (1, -1):
        lake = Tables([*_landmarks(cohort="t2"), *rows[::order]])
        STAGES["nyul.scale"].function(lake, cohort="t2")
        STAGES["nyul.scale"].function(lake, low=-1.0, high=1.0)
        saved.append({row["cohort"]: row for row in lake.read("scales").to_pylist()})
    assert saved[0] == saved[1]
    assert set(saved[0]) == {"nyul", "t2"}
    assert (saved[0]["nyul"]["scale"][0], saved[0]["nyul"]["scale"][-1]) == (-1.0, 1.0)


def test_images_of_other_kinds_are_left_alone() -> None:
    item = _mr(BRAINS[0])
    item.images["original"] = replace(item.images["original"], kind="ct")
    assert STAGES["nyul.landmarks"].function(item) == []
    STAGES["nyul.apply"].function(item, scale="nowhere")
    assert item.images["nyul"] is item.images["original"]


def test_a_scale_without_images_or_of_mixed_percentiles_is_refused() -> None:
    with pytest.raises(UsageError, match=r"run a study with the step `nyul\.landmarks` first"):
        STAGES["nyul.scale"].function(Tables([]))
    with pytest.raises(UsageError, match="different percentiles"):
        STAGES["nyul.scale"].function(Tables([*_landmarks(), *_landmarks(percentiles=(1.0, 99.0))]))


def test_a_scale_that_is_not_there_is_a_fault() -> None:
    class Empty(Memory):
        def get(self, reference: str) -> bytes:
            raise FileNotFoundError(reference)

    item = _mr(BRAINS[0])
    item.context = replace(item.context, objects=Empty())
    with pytest.raises(ItemError) as problem:
        STAGES["nyul.apply"].function(item, scale="ab/abcd.json")
    assert problem.value.code == "reference_missing"

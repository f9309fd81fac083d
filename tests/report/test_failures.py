"""Thumbnails of the worst cases: only where no text can be in the pixels, with the reason elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from radlake.lake.store import Lake
from radlake.report.chosen import chosen
from radlake.report.failures import failures
from radlake.report.tables import Tables
from tests.report.test_chosen import evidence


def worst(*ids: str) -> Any:
    rows = [{"unit_id": i, "truth": "1", "answer": "0", "said": 0.1} for i in ids]
    return chosen(evidence(worst={"evaluation": rows}))


def test_only_pictures_without_text_are_shown(cohort_tables: Tables, cohort: Lake) -> None:
    found = failures(
        cohort_tables, cohort.objects.get, worst("im-ct00001", "im-us00000", "im-ct00003' OR '1", "im-ct00000"), "image"
    )
    assert [r["id"] for r in found] == ["im-ct00001", "im-us00000", "im-ct00003' OR '1", "im-ct00000"]
    assert [r["picture"][:15] for r in found] == ["data:image/png;", "", "", "data:image/png;"]
    assert [r["hidden"] for r in found][1:3] == ["not shown: pixel text unchecked", "the lake holds no image of it"]


def test_a_region_is_shown_by_its_image(cohort_tables: Tables, cohort: Lake) -> None:
    (row,) = failures(cohort_tables, cohort.objects.get, worst("mk-im-ct00002"), "mask")
    assert row["picture"].startswith("data:image/png")


@pytest.mark.parametrize("choice", [None, worst()])
def test_nothing_wrong_has_no_gallery(choice: Any, cohort_tables: Tables, cohort: Lake) -> None:
    assert failures(cohort_tables, cohort.objects.get, choice, "image") == []

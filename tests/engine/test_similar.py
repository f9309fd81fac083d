"""Neighbours in a lake: who is nearest, what is compared, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radlake.core.errors import UsageError
from radlake.core.schema import to_table
from radlake.engine.similar import NothingAlike, only, similar
from radlake.lake.store import Lake

SIZES = (10.0, 11.0, 13.0, 40.0, 80.0, 90.0)


def _features(k: int, size: float) -> Iterator[dict[str, Any]]:
    common = {"owner": f"im-{k}", "image_id": f"im-{k}", "mask_id": f"mk-{k}", "settings_id": "s1"}
    for name, value in (("morph_volume", size**3), ("morph_diam", size), ("morph_sphericity", 0.9 - k / 100)):
        yield common | {"family": "shape", "name": name, "value": value, "unit": "mm"}
    # of the last series brightness is in another unit: it is another feature
    unit = "HU" if k < 5 else "a.u."
    yield common | {"family": "intensity", "name": "stat_mean", "value": 5.0 * k, "unit": unit}
    yield common | {"family": "glcm", "name": "cm_corr", "value": None, "reason": "one grey level", "unit": "1"}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake.create(tmp_path / "a lake 病", key_fingerprint="1f2e")
    ids = range(len(SIZES))
    patients = ["pt-a", "pt-a", "pt-c", "pt-d", "pt-e", "pt-f"]
    series = [{"owner": f"se-{k}", "series_id": f"se-{k}", "patient_id": patients[k], "modality": "CT"} for k in ids]
    rows = {
        "series": series,
        "images": [s | {"owner": f"im-{k}", "image_id": f"im-{k}"} for k, s in enumerate(series)],
        "masks": [
            {"owner": f"im-{k}", "mask_id": f"mk-{k}", "image_id": f"im-{k}", "source": "seg",
             "roi": "liver" if k == 3 else "tumor"} for k in ids
        ],
        "features": [row for k in ids for row in _features(k, SIZES[k])],
    }  # fmt: skip
    for table, some in rows.items():
        made.replace(table, to_table(table, some))
    return made


def test_the_nearest_come_first_and_only_regions_of_the_same_name(lake: Lake) -> None:
    found = similar(lake, "se-0").to_pylist()
    assert [row["series_id"] for row in found] == ["se-1", "se-2", "se-4", "se-5"]  # se-3 is of a liver
    assert [row["rank"] for row in found] == [1, 2, 3, 4]
    assert [row["same_patient"] for row in found] == [True, False, False, False]
    assert [row["distance"] for row in found] == sorted(row["distance"] for row in found)


def test_what_is_missing_is_counted_and_a_unit_makes_another_feature(lake: Lake) -> None:
    found = {row["series_id"]: row for row in similar(lake, "se-0", families=("shape", "intensity")).to_pylist()}
    assert (found["se-1"]["shared"], found["se-1"]["of"]) == (4, 4)
    assert (found["se-5"]["shared"], found["se-5"]["of"]) == (3, 4)
    assert found["se-4"]["differs_most"] in ("morph_volume", "morph_diam", "stat_mean", "morph_sphericity")


def test_neighbours_can_be_few_and_of_chosen_names(lake: Lake) -> None:
    assert similar(lake, "se-0", most=1)["series_id"].to_pylist() == ["se-1"]
    assert similar(lake, "se-3", rois=["LIV*"]).num_rows == 0
    with pytest.raises(NothingAlike, match="no features of shape"):
        similar(lake, "se-0", rois=["liver"])


def test_a_series_is_named_by_its_beginning_if_no_other_begins_so(lake: Lake) -> None:
    assert only(lake, "se-3") == "se-3"
    with pytest.raises(UsageError, match="fits several"):
        only(lake, "se-")
    with pytest.raises(UsageError, match="is not in the lake"):
        only(lake, "x' OR 1=1 --")


def test_families_that_were_not_measured_are_told_with_those_that_were(lake: Lake) -> None:
    with pytest.raises(NothingAlike, match="has no features of texture; it has: intensity, shape"):
        similar(lake, "se-0", families=("texture",))
    with pytest.raises(NothingAlike, match="no features of glcm"):
        similar(lake, "se-0", families=("glcm",))  # measured, but without any value

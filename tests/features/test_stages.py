"""The step `features`: rows for each region, and a region that cannot be measured costs only its own."""

from __future__ import annotations

import numpy as np

from radlake.core.image import Geometry, Image, Region
from radlake.core.schema import to_table
from radlake.core.stage import Context, Item, Objects
from radlake.features.extract import extract
from radlake.features.stages import STAGES


class Nowhere:
    """A store that the step must not use."""

    def put(self, data: bytes, suffix: str) -> str:
        raise AssertionError

    def get(self, reference: str) -> bytes:
        raise AssertionError


STORE: Objects = Nowhere()
features = STAGES["features"].function


def _item() -> Item:
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    geometry = Geometry((2.0, 1.0, 1.0))
    item = Item("images", "im-test", {}, Context(b"k" * 32, STORE))
    item.images["original"] = Image(array, geometry, kind="ct", unit="HU")
    for name, inside in (("foreground", array > 20), ("seg", array % 2 == 0), ("empty", array < 0)):
        mask = Image(inside, geometry, kind="label", unit="label")
        item.regions[name] = [Region(mask, roi="foreground", source="auto", id=f"mk-{name}")]
    return item


def test_rows_are_those_of_extract_with_ids() -> None:
    item = _item()
    rows = features(item)
    table = to_table("features", [row for _, row in rows])
    expected = extract(item.images["original"], item.regions["foreground"][0].mask)
    assert table["name"].to_pylist() == expected["name"].to_pylist()
    assert table["value"].equals(expected["value"])
    assert set(table["mask_id"].to_pylist()) == {"mk-foreground"}
    assert set(table["owner"].to_pylist()) == set(table["image_id"].to_pylist()) == {"im-test"}


def test_a_star_measures_every_region_and_an_empty_one_says_why() -> None:
    rows = [row for _, row in features(_item(), mask="*")]
    assert {row["mask_id"] for row in rows} == {"mk-foreground", "mk-seg", "mk-empty"}
    empty = [row for row in rows if row["mask_id"] == "mk-empty"]
    assert [row["family"] for row in empty] == ["shape", "intensity"]
    assert all("value" not in row and "no voxel" in row["reason"] for row in empty)
    to_table("features", rows)


def test_nan_inside_a_region_costs_the_statistics_and_leaves_the_shape() -> None:
    item = _item()
    array = item.images["original"].array.astype(np.float32)
    array[2, 3, 4] = np.nan
    item.images["original"] = item.images["original"].with_array(array)
    rows = [row for _, row in features(item)]
    assert {row["name"]: row["value"] for row in rows if row["family"] == "shape"}["morph_vol_approx"] == 78.0
    [broken] = [row for row in rows if row["family"] == "intensity"]
    assert "not finite" in broken["reason"]
    to_table("features", rows)


def test_nothing_segmented_gives_no_rows() -> None:
    item = _item()
    item.regions.clear()
    assert features(item, mask="*") == []


def test_settings_name_the_image_that_was_measured() -> None:
    item = _item()
    item.images["smooth"] = item.images["original"]
    ids = {features(item, image=image)[0][1]["settings_id"] for image in ("original", "smooth")}
    assert len(ids) == 2


def test_the_intensity_range_reaches_the_statistics() -> None:
    rows = [row for _, row in features(_item(), families=["intensity"], intensity_range=[30, 40])]
    values = {row["name"]: row["value"] for row in rows}
    assert (values["stat_min"], values["stat_max"]) == (30.0, 40.0)


def test_texture_families_come_by_name_and_their_settings_differ() -> None:
    item = _item()
    rows = [row for _, row in features(item, families=["glcm", "ngtdm"], aggregations=["2D_avg"], bin_width=5.0)]
    assert {row["name"].rsplit("_2D", 1)[1] for row in rows} == {"_avg", ""}
    expected = extract(
        item.images["original"], item.regions["foreground"][0].mask, families=("glcm", "ngtdm"),
        aggregations=("2D_avg",), bin_width=5.0,
    )  # fmt: skip
    assert [row["value"] for row in rows] == expected["value"].to_pylist()
    other = features(item, families=["glcm", "ngtdm"], aggregations=["2D_avg"], bin_width=6.0)
    assert other[0][1]["settings_id"] != rows[0]["settings_id"]
    to_table("features", rows)


def test_too_narrow_bins_cost_the_texture_and_leave_the_rest() -> None:
    rows = [row for _, row in features(_item(), families=["glszm", "intensity"], bin_width=1e-9)]
    assert "too narrow" in rows[0]["reason"]
    assert len(rows) == 1 + 18


def test_responses_are_measured_too_and_a_filter_that_does_not_fit_says_why() -> None:
    item = _item()
    both = [row for _, row in features(item, filters=["log sigma_mm=1.5"])]
    expected = extract(item.images["original"], item.regions["foreground"][0].mask, filters=["log sigma_mm=1.5"])
    assert [row["name"] for row in both] == expected["name"].to_pylist()
    assert [row["value"] for row in both] == expected["value"].to_pylist()
    assert len({row["settings_id"] for row in both}) == 2
    plane = Image(np.arange(20, dtype=np.int16).reshape(4, 5), Geometry((1.0, 1.0)))
    item.images["original"] = plane
    item.regions["foreground"] = [Region(plane.with_array(plane.array > 5), roi="foreground", source="auto", id="mk")]
    rows = [row for _, row in features(item, filters=["wavelet bands=LLH"])]
    assert sum(row.get("value") is not None for row in rows) > 20
    assert rows[-1]["family"] == "intensity"
    assert rows[-1]["reason"] == "expected an image with 3 axes, found 2"
    to_table("features", rows)

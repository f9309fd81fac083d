"""Synthetic lakes for the report: a small cohort with a study, a large one, and one whose every text is hostile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from radlake.core.schema import TABLES, to_table
from radlake.imaging.preview import png_bytes
from radlake.lake.store import Lake
from radlake.learn.stages import study
from radlake.report.tables import Tables, look

Row = dict[str, Any]
Fill = Callable[[Lake, dict[str, list[Row]]], Lake]

HOSTILE = "<script>alert('x')</script>\"&<img src=http://evil.example/x>"


def fill(lake: Lake, rows: dict[str, list[Row]]) -> Lake:
    """Put rows into the tables of a lake."""
    for table, some in rows.items():
        lake.replace(table, to_table(table, some))
    return lake


def picture(shade: int) -> bytes:
    """A small grey PNG."""
    return png_bytes(np.full((8, 8), shade, np.uint8))


def series_rows(n: int, *, modality: str = "CT", pixel_text: str = "clean") -> dict[str, list[Row]]:
    """Tables of n series with one image each."""
    ids = [f"{modality.lower()}{k:05d}" for k in range(n)]
    common = [{"series_id": f"se-{i}", "study_id": f"st-{i}", "modality": modality} for i in ids]
    return {
        "series": [
            c | {"owner": c["series_id"], "patient_id": f"pt-{i}", "patient_known": True, "images": 1, "instances": 2}
            for c, i in zip(common, ids, strict=True)
        ],
        "images": [
            c
            | {
                "owner": f"im-{i}", "image_id": f"im-{i}", "patient_id": f"pt-{i}", "rows": 8, "columns": 9,
                "slices": 2, "spacing_x": 0.5, "spacing_y": 0.5, "spacing_z": 2.0, "calibrated": True,
                "pixel_text": pixel_text,
            }
            for c, i in zip(common, ids, strict=True)
        ],
    }  # fmt: skip


def cohort_rows(lake: Lake) -> dict[str, list[Row]]:
    """Twelve CT series that may be shown, three ultrasound series that may not, and what stages say about them."""
    rows = series_rows(12)
    for table, more in series_rows(3, modality="US", pixel_text="unchecked").items():
        rows[table] += more
    rows["series"][0] |= {"sex": "F", "age_years": 90.0, "body_part": "CHEST", "manufacturer": "GE"}
    rows["series"][1] |= {"sex": "M", "age_years": 12.0, "body_part": "CHEST", "manufacturer": "SIEMENS"}
    rows["series"][2]["patient_known"] = False
    shown = [r["image_id"] for r in rows["images"] if r["modality"] == "CT"]
    rows["previews"] = [
        {"owner": i, "image_id": i, "object": lake.objects.put(picture(k), ".png"), "width": 8, "height": 8}
        for k, i in enumerate(shown)
    ]
    files = [
        {"file_id": f"fi-{k:02d}", "bytes": 1024, "format": "dicom", "status": "done", "fault_code": None}
        for k in range(30)
    ]
    files[0] |= {"status": "quarantined", "fault_code": "no_pixels", "fault_message": "none", "fault_hint": "export"}
    files[1] |= {"status": "quarantined", "fault_code": "truncated_pixels", "fault_message": "expected 8 bytes"}
    files[2] |= {"status": "quarantined", "fault_code": "truncated_pixels", "fault_message": "expected 9 bytes"}
    files[3] |= {"status": "ignored", "fault_code": "plan_only", "fault_message": "holds a plan", "format": None}
    files[4] |= {"fault_code": "empty_mask"}
    rows["files"] = files
    rows["faults"] = [
        {
            "owner": "im-ct00000", "unit": "image", "unit_id": "im-ct00000", "stage": "segment.otsu",
            "code": "empty_mask", "message": "the mask holds no voxel", "hint": "check", "ignored": False,
        }
    ]  # fmt: skip
    rows["quality"] = [
        {"owner": i, "image_id": f"im-{i}", "series_id": f"se-{i}", "check": c, "level": level, "message": m,
         "fix": "do"}
        for i, c, level, m in (
            ("ct00000", "blur", "info", "sharp"), ("ct00001", "noise", "warning", "noisy"),
            ("ct00001", "missing_slices", "error", "expected 5 slices, found 4"), ("ct00002", "noise", "warning", "n"),
        )
    ]  # fmt: skip
    rows["duplicates"] = [
        {"image_id": f"im-ct0000{k}", "cluster_id": c, "kind": kind, "distance": d, "patient_id": f"pt-ct0000{k}",
         "series_id": f"se-ct0000{k}", "across_patients": across}
        for k, c, kind, d, across in (
            (0, "cl-a", "near", 0.1, True), (1, "cl-a", "near", 0.1, True),
            (2, "cl-b", "exact", 0.0, False), (3, "cl-b", "exact", 0.0, False),
        )
    ]  # fmt: skip
    rows["masks"] = [
        {"owner": i, "mask_id": f"mk-{i}", "image_id": i, "source": "auto", "roi": "foreground", "voxels": 5}
        for i in shown
    ]
    rows["features"] = [
        {"owner": i, "image_id": i, "mask_id": f"mk-{i}", "family": "shape", "code": "RNU0", "name": "morph_volume",
         "value": float(k), "unit": "mm3", "settings_id": "s"}
        for k, i in enumerate(shown)
    ]  # fmt: skip
    rows["features"].append({"owner": "im-x", "mask_id": "mk-x", "family": "shape", "reason": "no voxels"})
    rows["audit"] = [{"owner": "fi-00", "profile": "research", "tag": "PatientName", "action": "removed", "count": 30}]
    steps = [
        {"stage": "deid", "version": 2, "profile": "research"},
        {"stage": "features", "version": 1, "families": ["a", "b"]},
    ]
    rows["chains"] = [{"chain_key": "c0ffee", "unit": "files", "steps": json.dumps(steps), "pipeline": "name: p"}]
    rows["work"] = [
        {"owner": f"fi-{k:02d}", "unit": "file", "chain_key": "c0ffee", "input_key": "k"} for k in range(30)
    ]
    rows["runs"] = [
        {"run_id": "r1", "started": "2030-01-02T03:04:05+00:00", "status": "finished", "engine": "local", "workers": 2,
         "cpu_seconds": 75.0, "wall_seconds": 40.0, "peak_mib": 300.0, "pipeline": "default", "profile": "research",
         "versions": json.dumps({"radlake": "0.1.0"})}
    ]  # fmt: skip
    return rows


def study_rows() -> dict[str, list[Row]]:
    """Sixty patients with two outlined regions each; "size" tells the target, "form" does not."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[Row]] = {"labels": [], "features": []}
    for k in range(120):
        size, form = rng.normal(size=2)
        ill = float(size + 0.5 * rng.normal() > 0)
        key = {"owner": "x", "patient_id": f"pt-{k // 2:02d}"}
        rows["labels"].append(key | {"unit": "mask", "unit_id": f"mk-s{k:03d}", "target": "ill", "value": ill})
        for name, value in (("size", size), ("form", form)):
            rows["features"].append(
                {
                    "owner": "x",
                    "mask_id": f"mk-s{k:03d}",
                    "name": name,
                    "value": value,
                    "unit": "mm",
                    "settings_id": "s",
                }
            )
    return rows


@pytest.fixture
def empty(tmp_path: Path) -> Lake:
    """A lake without rows."""
    return Lake.create(tmp_path / "empty", key_fingerprint="f274-95c4")


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A small cohort with a study."""
    lake = Lake.create(tmp_path_factory.mktemp("report") / "lake", key_fingerprint="f274-95c4")
    rows = cohort_rows(lake)
    for table, more in study_rows().items():
        rows.setdefault(table, []).extend(more)
    fill(lake, rows)
    study(lake, target="ill", baselines=("form",), stratum_by="size", stratum_from=-1, stratum_to=1, folds=3, repeats=2)
    notes = [
        {"owner": "notes", "target": "ill", "stratum": "cohort", "metric": "nodules", "value": 150.0},
        {"owner": "notes", "target": "ill", "stratum": "cohort", "metric": "patients", "value": 70.0},
        {
            "owner": "notes",
            "target": "ill",
            "stratum": "all",
            "metric": "conclusion",
            "note": "It shows what it shows.",
        },
    ]
    lake.replace("scores", pa.concat_tables([lake.read("scores"), to_table("scores", notes)]))
    return lake


@pytest.fixture
def cohort_tables(cohort: Lake) -> Iterator[Tables]:
    """The small cohort, bound for SQL."""
    with look(cohort) as tables:
        yield tables


@pytest.fixture
def empty_tables(empty: Lake) -> Iterator[Tables]:
    """The empty lake, bound for SQL."""
    with look(empty) as tables:
        yield tables


def hostile_rows(lake: Lake) -> dict[str, list[Row]]:
    """The cohort with markup in every text that is not an id or decides what is shown."""
    rows = cohort_rows(lake)
    rows["models"] = [
        {"owner": "o", "model_id": "mo-a", "settings": '{"design": {"unit": "mask"}}', "inputs": '["a"]'},
        {"owner": "o", "model_id": "mo-b", "settings": '{"baseline": true}', "inputs": '["a"]'},
    ]
    rows["scores"] = [
        {"owner": "o", "model_id": "mo-a", "stratum": stratum, "metric": metric, "value": 0.7, "low": 0.6, "high": 0.8,
         "cases": 9, "patients": 9, "note": HOSTILE}
        for stratum in ("all", HOSTILE) for metric in ("auc", f"auc_minus:{HOSTILE}")
    ]  # fmt: skip
    rows["scores"].append({"owner": "o", "metric": "conclusion", "note": HOSTILE})
    rows["curves"] = [
        {"owner": "o", "model_id": "mo-a", "stratum": "all", "curve": kind, "x": x, "y": x}
        for kind in ("roc", "calibration", "decision") for x in (0.0, 1.0)
    ]  # fmt: skip
    fixed = {
        "stratum",
        "metric",
        "curve",
        "status",
        "unit",
        "object",
        "pixel_text",
        "steps",
        "versions",
        "settings",
        "inputs",
        "level",
    }
    for table, some in rows.items():
        texts = {f.name for f in TABLES[table] if pa.types.is_string(f.type) and not f.name.endswith(("_id", "_key"))}
        for row in some:
            row.update(dict.fromkeys(texts - fixed, HOSTILE))
    return rows

"""Findings, files set aside, duplicates."""

from __future__ import annotations

from radlake.report.problems import aside, duplicates, quality
from radlake.report.tables import Tables


def test_findings_are_grouped_gravest_first(cohort_tables: Tables) -> None:
    found = quality(cohort_tables)
    assert [(r["check"], r["level"], r["images"]) for r in found.checks] == [
        ("missing_slices", "error", 1), ("noise", "warning", 2), ("blur", "info", 1),
    ]  # fmt: skip
    assert found.checks[0]["example"] == "expected 5 slices, found 4"
    assert [(r["image_id"], r["errors"], r["warnings"], r["checks"]) for r in found.worst] == [
        ("im-ct00001", 1, 1, "missing_slices, noise"), ("im-ct00002", 0, 1, "noise"),
    ]  # fmt: skip
    assert found.images == {"errors": 1, "warnings": 2}


def test_files_are_grouped_by_fault_and_the_ignored_kept_apart(cohort_tables: Tables) -> None:
    found = aside(cohort_tables)
    assert [(r["code"], r["n"], r["messages"]) for r in found.files] == [
        ("truncated_pixels", 2, 2), ("no_pixels", 1, 1),
    ]  # fmt: skip
    assert [r["code"] for r in found.ignored] == ["plan_only"]
    assert [(r["unit"], r["stage"], r["code"], r["n"]) for r in found.faults] == [
        ("image", "segment.otsu", "empty_mask", 1)
    ]


def test_clusters_across_patients_come_first(cohort_tables: Tables) -> None:
    found = duplicates(cohort_tables)
    assert found.total == {"images": 4, "clusters": 2, "across": 1}
    assert [(r["cluster_id"], r["across"], r["patients"]) for r in found.clusters] == [
        ("cl-a", True, 2), ("cl-b", False, 2),
    ]  # fmt: skip


def test_an_empty_lake_has_no_problems(empty_tables: Tables) -> None:
    assert quality(empty_tables).checks == aside(empty_tables).files == duplicates(empty_tables).kinds == []

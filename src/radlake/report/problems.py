"""What to look at: quality findings, inputs that were set aside, duplicates."""

from __future__ import annotations

from dataclasses import dataclass

from radlake.report.tables import Row, Tables
from radlake.report.wording import CHECKS

_MOST_IMAGES = 20
_MOST_CLUSTERS = 20


@dataclass(frozen=True)
class Quality:
    """Findings by check and level, the images with the gravest ones, and how many images have any."""

    checks: list[Row]
    worst: list[Row]
    images: Row


@dataclass(frozen=True)
class Aside:
    """Files by fault, and the faults of single series and images."""

    files: list[Row]
    ignored: list[Row]
    faults: list[Row]


@dataclass(frozen=True)
class Duplicates:
    """Counts by kind, totals, and the largest clusters, those across patients first."""

    kinds: list[Row]
    total: Row
    clusters: list[Row]


def quality(tables: Tables) -> Quality:
    """Findings of table `quality`."""
    checks = tables.rows("""
        SELECT "check", level, count(*) AS n, count(DISTINCT image_id) AS images, min(fix) AS fix,
               arg_min(message, (image_id, message)) AS example, min(value) AS low, median(value) AS middle,
               max(value) AS high
        FROM quality GROUP BY 1, 2
        ORDER BY CASE level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, n DESC, 1""")
    for row in checks:
        row["words"] = CHECKS.get(row["check"], "")
    worst = tables.rows(f"""
        WITH found AS (
            SELECT image_id, count(*) FILTER (level = 'error') AS errors,
                   count(*) FILTER (level = 'warning') AS warnings,
                   array_to_string(list_sort(list(DISTINCT "check") FILTER (level <> 'info')), ', ') AS checks
            FROM quality GROUP BY 1 HAVING count(*) FILTER (level <> 'info') > 0
            ORDER BY errors DESC, warnings DESC, image_id LIMIT {_MOST_IMAGES})
        SELECT f.*, i.modality, i.series_id FROM found f LEFT JOIN images i USING (image_id)
        ORDER BY errors DESC, warnings DESC, image_id""")
    images = tables.row("""
        SELECT count(DISTINCT image_id) FILTER (level = 'error') AS errors,
               count(DISTINCT image_id) FILTER (level = 'warning') AS warnings FROM quality""")
    return Quality(checks, worst, images)


def aside(tables: Tables) -> Aside:
    """Files that were set aside or hold nothing to keep, and faults of parts."""
    files = tables.rows("""
        SELECT status, fault_code AS code, count(*) AS n, min(fault_message) AS message, min(fault_hint) AS hint,
               count(DISTINCT fault_message) AS messages,
               array_to_string(list_sort(list(DISTINCT format)), ', ') AS formats
        FROM files WHERE status IN ('quarantined', 'ignored') GROUP BY 1, 2 ORDER BY n DESC, 2""")
    faults = tables.rows("""
        SELECT unit, stage, code, count(DISTINCT unit_id) AS n, min(message) AS message, min(hint) AS hint,
               count(DISTINCT message) AS messages
        FROM faults WHERE NOT coalesce(ignored, false) AND unit IN ('series', 'image')
        GROUP BY 1, 2, 3 ORDER BY n DESC, 2, 3, 1""")
    return Aside(
        [r for r in files if r["status"] == "quarantined"], [r for r in files if r["status"] == "ignored"], faults
    )


def duplicates(tables: Tables) -> Duplicates:
    """Clusters of equal pictures."""
    kinds = tables.rows("""
        SELECT kind, count(*) AS images, count(DISTINCT cluster_id) AS clusters
        FROM duplicates GROUP BY 1 ORDER BY 1""")
    total = tables.row("""
        SELECT count(*) AS images, count(DISTINCT cluster_id) AS clusters,
               count(DISTINCT cluster_id) FILTER (across_patients) AS across FROM duplicates""")
    clusters = tables.rows(f"""
        SELECT cluster_id, count(*) AS images, count(DISTINCT series_id) AS series,
               count(DISTINCT patient_id) AS patients, bool_or(coalesce(across_patients, false)) AS across,
               array_to_string(list_sort(list(DISTINCT kind)), ' and ') AS kinds, max(distance) AS distance
        FROM duplicates GROUP BY 1 ORDER BY across DESC, images DESC, cluster_id LIMIT {_MOST_CLUSTERS}""")
    return Duplicates(kinds, total, clusters)

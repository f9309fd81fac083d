"""Distributions of features and the regions they were measured in, aggregated in SQL."""

from __future__ import annotations

from dataclasses import dataclass, field

from radlake.features.names import FEATURES
from radlake.report.figures import histogram
from radlake.report.tables import Row, Tables
from radlake.report.wording import SOURCES, number, plural, span
from radlake.report.wording import unit as printed

_BINS = 24
_FEWEST = 8  # below this a histogram shows single patients rather than a distribution
_MOST_GROUPS = 10

# A group is what can be compared: one modality and one kind of mask. Regions without an image are outlines.
_VALUES = """
    SELECT coalesce(i.modality, 'none') AS modality, coalesce(m.source, 'none') AS source,
           f.family, f.name, f.code, f.unit, f.value
    FROM features f LEFT JOIN images i USING (image_id) LEFT JOIN masks m ON m.mask_id = f.mask_id
    WHERE f.value IS NOT NULL AND isfinite(f.value)"""
_SUMMARY = f"""
    SELECT modality, source, family, name, code, unit, count(*) AS n,
           quantile_cont(value, [0.01, 0.25, 0.5, 0.75, 0.99]) AS q
    FROM ({_VALUES}) GROUP BY ALL"""


@dataclass
class Group:
    """Features of one modality and kind of mask."""

    title: str
    regions: int
    features: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Measures:
    """Groups that are drawn, those that are not, features without a value by reason, masks by source and name."""

    groups: list[Group]
    small: list[Group]
    missing: list[Row]
    masks: list[Row]


def measures(tables: Tables) -> Measures:
    """Histograms of the groups with most regions; axes run from the 1st to the 99th percentile."""
    counts: dict[tuple[str, ...], list[int]] = {}
    for row in tables.rows(_histograms()):
        key = tuple(row[k] for k in ("modality", "source", "family", "name", "unit"))
        counts.setdefault(key, [0] * _BINS)[row["bin"]] = row["n"]
    groups: dict[tuple[str, str], Group] = {}
    for row in tables.rows(f"SELECT * FROM ({_SUMMARY}) ORDER BY ALL"):
        group = groups.setdefault((row["modality"], row["source"]), Group(_title(row), 0))
        group.regions = max(group.regions, row["n"])
        key = tuple(row[k] for k in ("modality", "source", "family", "name", "unit"))
        group.features.append(_feature(row, counts.get(key)))
    order = list(FEATURES)
    for group in groups.values():
        group.features.sort(key=lambda f: (order.index(f["name"]) if f["name"] in FEATURES else len(order), f["unit"]))
    ranked = sorted(groups.values(), key=lambda g: (-g.regions, g.title))
    drawn = [g for g in ranked if any(f["figure"] for f in g.features)][:_MOST_GROUPS]
    return Measures(drawn, [g for g in ranked if g not in drawn], _missing(tables), _masks(tables))


def _histograms() -> str:
    """Counts in bins between the outer percentiles, for groups that are large enough."""
    return f"""
        WITH v AS ({_VALUES}), s AS ({_SUMMARY})
        SELECT v.modality, v.source, v.family, v.name, v.unit, count(*) AS n,
               least({_BINS - 1}, cast(floor((v.value - q[1]) / (q[5] - q[1]) * {_BINS}) AS INTEGER)) AS bin
        FROM v JOIN s ON s.modality = v.modality AND s.source = v.source AND s.name = v.name
            AND s.family IS NOT DISTINCT FROM v.family AND s.unit IS NOT DISTINCT FROM v.unit
        WHERE s.n >= {_FEWEST} AND q[5] > q[1] AND isfinite(q[5] - q[1]) AND v.value BETWEEN q[1] AND q[5]
        GROUP BY ALL ORDER BY ALL"""


def _feature(row: Row, counts: list[int] | None) -> Row:
    """One small multiple: heading, figure and a line of numbers."""
    known = FEATURES.get(row["name"])
    low, first, middle, third, high = row["q"]
    unit = printed(row["unit"])
    title = known.title if known else row["name"]
    figure = ""
    if counts:
        figure = histogram(counts, low, high, title=f"{title}: {plural(row['n'], 'region')}, {span(low, high, unit)}")
    quartiles = f"{number(middle)} [{number(first)}, {number(third)}]"
    return {**row, "title": title, "unit": unit, "figure": figure, "quartiles": quartiles}


def _title(row: Row) -> str:
    """A group in words."""
    source = "" if row["source"] == "none" else SOURCES.get(row["source"], row["source"])
    regions = f"{source} regions".strip()
    return regions if row["modality"] == "none" else f"{row['modality']}, {regions}"


def _missing(tables: Tables) -> list[Row]:
    """Features that have no value, by reason."""
    return tables.rows("""
        SELECT coalesce(reason, 'not stated') AS reason, count(*) AS n, count(DISTINCT mask_id) AS regions
        FROM features WHERE value IS NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT 12""")


def _masks(tables: Tables) -> list[Row]:
    """Masks by source, with the commonest names of their regions."""
    rows = tables.rows("""
        WITH named AS (SELECT source, roi, count(*) AS n,
                              row_number() OVER (w ORDER BY count(*) DESC, roi) AS place
                       FROM masks GROUP BY source, roi WINDOW w AS (PARTITION BY source))
        SELECT source, cast(sum(n) AS BIGINT) AS n, count(*) AS names,
               array_to_string(list(coalesce(roi, 'unnamed') ORDER BY place) FILTER (place <= 6), ', ') AS rois
        FROM named GROUP BY 1 ORDER BY n DESC, 1""")
    for row in rows:
        row["words"] = SOURCES.get(row["source"], row["source"])
    return rows

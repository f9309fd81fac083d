"""Series of a lake that are most like one of them, by the numbers in its table `features`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from radlake.core.errors import RadlakeError, UsageError
from radlake.engine.rois import fits, listed
from radlake.features.similar import distances, most_different, robust_scaling
from radlake.lake.store import Lake

FAMILIES = ("shape", "intensity")
SCHEMA = pa.schema(
    [
        ("rank", pa.int64()),
        ("series_id", pa.string()),
        ("patient_id", pa.string()),
        ("modality", pa.string()),
        ("region", pa.string()),  # of the pair that is most alike
        ("distance", pa.float64()),  # robust standard deviations
        ("shared", pa.int64()),  # features that both have
        ("of", pa.int64()),  # features that the series asked for has
        ("differs_most", pa.string()),
        ("same_patient", pa.bool_()),
    ]
)


class NothingAlike(RadlakeError):  # noqa: N818 - names the problem
    """There is nothing to compare the series with; the message says why."""


class _Regions(NamedTuple):
    """Measured regions of a lake: a row each in `keys`, and a table of numbers, NaN where one is missing."""

    keys: list[dict[str, Any]]
    names: list[str]
    families: list[str]
    table: NDArray[np.float64]


def similar(
    lake: Lake,
    series: str,
    *,
    families: Sequence[str] = FAMILIES,
    rois: Sequence[str] = (),
    settings_id: str | None = None,
    most: int = 10,
) -> pa.Table:
    """The series whose regions are most like those of one, nearest first.

    Features are scaled by median and interquartile range over all regions of the lake that were measured by the same
    settings; a feature counts only where it has the same unit. Regions are compared with those of the same source and
    name; of each other series the pair that is most alike counts.

    Parameters
    ----------
    lake : Lake
    series : str
        A series_id, or the beginning of one that fits no other.
    families : sequence of str
        Feature families to compare by.
    rois : sequence of str
        Patterns of names of regions; none: all.
    settings_id : str, optional
        Of the measurement; by default the one that measured most of the series.
    most : int
        How many series to return.

    Returns
    -------
    pyarrow.Table
        Columns as in `SCHEMA`; no row where no other series shares half of the features.

    Raises
    ------
    UsageError
        For a series that is not there or not the only one, or families that were not measured.
    NothingAlike
        When the series has no such features.
    """
    chosen = only(lake, series)
    settings = settings_id or _settings(lake, chosen, families)
    regions = _regions(lake, families, settings, rois)
    own = [k for k, key in enumerate(regions.keys) if key["series_id"] == chosen]
    if not own:
        raise NothingAlike(
            f"the series has no features of {', '.join(families)} by settings {settings}; measure it first"
        )
    found = _nearest(regions, own, chosen)
    rows = sorted(found.values(), key=lambda row: (row["distance"], row["series_id"]))[:most]
    return pa.Table.from_pylist([{**row, "rank": k} for k, row in enumerate(rows, 1)], schema=SCHEMA)


def only(lake: Lake, series: str) -> str:
    """The id of the one series of a lake whose id is this, or begins so.

    Raises
    ------
    UsageError
        When there is none, or there are several.
    """
    known = lake.sql("SELECT DISTINCT series_id FROM series ORDER BY 1")["series_id"].to_pylist()
    fitting = [name for name in known if name == series] or [name for name in known if name.startswith(series)]
    if len(fitting) != 1:
        found = "fits several series: write more of it" if fitting else "is not in the lake; see: select * from series"
        raise UsageError(f"this series {found}")
    return str(fitting[0])


def _settings(lake: Lake, series: str, families: Sequence[str]) -> str:
    """The settings by which most features of a series were measured."""
    rows = lake.sql(
        f"""SELECT f.family, f.settings_id, count(f.value) AS n FROM features f JOIN images i USING (image_id)
        WHERE i.series_id = {_quoted(series)} GROUP BY ALL ORDER BY n DESC, f.settings_id"""
    ).to_pylist()
    wanted = [row for row in rows if row["family"] in families and row["n"]]
    if not wanted:
        there = listed(row["family"] for row in rows if row["n"]) or "none at all"
        raise NothingAlike(f"the series has no features of {', '.join(families)}; it has: {there}")
    return str(wanted[0]["settings_id"])


def _regions(lake: Lake, families: Sequence[str], settings: str, rois: Sequence[str]) -> _Regions:
    """All regions of a lake that were measured by some settings."""
    those = ", ".join(_quoted(name) for name in families)
    long = lake.sql(
        f"""SELECT i.series_id, i.patient_id, i.modality, f.image_id, coalesce(f.mask_id, '') AS mask_id,
            coalesce(m.source, '') AS source, coalesce(m.roi, '') AS roi, f.family, f.name, f.unit, f.value
        FROM features f JOIN images i ON i.image_id = f.image_id LEFT JOIN masks m ON m.mask_id = f.mask_id
        WHERE f.family IN ({those}) AND f.settings_id = {_quoted(settings)} AND f.name IS NOT NULL
        ORDER BY i.series_id, f.image_id, mask_id, f.family, f.name, f.unit"""
    )
    place = ("series_id", "patient_id", "modality", "image_id", "mask_id", "source", "roi")
    rows: dict[tuple[Any, ...], int] = {}
    columns: dict[tuple[str, str, str], int] = {}
    cells = []
    for row in long.to_pylist():
        if rois and not fits(row["roi"], rois, {}):
            continue
        key = tuple(row[name] for name in place)
        column = (row["family"], row["name"], row["unit"] or "")
        value = np.nan if row["value"] is None else row["value"]
        cells.append((rows.setdefault(key, len(rows)), columns.setdefault(column, len(columns)), value))
    table = np.full((len(rows), len(columns)), np.nan)
    for r, c, value in cells:
        table[r, c] = value
    keys = [dict(zip(place, key, strict=True)) for key in rows]
    return _Regions(keys, [name for _, name, _ in columns], [family for family, _, _ in columns], table)


def _nearest(regions: _Regions, own: Sequence[int], chosen: str) -> dict[str, dict[str, Any]]:
    """Of every other series the pair of regions that is most alike."""
    scaled = robust_scaling(regions.table)(regions.table)
    found: dict[str, dict[str, Any]] = {}
    for k in own:
        mine = regions.keys[k]
        like = [
            j
            for j, key in enumerate(regions.keys)
            if key["series_id"] != chosen and (key["source"], key["roi"]) == (mine["source"], mine["roi"])
        ]
        answer = distances(scaled[k], scaled[like], regions.families)
        for j, distance, shared in zip(like, answer.distance.tolist(), answer.shared.tolist(), strict=True):
            key = regions.keys[j]
            if not distance < found.get(key["series_id"], {"distance": np.inf})["distance"]:  # NaN: too little shared
                continue
            odd = most_different(scaled[k], scaled[j])
            found[key["series_id"]] = {
                "series_id": key["series_id"], "patient_id": key["patient_id"], "modality": key["modality"],
                "region": key["roi"] or None, "distance": distance, "shared": shared, "of": answer.total,
                "differs_most": None if odd is None else regions.names[odd],
                "same_patient": key["patient_id"] == mine["patient_id"],
            }  # fmt: skip
    return found


def _quoted(text: str) -> str:
    """A text inside a query."""
    return "'" + text.replace("'", "''") + "'"

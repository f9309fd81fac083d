"""Units of a lake (patients, studies, series, instances) that a raw key stands for, found by their pseudonyms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from radlake.core.stage import Row
from radlake.deid.paths import Place, find_places
from radlake.deid.pseudonyms import accession, patient, unit

On = Literal["patient_id", "accession", "study_uid", "series_uid", "path"]
_ID_COLUMNS = ["series_id", "study_id", "patient_id", "accession_id"]
_FILE_COLUMNS = ["file_id", "member", "instance_id", "series_id", "study_id", "patient_id"]


@dataclass(frozen=True)
class Catalogue:
    """What a lake knows of its units.

    Parameters
    ----------
    instances : pyarrow.Table
        The lake's table.
    masks, images : pyarrow.Table or None
        Needed only for labels of regions.
    sources : pyarrow.Table or None
        `private.sources`; needed only for paths.
    """

    instances: pa.Table
    masks: pa.Table | None = None
    images: pa.Table | None = None
    sources: pa.Table | None = None


class Target(NamedTuple):
    """A unit that a key fits, with what lies above and below it; `files` only where the key was a path."""

    unit: str
    unit_id: str
    patient_id: str | None
    study_id: str | None
    series: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


def key_text(value: Any) -> str:
    """A key as text, whatever type its column was read as: 123.0 is the number 123.

    Examples
    --------
    >>> key_text(123.0), key_text(" 007 "), key_text(None)
    ('123', '007', '')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def find_units(
    values: Iterable[Any], catalogue: Catalogue, *, key: bytes, on: On, issuers: Sequence[str] = ()
) -> dict[str, list[Target]]:
    """Units of the lake that each key fits: none, one, or more where it is ambiguous.

    Parameters
    ----------
    values : iterable
        Raw keys; the result is by `key_text` of them.
    catalogue : Catalogue
        The lake's units.
    key : bytes
        The owner's secret.
    on : {"patient_id", "accession", "study_uid", "series_uid", "path"}
        What the keys are.
    issuers : sequence of str
        Issuers of patient ids that are tried beside none.
    """
    texts = sorted({t for v in values if (t := key_text(v))})
    if on == "path":
        return _by_path(texts, catalogue)
    images = catalogue.instances.filter(pc.equal(catalogue.instances["role"], "image"))
    rows = images.select(_ID_COLUMNS).group_by(_ID_COLUMNS).aggregate([]).to_pylist()
    column = {"patient_id": "patient_id", "accession": "accession_id", "study_uid": "study_id"}.get(on, "series_id")
    by_id: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row[column] is not None:
            by_id[row[column]].append(row)
    found = {}
    for text in texts:
        pseudonyms = dict.fromkeys(_pseudonyms(text, key, on, issuers))
        found[text] = [t for p in pseudonyms if p in by_id for t in _targets(on, by_id[p])]
    return found


def _pseudonyms(text: str, key: bytes, on: On, issuers: Sequence[str]) -> list[str]:
    """Pseudonyms that a raw key can have."""
    if on == "patient_id":
        return [p for issuer in ("", *issuers) if (p := patient(key, text, issuer))]
    if on == "accession":
        return [a] if (a := accession(key, text)) else []
    found = unit(key, "study" if on == "study_uid" else "series", text)
    return [found] if found else []


def _targets(on: On, rows: list[Row]) -> list[Target]:
    """Units behind one pseudonym: the patient, the study (one for each of an accession's studies), the series."""
    level = {"patient_id": "patient", "series_uid": "series"}.get(on, "study")
    by_unit: defaultdict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for row in rows:
        by_unit[row[f"{level}_id"], row["patient_id"]].append(row)
    return [_target(level, members) for members in by_unit.values()]


def _target(level: str, rows: Sequence[Row], files: frozenset[str] = frozenset()) -> Target:
    """The unit of a level that these rows belong to."""
    studies = {r["study_id"] for r in rows}
    return Target(
        level,
        rows[0][f"{level}_id"],
        rows[0]["patient_id"],
        studies.pop() if len(studies) == 1 else None,
        frozenset(r["series_id"] for r in rows),
        files,
    )


def _by_path(texts: list[str], catalogue: Catalogue) -> dict[str, list[Target]]:
    """Units whose files lie at each path."""
    if catalogue.sources is None:
        raise ValueError("paths can only be matched by whoever may read private/sources")
    places = find_places(texts, catalogue.sources.select(["file_id", "uri", "members"]).to_pylist())
    files = {file_id for found in places.values() for p in found for file_id, _ in p.members}
    instances = catalogue.instances.filter(pc.equal(catalogue.instances["role"], "image"))
    at_files = instances.filter(pc.is_in(instances["file_id"], pa.array(sorted(files), pa.string())))
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in at_files.select(_FILE_COLUMNS).to_pylist():
        rows[row["file_id"]].append(row)
    sizes = {
        r["series_id"]: r["series_id_count"]
        for r in instances.group_by("series_id").aggregate([("series_id", "count")]).to_pylist()
    }
    return {
        text: list(dict.fromkeys(t for p in found for t in _at_place(p, rows, sizes))) for text, found in places.items()
    }


def _at_place(place: Place, rows: dict[str, list[Row]], sizes: dict[str, int]) -> list[Target]:
    """The smallest unit that holds everything at one place: instance, series, study or patient; else all patients."""
    members = [
        r for f, ordinal in sorted(place.members, key=str) for r in rows.get(f, []) if ordinal in (None, r["member"])
    ]
    if not members:
        return []
    files = frozenset(r["file_id"] for r in members)
    if len(members) == 1 and sizes[members[0]["series_id"]] > 1:
        return [_target("instance", members, files)]
    for level in ("series", "study", "patient"):
        if len({r[f"{level}_id"] for r in members}) == 1 and members[0][f"{level}_id"] is not None:
            return [_target(level, members, files)]
    by_study: defaultdict[str, list[Row]] = defaultdict(list)
    for row in members:
        by_study[row["study_id"]].append(row)
    return [_target("study", found, files) for found in by_study.values()]

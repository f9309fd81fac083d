"""Erasing a person from a lake: rows, history, objects and report; models that learned from the person are flagged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radlake.core.errors import UsageError
from radlake.deid.keys import fingerprint
from radlake.deid.pseudonyms import patient as pseudonym_of
from radlake.lake.durable import write_bytes
from radlake.lake.erase import erase
from radlake.lake.errors import storage_errors
from radlake.lake.store import Lake

ERASED = "erased.json"  # in a model's folder: from how many people it learned who are gone since
_PREFIX = "pt-"
# Where ids are found; they are erased last, those of files and series at the very end.
_FOUND_IN = ("masks", "images", "file_images", "instances")


@dataclass(frozen=True)
class Forgotten:
    """What was erased.

    Parameters
    ----------
    rows : dict
        Rows by table.
    models : tuple of str
        Models that may have learned from the person; each holds an `erased.json` now.
    sources : tuple of str
        Paths of the person's files: as long as they are in the folders that are taken in, the next run brings them
        back.
    """

    rows: dict[str, int]
    models: tuple[str, ...]
    sources: tuple[str, ...]


def forget(lake: Lake, patient: str, *, key: bytes | None = None, issuer: str | None = None) -> Forgotten:
    """Erase a person; done again, or after it was killed, it ends in the same lake.

    Parameters
    ----------
    lake : Lake
        With its private part.
    patient : str
        The pseudonym; or, with the key, the PatientID.
    key : bytes, optional
        The owner's secret.
    issuer : str, optional
        Issuer of the PatientID, where the files name one.

    Raises
    ------
    UsageError
        When it is no pseudonym and there is no key, or the id is a placeholder that stands for many.
    PrivatePartError
        When the private part is not there: the way back to the person must go too.
    """
    pseudonym = _pseudonym(lake, patient, key, issuer)
    with lake.lock():
        lake.recover()
        ids = _ids(lake, pseudonym)
        sources = lake.read("sources", columns=["file_id", "uri"])
        uris = sources.filter(pc.is_in(sources["file_id"], pa.array(sorted(ids), pa.string())))["uri"].to_pylist()
        models = _flag_models(lake, ids)
        rows = erase(lake, ids, last=_FOUND_IN)
        _remove_report(lake)
    return Forgotten(rows, models, tuple(sorted(uris)))


def _pseudonym(lake: Lake, patient: str, key: bytes | None, issuer: str | None) -> str:
    """The pseudonym of whom to erase."""
    if patient.startswith(_PREFIX):
        return patient
    if key is None:
        raise UsageError("expected a pseudonym such as pt-...; a PatientID needs the key, see --key-file")
    lake.require_key(fingerprint(key))
    found = pseudonym_of(key, patient, issuer)
    if found is None:
        raise UsageError("this PatientID is a placeholder that many people share; name a pseudonym")
    return found


def _ids(lake: Lake, pseudonym: str) -> set[str]:
    """Everything that is this person's alone: the pseudonym, files, studies, series, instances, images, masks."""
    columns = ["patient_id", "file_id", "instance_id", "series_id", "study_id", "accession_id"]
    instances = lake.read("instances", columns=columns).to_pylist()
    own = [row for row in instances if row["patient_id"] == pseudonym]
    others = [row for row in instances if row["patient_id"] != pseudonym]
    ids = {pseudonym}
    for name in columns[1:]:  # an archive that holds other people's images too stays, without this person's
        ids |= _values(own, name) - _values(others, name)
    images = lake.read("images", columns=["image_id", "patient_id", "series_id"]).to_pylist()
    ids |= {row["image_id"] for row in images if row["patient_id"] == pseudonym or row["series_id"] in ids}
    uses = lake.read("file_images", columns=["file_id", "image_id"]).to_pylist()
    ids |= {row["image_id"] for row in uses if row["file_id"] in ids}
    masks = lake.read("masks", columns=["mask_id", "image_id", "file_id"]).to_pylist()
    return ids | {row["mask_id"] for row in masks if row["image_id"] in ids or row["file_id"] in ids}


def _values(rows: Iterable[dict[str, Any]], name: str) -> set[str]:
    """Values of a column that are there."""
    return {row[name] for row in rows if row[name] is not None}


def _flag_models(lake: Lake, ids: set[str]) -> tuple[str, ...]:
    """Models whose predictions or splits name the person, and those of which nobody knows."""
    folders = {p.name: p for p in lake.models.iterdir() if p.is_dir()} if lake.models.is_dir() else {}
    predictions = lake.read("predictions", columns=["model_id", "patient_id", "unit_id", "split_id"]).to_pylist()
    splits = lake.read("splits", columns=["split_id", "patient_id", "unit_id"]).to_pylist()
    mine = {row["split_id"] for row in splits if row["patient_id"] in ids or row["unit_id"] in ids}
    known = {row["model_id"] for row in predictions}
    learned = {
        row["model_id"]
        for row in predictions
        if row["patient_id"] in ids or row["unit_id"] in ids or row["split_id"] in mine
    }
    in_lake = len(lake.read("instances", columns=["patient_id"]).filter(pc.field("patient_id").isin(sorted(ids))))
    flagged = sorted(name for name in folders if name in learned or (name not in known and in_lake))
    with storage_errors():
        for name in flagged:
            note = {"reason": "a person whose data it may have learned from was erased; train it anew"}
            write_bytes(folders[name] / ERASED, json.dumps(note).encode())
    return tuple(flagged)


def _remove_report(lake: Lake) -> None:
    """Pages of the report may show the person; the caller writes them anew."""
    with storage_errors():
        if lake.report.is_dir():
            for path in [p for p in lake.report.rglob("*") if p.is_file()]:
                path.unlink()

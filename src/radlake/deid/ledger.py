"""What a cleaned folder says about itself: one row per input, what was done to each attribute, and how it was made.

    DEST/
      pt-.../2.25....dcm         cleaned files
      _deidentification/
        files.parquet            one row per input, by file id (`FILES`)
        audit.parquet            what was done to which attribute of which file, and how often (`AUDIT`)
        run.json                 profile, options, key fingerprint, versions (`Run`)
    DEST-private/                or elsewhere; mode 0700
      sources.parquet            file id to path (`SOURCES`): it leads back to people
      crosswalk.parquet          old and new ids (`CROSSWALK`), on request only

Nothing in `_deidentification/` holds a value of an input, and no path of one. Rows are in the order of their ids, so
equal inputs, settings and keys give equal tables; only `Run.wall_clock` differs from one time to the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from radlake.core.errors import RadlakeError, UsageError
from radlake.lake.durable import publish, temporary_file, write_bytes

FOLDER = "_deidentification"
EDITION = "2026d"  # of DICOM PS3.15, whose tables the cleaning follows
_LAYOUT = 2
_S, _I = pa.string(), pa.int64()

Status = Literal["done", "quarantined", "ignored"]
PixelText = Literal["clean", "redacted", "unchecked", "unsure"]
Faces = Literal["none", "recognizable", "removed"]

FILES = pa.schema(
    {
        "file_id": _S,  # keyed by the input's path
        "status": _S,  # done, quarantined (a fault says why), ignored (nothing to keep)
        "name": _S,  # of the cleaned file, relative to DEST, with "/"; null where nothing was written
        "format": _S,  # dicom, nifti, png, jpeg, tiff; null where nobody knows
        "fault_code": _S,  # as in radlake.core.fault.FAULTS, message and hint too
        "fault_message": _S,
        "fault_hint": _S,
        "pixel_text": _S,  # clean, redacted, unchecked, unsure; null where there are no pixels
        "faces": _S,  # none, recognizable, removed; null where there are no pixels
        "site_id": _S,  # keyed name of the institution and number of the scanner; null but under the profile "research"
        "device_id": _S,
    }
)
AUDIT = pa.schema(
    {
        "file_id": _S,
        "path": _S,  # tags from the outermost sequence on, "0008,1140/0008,1155"; names of fields in other formats
        "action": _S,
        "count": _I,
    }
)
SOURCES = pa.schema({"file_id": _S, "uri": _S, "bytes": _I, "mtime_ns": _I, "input_key": _S})
CROSSWALK = pa.schema(
    dict.fromkeys(
        (
            "file_id", "name", "issuer", "patient_id", "new_patient_id", "accession", "new_accession", "study_uid",
            "new_study_uid", "series_uid", "new_series_uid", "instance_uid", "new_instance_uid",
        ),
        _S,
    )
)  # fmt: skip
TABLES: dict[str, pa.Schema] = {"files": FILES, "audit": AUDIT, "sources": SOURCES, "crosswalk": CROSSWALK}
_PRIVATE = frozenset({"sources", "crosswalk"})


class NotCleaned(UsageError):  # noqa: N818 - names the problem
    """The folder holds no account of a cleaning."""


class DamagedLedger(RadlakeError):  # noqa: N818 - names the problem
    """The account of a cleaning cannot be read."""


@dataclass(frozen=True)
class Run:
    """How a folder was cleaned.

    Parameters
    ----------
    profile : str
        Name of the profile.
    options : tuple of str
        All that were in force, sorted: those of the profile and those added.
    names : {"uid", "keep"}
        How cleaned files are named.
    pixels : {"redact", "review", "off"}
        What happened to burned-in text.
    key_fingerprint : str
        Of the key behind ids, UIDs and shifts; the key itself is nowhere.
    versions : dict
        Versions of what did the work, by name.
    edition : str
        Of DICOM PS3.15.
    wall_clock : dict
        started, ended (null while it is under way), seconds, workers: what may differ between two equal runs.
    """

    profile: str
    options: tuple[str, ...]
    names: str
    pixels: str
    key_fingerprint: str
    versions: dict[str, str] = field(default_factory=dict)
    edition: str = EDITION
    wall_clock: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> tuple[Any, ...]:
        """What decides the result beside inputs and versions."""
        return self.profile, self.options, self.names, self.pixels, self.key_fingerprint, self.edition


def is_cleaned(dest: Path) -> bool:
    """Whether a folder has been made by a cleaning."""
    return (dest / FOLDER / "run.json").is_file()


def default_private(dest: Path) -> Path:
    """Where the private part lies unless the user says otherwise: beside the cleaned folder, never inside.

    Examples
    --------
    >>> str(default_private(Path("/data/clean")))
    '/data/clean-private'
    """
    place = dest.absolute()
    return place.with_name(f"{place.name}-private")


def write_run(dest: Path, run: Run) -> None:
    """Write run.json."""
    text = json.dumps({"layout": _LAYOUT, **asdict(run)}, indent=2, ensure_ascii=False)
    write_bytes(dest / FOLDER / "run.json", text.encode() + b"\n")


def read_run(dest: Path) -> Run:
    """How a folder was cleaned.

    Raises
    ------
    NotCleaned
        When the folder has no such account.
    DamagedLedger
        When it cannot be read, or is of another layout.
    """
    if not is_cleaned(dest):
        raise NotCleaned("expected a folder made by radlake deidentify: it has no _deidentification/run.json")
    try:
        found = json.loads((dest / FOLDER / "run.json").read_text(encoding="utf-8"))
        if found.pop("layout") != _LAYOUT:
            raise DamagedLedger("the folder was cleaned by another version of radlake; clean it again")
        return Run(**{**found, "options": tuple(found["options"])})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DamagedLedger("_deidentification/run.json is damaged; clean the folder again") from None


def table_path(place: Path, table: str) -> Path:
    """Where a table of `TABLES` lies: the ways back in the private part, the others in the cleaned folder."""
    return place / f"{table}.parquet" if table in _PRIVATE else place / FOLDER / f"{table}.parquet"


def read_table(place: Path, table: str) -> pa.Table:
    """Rows of a table; none where it is not there yet.

    Parameters
    ----------
    place : Path
        The cleaned folder; for "sources" and "crosswalk" the private part.
    table : str
        A name of `TABLES`.

    Raises
    ------
    DamagedLedger
        When it cannot be read, or lacks a column.
    """
    path, schema = table_path(place, table), TABLES[table]
    if not path.exists():
        return schema.empty_table()
    try:
        return pq.read_table(path, schema=schema, columns=schema.names)
    except (pa.ArrowException, OSError):
        raise DamagedLedger(f"{path.name} is damaged; clean the folder again") from None


def write_table(place: Path, table: str, rows: Iterable[pa.RecordBatch]) -> None:
    """Put rows in the place of a table, whole or not at all; they come sorted, by file id first.

    Parameters
    ----------
    place : Path
        The cleaned folder; for "sources" and "crosswalk" the private part.
    table : str
        A name of `TABLES`.
    rows : iterable of RecordBatch
        Written as they come, so memory does not grow with their number.
    """
    path, schema = table_path(place, table), TABLES[table]
    with temporary_file(path.parent) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for batch in rows:
                writer.write_batch(batch.cast(schema))
        publish(temporary, path)

"""One Delta table: which files it has, and commits that happen once. The only module that imports the Delta library.

Ready-made parts are added, and files that hold replaced rows are removed, in one entry of the table's log. The log
remembers an application transaction (name, number), so that a commit which is tried again after a crash is recognised.
Parquet is always written by `radlake.lake.parts`, never by the Delta library.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from radlake.core.place import Place, Remote
from radlake.core.schema import schema_of
from radlake.lake.durable import sync, write_bytes
from radlake.lake.errors import FormatVersionError, NotALakeError, storage_errors
from radlake.lake.parts import Part

# Opening a table replays its log since the last checkpoint: 14 ms with one every 100 commits, 3.5 ms with one every 10.
_SETTINGS = {"delta.checkpointInterval": "10"}
_LATE = b"radlake.late"  # marks columns that were added to a table with rows


@dataclass(frozen=True)
class DataFile:
    """A file of a table's snapshot.

    Parameters
    ----------
    path : Path or Remote
        Where it lies.
    bytes : int
    """

    path: Place
    bytes: int


@dataclass(frozen=True)
class Edit:
    """What a commit does to one table.

    Parameters
    ----------
    removed : tuple of DataFile
        Files that go.
    added : tuple of Part
        Parts that come; checked by the caller.
    same_rows : bool
        The rows stay as they are and only move between files; who follows the table's changes then sees none.
    """

    removed: tuple[DataFile, ...] = ()
    added: tuple[Part, ...] = ()
    same_rows: bool = False


def check_name(folder: Place) -> None:
    """Refuse a folder that the Delta library cannot write: in HDFS it does not take escapes back.

    Raises
    ------
    NotALakeError
    """
    if isinstance(folder, Remote) and folder.scheme == "hdfs" and _address(folder) != str(folder):
        raise NotALakeError("the name of a lake's folder in HDFS may have letters A-Z, digits and . _ ~ - only")


def owner_column(table: str) -> str:
    """Column by which rows are replaced: `owner`, or the first one where a table has none.

    Examples
    --------
    >>> owner_column("features"), owner_column("files")
    ('owner', 'file_id')
    """
    names = schema_of(table).names
    return "owner" if "owner" in names else str(names[0])


def open_table(folder: Place, version: int | None = None) -> DeltaTable | None:
    """The table in a folder, or None where there is none yet.

    Parameters
    ----------
    folder : Path or Remote
    version : int, optional
        An older state; negative: the one before the table was made.
    """
    if version is not None and version < 0:
        return None
    # A store tells by the same request whether the table is there; on a disk, looking first is a tenth of the price.
    if isinstance(folder, Path) and not (folder / "_delta_log").is_dir():
        return None
    with storage_errors():
        try:
            return _table(folder, version)
        except TableNotFoundError:
            return None


def open_or_create(folder: Place, table: str) -> DeltaTable:
    """The table in a folder, made where there is none, with columns added that newer code knows.

    Raises
    ------
    FormatVersionError
        When a column has another type than in `radlake.core.schema`.
    """
    found = open_table(folder)
    if found is None:
        _create(folder, schema_of(table))
        found = _table(folder)
    return _with_new_columns(found, folder, table)


def data_files(found: DeltaTable | None, folder: Place) -> tuple[DataFile, ...]:
    """Files of a snapshot, in the order of their names."""
    if found is None:
        return ()
    actions = pa.table(found.get_add_actions(flatten=True)).select(["path", "size_bytes"])
    rows = sorted(actions.to_pylist(), key=lambda r: r["path"])
    return tuple(DataFile(folder / r["path"], r["size_bytes"]) for r in rows)


def missing_columns(found: DeltaTable, table: str) -> list[str]:
    """Columns that newer code knows and this table's log does not.

    Raises
    ------
    FormatVersionError
        When a column has another type than in `radlake.core.schema`.
    """
    there = {f.name: f.type for f in pa.schema(found.schema())}
    for field in schema_of(table):
        if field.name in there and not _same(there[field.name], field.type):
            raise FormatVersionError(f"column {field.name!r} of {table!r} has another type here: make a new lake")
    return [f.name for f in schema_of(table) if f.name not in there]


def is_mixed(found: DeltaTable, table: str) -> bool:
    """Whether some files of the table may lack columns, because they are older than these."""
    late = any(_LATE in (f.metadata or {}) for f in pa.schema(found.schema()))
    return late or bool(missing_columns(found, table))


def committed(found: DeltaTable, app: str, sequence: int) -> bool:
    """Whether a commit is in the table's log already."""
    last = found.transaction_version(app)
    return last is not None and last >= sequence


def commit(found: DeltaTable, folder: Place, edit: Edit, *, app: str, sequence: int) -> None:
    """Apply an edit in one entry of the table's log.

    Parameters
    ----------
    found : DeltaTable
        As it was when `committed` was asked: should another commit have come between, this one fails.
    folder : Path or Remote
    edit : Edit
    app : str
        Whose commit it is.
    sequence : int
        Its number, growing per app.

    Raises
    ------
    LakeError
        When the disk fails, or another program changed the table meanwhile.
    """
    with storage_errors():
        there = {file.path.name for file in data_files(found, folder)}
        adds = {part.name: part for part in edit.added}
        gone = {file.path.name: file for file in edit.removed}
        # Names hold a digest of the rows, so a part that comes and goes at once, or is there already, changes nothing;
        # the Delta protocol allows no path twice in an entry.
        actions = [_remove(gone[n], edit) for n in sorted(gone.keys() - adds.keys())]
        actions += [_add(adds[n], edit) for n in sorted(adds.keys() - there)]
        found.create_write_transaction(
            actions,
            "append",
            found.schema(),
            commit_properties=CommitProperties(app_transactions=[Transaction(app, sequence)]),
        )
        _sync_log(folder)


def drop_replaced(folder: Place, *, keep_hours: int) -> None:
    """Delete files that left the table more than these hours ago, and shorten the log's replay."""
    with storage_errors():
        found = _table(folder)
        found.vacuum(retention_hours=keep_hours, dry_run=False, enforce_retention_duration=False)
        found.create_checkpoint()


def never_named(folder: Place) -> set[Place]:
    """Parquet files in a table's folder that its log does not name, neither as present nor as replaced."""
    found = open_table(folder)
    if found is None:
        return set(folder.glob("*.parquet"))
    with storage_errors():
        everything, replaced = (
            found.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False, full=full)
            for full in (True, False)
        )
    return {folder / name for name in set(everything) - set(replaced)}


def _table(folder: Place, version: int | None = None) -> DeltaTable:
    """The Delta library's table; it reads the credentials of stores from the environment by itself."""
    return DeltaTable(_address(folder), version=version, storage_options=_options(folder))


def _address(folder: Place) -> str:
    """A place as the Delta library wants it: an address in a store with its special characters escaped."""
    return quote(str(folder), safe=":/") if isinstance(folder, Remote) else str(folder)


def _options(folder: Place) -> dict[str, str] | None:
    """What the Delta library must be told about a store: never who asks."""
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return {"allow_http": "true"} if plain and isinstance(folder, Remote) and folder.scheme == "s3" else None


def _create(folder: Place, schema: pa.Schema) -> None:
    """Make an empty table."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = pa.schema([pa.field(f.name, f.type) for f in schema])
    DeltaTable.create(_address(folder), plain, mode="ignore", configuration=_SETTINGS, storage_options=_options(folder))
    # The library writes the absolute path into the first entry, which the protocol does not need and a released copy
    # must not show.
    first = folder / "_delta_log" / f"{0:020d}.json"
    lines = [line for line in first.read_bytes().decode("utf-8").splitlines() if "commitInfo" not in json.loads(line)]
    write_bytes(first, "\n".join(lines).encode())


def _with_new_columns(found: DeltaTable, folder: Place, table: str) -> DeltaTable:
    """Add columns that newer code knows; older rows hold null there."""
    missing = missing_columns(found, table)
    if not missing:
        return found
    fields = pa.schema([pa.field(n, schema_of(table).field(n).type, metadata={_LATE: b"1"}) for n in missing])
    found.alter.add_columns(Schema.from_arrow(fields).fields)
    return _table(folder)


def _same(one: pa.DataType, other: pa.DataType) -> bool:
    """Equal types, whatever a list's inner field is called."""
    if pa.types.is_list(one) and pa.types.is_list(other):
        return _same(one.value_type, other.value_type)
    return bool(one.equals(other))


def _add(part: Part, edit: Edit) -> AddAction:
    """Log entry of a part that comes."""
    stats: dict[str, Any] = {"numRecords": part.rows, "minValues": {}, "maxValues": {}, "nullCount": {}}
    return AddAction(part.name, part.bytes, {}, _now_ms(), not edit.same_rows, json.dumps(stats))


def _remove(file: DataFile, edit: Edit) -> RemoveAction:
    """Log entry of a file that goes."""
    return RemoveAction(file.path.name, not edit.same_rows, _now_ms(), size=file.bytes, partition_values={})


def _now_ms() -> int:
    """Time for the log's own bookkeeping, in milliseconds."""
    return time.time_ns() // 1_000_000


def _sync_log(folder: Place) -> None:
    """Flush the newest entry of the log; the library leaves that to the system. A store has it when it says so."""
    if isinstance(folder, Remote):
        return
    log = folder / "_delta_log"
    sync(max(log.glob("*.json")))
    sync(log)

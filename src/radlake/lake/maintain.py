"""Upkeep of a lake: small files merged, and files that nothing names removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from radlake.core.place import Place
from radlake.core.schema import TABLES
from radlake.lake import delta
from radlake.lake.delta import DataFile, Edit
from radlake.lake.durable import TEMPORARY
from radlake.lake.errors import storage_errors
from radlake.lake.parts import Part, parquet, write_part
from radlake.lake.store import Lake

_LOG_LEFTOVER = re.compile(r".*(#\d+|\.tmp)")  # what the Delta library leaves when it is killed


@dataclass(frozen=True)
class Swept:
    """What `sweep` removed.

    Parameters
    ----------
    files, bytes : int
    """

    files: int
    bytes: int


def compact(lake: Lake, *, target_mib: int = 128, keep_hours: int = 24) -> int:
    """Merge small files of each table and drop files that were replaced; return how many files were merged.

    The rows stay the same. One commit per table, so that it may be stopped at any moment.

    Parameters
    ----------
    lake : Lake
    target_mib : int
        Files below half of it are merged into files of about this size.
    keep_hours : int
        Files that left a table within these hours stay on the disk for queries that still read them.

    Raises
    ------
    LakeLockedError
        While a run goes on.
    """
    with lake.lock():
        lake.recover()
        return sum(
            _compact_table(lake, table, folder, target_mib << 20, keep_hours)
            for table, folder in lake.folders().items()
        )


def orphans(lake: Lake) -> list[Place]:
    """Files that no commit names and none will: parts and temporary files of killed workers, objects without a row.

    Parts of a run that goes on look the same, so the answer is only right while nobody writes; `sweep` makes sure.
    """
    found: set[Place] = {path for folder in lake.folders().values() for path in _unnamed_parts(folder)}
    places = [lake.root / name for name in ("objects", "journal")]
    found |= {path for place in places for path in place.rglob(f"{TEMPORARY}*")}
    found |= set(_unnamed_objects(lake))
    return sorted(found, key=str)


def sweep(lake: Lake) -> Swept:
    """Remove orphans.

    Raises
    ------
    LakeLockedError
        While a run goes on.
    """
    with lake.lock(), storage_errors():
        lake.recover()
        gone = orphans(lake)
        size = sum(path.stat().st_size for path in gone)
        for path in gone:
            path.unlink()
        return Swept(len(gone), size)


def references(lake: Lake) -> set[str]:
    """Objects that a row refers to: values of every column called `object`."""
    tables = [name for name, schema in TABLES.items() if "object" in schema.names]
    found = (lake.read(table, columns=["object"])["object"] for table in tables)
    return {reference for column in found for reference in column.to_pylist() if reference is not None}


def _compact_table(lake: Lake, table: str, folder: Place, target: int, keep_hours: int) -> int:
    """Merge one table's small files; return how many."""
    found = delta.open_table(folder)
    if found is None:
        return 0
    small = [f for f in delta.data_files(found, folder) if f.bytes < target // 2]
    groups = [g for g in _groups(small, target) if len(g) > 1]
    if groups:
        parts = tuple(_merged(lake, table, g, f"merged-{found.version()}-{i}") for i, g in enumerate(groups))
        edit = Edit(tuple(f for g in groups for f in g), parts, same_rows=True)
        delta.commit(found, folder, edit, app=f"compact/{table}", sequence=found.version())
    delta.drop_replaced(folder, keep_hours=keep_hours)
    return sum(len(g) for g in groups)


def _groups(files: Sequence[DataFile], target: int) -> Iterator[list[DataFile]]:
    """Neighbouring files of about the wanted size together."""
    group: list[DataFile] = []
    for file in files:
        if group and sum(f.bytes for f in group) + file.bytes > target:
            yield group
            group = []
        group.append(file)
    if group:
        yield group


def _merged(lake: Lake, table: str, files: Sequence[DataFile], name: str) -> Part:
    """A part with the rows of several files."""
    return write_part(lake.root, lake.private, table, _rows(files), name=name)


def _rows(files: Sequence[DataFile]) -> Iterator[pa.RecordBatch]:
    """Rows of files, one after the other."""
    for file in files:
        with parquet(file.path) as opened:
            yield from opened.iter_batches()


def _unnamed_parts(folder: Place) -> Iterator[Place]:
    """Files of a table's folder that its log has never named."""
    yield from folder.glob(f"{TEMPORARY}*")
    yield from (p for p in folder.glob("_delta_log/*") if _LOG_LEFTOVER.fullmatch(p.name) or p.name.startswith("."))
    yield from delta.never_named(folder)


def _unnamed_objects(lake: Lake) -> Iterator[Place]:
    """Objects that no row refers to."""
    known = references(lake)
    for path in lake.objects.root.glob("??/[!.]*"):
        if f"{path.parent.name}/{path.name}" not in known:
            yield path

"""Parquet parts: what workers write, before the driver commits it to a table. Imports no Delta library."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from radlake.core.place import Place, Remote, place
from radlake.core.schema import PRIVATE_TABLES, schema_of, to_table
from radlake.core.stage import Row
from radlake.lake.durable import publish, temporary_file
from radlake.lake.errors import DamagedPartError, PrivatePartError, storage_errors

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,150}")  # no need of URL escapes in the Delta log
_DIGEST_LETTERS = 32  # 128 bits
_ROW_GROUP = 1 << 17  # rows: large enough to compress well, small enough to hold in memory

Batches = Iterable[pa.RecordBatch]


@dataclass(frozen=True)
class Part:
    """A Parquet file with rows of one table, written but visible only once committed.

    Parameters
    ----------
    table : str
        Name of the table.
    name : str
        File name in the table's folder; it ends in a digest of the bytes, so equal names mean equal rows.
    bytes, rows : int
        Size of the file and number of rows.
    """

    table: str
    name: str
    bytes: int
    rows: int


def table_folder(lake_root: str | Place, private_root: str | Place, table: str) -> Place:
    """Folder of a table: in the private part for what links back to people, else in the lake.

    Examples
    --------
    >>> str(table_folder("L", "P", "files")), str(table_folder("L", "P", "sources"))
    ('L/tables/files', 'P/tables/sources')
    """
    return place(private_root if table in PRIVATE_TABLES else lake_root) / "tables" / table


def write_part(
    lake_root: str | Place, private_root: str | Place, table: str, data: list[Row] | pa.Table | Batches, *, name: str
) -> Part:
    """Write rows as a part; writing the same again, also at the same time elsewhere, does no harm.

    Parameters
    ----------
    lake_root, private_root : path or URI
    table : str
        A name of `radlake.core.schema`.
    data : list of rows, Table, or iterable of RecordBatch
        Batches are written as they come, so that memory does not grow with their number.
    name : str
        Letters, digits, dots and hyphens: two parts of equal rows stay two parts if their names differ.

    Returns
    -------
    Part

    Raises
    ------
    KeyError
        When a row has a column that the table lacks.
    ValueError
        When the name or a column's type does not fit.
    PrivatePartError
        When a private table is meant and the private part does not exist.
    DiskFullError, NotWritableError, StorageError
    """
    if not _NAME.fullmatch(name):
        raise ValueError("name of a part: letters, digits, dots and hyphens, at most 151")
    folder = table_folder(lake_root, private_root, table)
    if table in PRIVATE_TABLES and not place(private_root).is_dir():
        # Made on the way to a table's folder, it would be open to everybody.
        raise PrivatePartError("the private part is not there: name it with --private")
    with storage_errors(), temporary_file(folder) as temporary:
        rows = _write(temporary, schema_of(table), _batches(table, data))
        final = f"{name}-{_digest(temporary)}.parquet"
        size = temporary.stat().st_size
        publish(temporary, folder / final)
    return Part(table, final, size, rows)


def check_part(folder: Place, part: Part) -> None:
    """Make sure that a part is what its writer said, before a commit makes every reader depend on it.

    Raises
    ------
    DamagedPartError
        When the file is missing, has another size or number of rows, or another schema.
    """
    path = folder / part.name
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise DamagedPartError(f"a part of table {part.table!r} is missing: run again") from None
    if size != part.bytes:
        raise DamagedPartError(f"a part of table {part.table!r} was cut short: run again")
    try:
        with parquet(path) as file:
            footer = file.metadata
    except (pa.ArrowException, OSError) as error:
        raise DamagedPartError(f"a part of table {part.table!r} is not Parquet: run again") from error
    if footer.num_rows != part.rows or not _fits(footer.schema.to_arrow_schema(), schema_of(part.table)):
        raise DamagedPartError(f"a part of table {part.table!r} has other rows or columns than promised: run again")


def parquet(path: Place) -> Any:
    """A Parquet file of a table, opened; use it in a `with`."""
    return pq.ParquetFile(path.open() if isinstance(path, Remote) else path)


def _fits(written: pa.Schema, schema: pa.Schema) -> bool:
    """Whether every column written is one of the table's; one that is absent reads as null."""
    types = dict(zip(schema.names, schema.types, strict=True))
    return all(types.get(f.name) == f.type for f in written)


def _batches(table: str, data: list[Row] | pa.Table | Batches) -> Iterator[pa.RecordBatch]:
    """The data as record batches with the table's schema."""
    if isinstance(data, list):
        data = to_table(table, data)
    if isinstance(data, pa.Table):
        data = data.to_batches()
    schema = schema_of(table)
    for batch in data:
        columns = [_column(batch, field) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    """A column of a batch with the table's type; nulls where an older file lacks it."""
    if field.name not in batch.schema.names:
        return pa.nulls(batch.num_rows, field.type)
    return batch.column(field.name).cast(field.type)


def _write(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    """Write Parquet; return the number of rows."""
    # Readers skip row groups by their statistics, and those of floats leave NaN out: no statistics for floats, so
    # that "value > 5" means the same whatever the rows beside it are.
    counted = [f.name for f in schema if not pa.types.is_floating(f.type) and not pa.types.is_nested(f.type)]
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd", write_statistics=counted) as writer:
        for table in _gathered(schema, batches):
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _gathered(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Small batches put together, because each table written becomes a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(b.num_rows for b in waiting) >= _ROW_GROUP:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)


def _digest(path: Path) -> str:
    """Digest of a file's bytes, shortened."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGEST_LETTERS]

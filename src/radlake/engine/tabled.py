"""Tables to files that other programs read: CSV and Parquet, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from radlake.core.errors import UsageError
from radlake.engine.show import as_csv
from radlake.lake.durable import write_bytes

SUFFIXES = (".csv", ".parquet")


class UnknownSuffix(UsageError):  # noqa: N818 - names the problem
    """A table can't be written under this name."""


def check_suffix(path: Path) -> None:
    """Refuse names that say no known format, before any work is done.

    Raises
    ------
    UnknownSuffix
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UnknownSuffix(f"a table is written as {' or '.join(SUFFIXES)}, got {path.suffix or 'no suffix'!r}")


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as its file's suffix says; temporary file and rename.

    Raises
    ------
    UnknownSuffix
    OSError
        When the file cannot be written; what was there stays.
    """
    check_suffix(path)
    if path.suffix.lower() == ".csv":
        write_bytes(path, as_csv(table).encode())
        return
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_bytes(path, sink.getvalue().to_pybytes())

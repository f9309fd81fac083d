"""SQL over a snapshot by DuckDB: reading only, and nothing but the files of the snapshot.

DuckDB reads local files by itself. Those of a store it reads through Arrow, which fetches the columns that a query
needs; so its own door to the network stays shut.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs

from radlake.core.place import Place, Remote
from radlake.lake.errors import DamagedPartError, SqlError
from radlake.lake.parts import parquet

_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "binary": "BLOB"}


@dataclass(frozen=True)
class View:
    """A table as a query sees it.

    Parameters
    ----------
    name : str
        As written in SQL; "private.sources" is the table sources in the schema private.
    schema : pa.Schema
        Its columns; one that the files lack reads as null.
    files : tuple of Path or Remote
        Parquet files that hold its rows.
    mixed : bool
        Some files may lack columns, because they are older than these.
    """

    name: str
    schema: pa.Schema
    files: tuple[Place, ...]
    mixed: bool = False


@contextmanager
def connection(views: Sequence[View], *, memory_mib: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the views bound and every other door shut: no other file, no network, no settings to change.

    Parameters
    ----------
    views : sequence of View
    memory_mib : int
        What DuckDB may take before it spills into a temporary folder, which goes away at the end.

    Raises
    ------
    DamagedPartError
        When a view's files are not there or are no Parquet.
    """
    with _spill_folder() as spill, duckdb.connect(":memory:") as con:
        con.execute(f"SET memory_limit = '{memory_mib}MiB'")
        con.execute(f"SET temp_directory = {_quoted(spill)}")
        paths = _list(path for view in views for path in view.files if not isinstance(path, Remote))
        con.execute(f"SET allowed_paths = {paths}")
        con.execute("SET enable_external_access = false")
        con.execute("SET python_enable_replacements = false")
        for view in views:
            _bind(con, view)
        con.execute("SET lock_configuration = true")
        yield con


def dataset(view: View) -> Any:
    """A table's files as one Arrow dataset; columns that a file lacks are null."""
    if not any(isinstance(path, Remote) for path in view.files):
        return ds.dataset([str(path) for path in view.files], schema=view.schema, format="parquet")
    form = ds.ParquetFileFormat()
    (store,) = {path.store for path in view.files if isinstance(path, Remote)}
    filesystem = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(store))
    # Made one by one, so that nobody asks the store whether each is there.
    fragments = [form.make_fragment(path.key, filesystem) for path in view.files if isinstance(path, Remote)]
    return ds.FileSystemDataset(fragments, view.schema, form, filesystem)


def _bind(con: duckdb.DuckDBPyConnection, view: View) -> None:
    """Make a view; DuckDB looks at its files for that."""
    if "." in view.name:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {view.name.split('.')[0]}")
    if any(isinstance(path, Remote) for path in view.files):
        source = f"_{view.name.replace('.', '_')}"
        con.register(source, dataset(view))
        con.execute(f"CREATE VIEW {view.name} AS SELECT * FROM {source}")
        return
    try:
        con.execute(f"CREATE VIEW {view.name} AS {_select(view)}")
    except duckdb.Error as error:
        raise DamagedPartError(
            f"files of the table {view.name} are missing or damaged: restore the lake from a backup, or run its inputs "
            "into a new lake"
        ) from error


def select(views: Sequence[View], query: str, *, memory_mib: int) -> pa.Table:
    """Result of a query.

    Raises
    ------
    SqlError
        When it is not one SELECT, or DuckDB refuses it; the message is DuckDB's.
    """
    with connection(views, memory_mib=memory_mib) as con, sql_errors():
        found: pa.Table = _one_select(con, query).to_arrow_table()
        return found


def stream(views: Sequence[View], query: str, batch_rows: int, *, memory_mib: int) -> Iterator[pa.RecordBatch]:
    """Result of a query in batches, so that memory does not grow with its size. Errors as in `select`."""
    with connection(views, memory_mib=memory_mib) as con, sql_errors():
        yield from _one_select(con, query).to_arrow_reader(batch_rows)


def ordered(rows: pa.Table, *, memory_mib: int) -> pa.Table:
    """Rows in the one order that depends on nothing but the rows: by all columns, nulls last."""
    with connection((), memory_mib=memory_mib) as con:
        con.register("given", rows)
        return con.sql("SELECT * FROM given ORDER BY ALL").to_arrow_table().cast(rows.schema)


def same_rows(view: View, rows: pa.Table, *, memory_mib: int) -> bool:
    """Whether a table holds exactly these rows, in any order; two NaN count as equal."""
    if sum(_rows(path) for path in view.files) != rows.num_rows:
        return False
    with connection((view,), memory_mib=memory_mib) as con:
        con.register("given", rows)
        query = f"SELECT 1 FROM (SELECT * FROM given EXCEPT ALL SELECT * FROM {view.name}) LIMIT 1"
        return con.execute(query).fetchone() is None


def _rows(path: Place) -> int:
    """Number of rows of a file, from its footer."""
    with parquet(path) as file:
        return int(file.metadata.num_rows)


@contextmanager
def sql_errors() -> Iterator[None]:
    """Turn DuckDB's errors into `SqlError` with its message."""
    try:
        yield
    except duckdb.Error as error:
        raise SqlError(str(error)) from error


def _one_select(con: duckdb.DuckDBPyConnection, query: str) -> duckdb.DuckDBPyRelation:
    """A query, if it is one SELECT."""
    statements = con.extract_statements(query)
    # COPY could write over the very files that the views read; one SELECT cannot write.
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise SqlError("a query is one SELECT (or WITH, FROM, VALUES, SHOW, DESCRIBE, SUMMARIZE) statement")
    return con.sql(statements[0])


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of a column type in `radlake.core.schema`.

    Examples
    --------
    >>> sql_type(pa.list_(pa.float64()))
    'DOUBLE[]'
    """
    if pa.types.is_list(kind):
        return sql_type(kind.value_type) + "[]"
    return _TYPES[str(kind)]


@contextmanager
def _spill_folder() -> Iterator[str]:
    """A temporary folder that only this user may enter."""
    # tempfile.TemporaryDirectory would warn when an interpreter ends with a stream half read.
    folder = tempfile.mkdtemp(prefix="radlake-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _select(view: View) -> str:
    """The SELECT behind a view."""
    names = ", ".join(f'"{name}"' for name in view.schema.names)
    if view.files and not view.mixed:
        return f"SELECT {names} FROM read_parquet({_list(view.files)})"
    nothing = ", ".join(f'CAST(NULL AS {sql_type(f.type)}) AS "{f.name}"' for f in view.schema)
    if not view.files:
        return f"SELECT {nothing} WHERE false"
    files = f"SELECT * FROM read_parquet({_list(view.files)}, union_by_name = true)"
    return f"SELECT {names} FROM ({files} UNION ALL BY NAME SELECT {nothing} WHERE false)"


def _list(paths: Iterable[Place]) -> str:
    """Paths as a list in SQL."""
    return "[" + ", ".join(_quoted(str(p)) for p in paths) + "]"


def _quoted(text: str) -> str:
    """Text as a literal in SQL."""
    return "'" + text.replace("'", "''") + "'"

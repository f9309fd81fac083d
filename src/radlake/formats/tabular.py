"""Tables that come beside images: CSV, TSV, Parquet, Excel and the result of an SQL query.

Keys must survive: a value stays text unless its whole column is numbers that print back as they were written, so
``007`` is never 7. What a table holds may identify people; nothing here reaches a message.
"""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa

from radlake.core.fault import ItemError, Term
from radlake.formats.encoding import decoded
from radlake.formats.source import MIB, Source

_LIMIT = 2048 * MIB
_MAX_COLUMNS = 10_000
_SAMPLE = 64 * 1024
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "."})
_SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")


def read_table(source: str, *, query: str | None = None) -> pa.Table:
    """A table from a file or a database.

    Parameters
    ----------
    source : str
        Path of a CSV, TSV, Parquet, Excel (.xlsx, first sheet) or SQLite file, or a database URL such as
        ``postgresql://...`` (needs SQLAlchemy and a driver).
    query : str, optional
        SQL that gives the rows; required for databases, refused for files.

    Returns
    -------
    pyarrow.Table
        Columns of text, int64, float64, bool or what Parquet and databases declare; empty cells are null.

    Raises
    ------
    ItemError
        ``bad_table``; ``unreadable_file``, ``empty_file`` and the like.
    """
    if "://" in source:
        return _from_database(source, _needed(query))
    suffix = Path(source).suffix.lower()
    if suffix in _SQLITE_SUFFIXES or _starts(source, b"SQLite format 3\0"):
        return _from_sqlite(source, _needed(query))
    if query is not None:
        raise _bad("a query needs a database", hint="leave --query out")
    if suffix == ".xlsx":
        return _from_excel(source)
    if suffix in (".parquet", ".pq") or _starts(source, b"PAR1"):
        return _from_parquet(source)
    return _from_text(source)


def _bad(what: str, *, hint: str | None = None) -> ItemError:
    """The fault for a table that cannot be read; both texts are this module's own phrases."""
    return ItemError("bad_table", hint=Term(hint) if hint else None, what=Term(what))


def _needed(query: str | None) -> str:
    """The query, which a database needs."""
    if not query:
        raise _bad("a database needs a query", hint="name the rows with --query 'SELECT ...'")
    return query


def _starts(path: str, magic: bytes) -> bool:
    """Whether a file starts with these bytes."""
    return Source(path).read_at(0, len(magic)) == magic


def _from_text(path: str) -> pa.Table:
    """Table of a delimited text file with a header row."""
    text = decoded(Source(path).read_all(limit=_LIMIT))
    if "\0" in text[:_SAMPLE]:
        raise _bad("it is no text")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=False)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error:
        raise _bad("a field is longer than 128 KiB or not closed") from None
    if not rows:
        raise _bad("it has no header row")
    width = len(rows[0])
    if any(len(row) > width and any(row[width:]) for row in rows):
        raise _bad("a row has more cells than the header")
    columns = ([row[i] if i < len(row) else "" for row in rows[1:]] for i in range(width))
    return _table(rows[0], [_typed(c) for c in columns])


def _delimiter(text: str) -> str:
    """The delimiter that splits the first lines into the most columns, the same number in each.

    Quoted cells are taken together; lines that hold the same count under a delimiter outvote those that do not.
    """
    lines = text[:_SAMPLE].splitlines()[:20]
    sample = [line for line in lines if line.strip()] or [""]

    def columns(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(sample, delimiter=delimiter)]
        agreeing = sum(count == counts[0] for count in counts) if counts else 0
        return (agreeing, counts[0]) if counts and counts[0] > 1 else (0, 0)

    return max((",", ";", "\t", "|"), key=columns)


def _typed(cells: Sequence[str]) -> pa.Array:
    """Numbers where every cell is one that prints back as written, else text; missing words are null."""
    values = [None if cell.strip().lower() in _MISSING else cell.strip() for cell in cells]
    present = [v for v in values if v is not None]
    if not present or not all(_NUMBER.fullmatch(v) for v in present):
        return pa.array(values, pa.string())
    whole = all(v.lstrip("-").isdigit() for v in present)
    convert: Callable[[str], int | float] = int if whole else float
    return pa.array([None if v is None else convert(v) for v in values], pa.int64() if whole else pa.float64())


def _table(names: Sequence[object], columns: Sequence[pa.Array]) -> pa.Table:
    """Table with the names as text; an empty or repeated name is refused, as no one could choose the column."""
    texts = ["" if name is None else str(name).strip() for name in names]
    if not texts or len(texts) > _MAX_COLUMNS:
        raise _bad("it has no columns, or more than 10000")
    if len(set(texts)) < len(texts) or (len(texts) > 1 and texts.count("") > 1):
        raise _bad("two columns have the same name")
    return pa.table(dict(zip(texts, columns, strict=True)))


def _from_parquet(path: str) -> pa.Table:
    """Table of a Parquet file."""
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, use_threads=False)
    except (pa.ArrowException, OSError):
        raise _bad("it is no readable Parquet file") from None


def _from_excel(path: str) -> pa.Table:
    """Table of the first sheet: first row with values is the header."""
    import warnings

    import openpyxl

    source = Source(path)
    for name in source.member_names():
        Source(path, name).check_promise()
    try:
        with warnings.catch_warnings(), source.open() as stream:
            warnings.simplefilter("ignore")  # openpyxl warns about styles that it drops
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            sheet = book.worksheets[0]
            rows = [row for row in sheet.iter_rows(values_only=True) if any(cell is not None for cell in row)]
            book.close()
    except ItemError:
        raise
    except Exception:  # noqa: BLE001 - openpyxl raises errors of many kinds for damaged books
        raise _bad("it is no readable Excel file") from None
    if not rows:
        raise _bad("it has no header row")
    names = list(rows[0])
    while names and names[-1] is None:
        names.pop()
    return _table(names, [_mixed([row[i] if i < len(row) else None for row in rows[1:]]) for i in range(len(names))])


def _mixed(cells: Iterable[Any]) -> pa.Array:
    """Cells of one Python type as that type, of several as text."""
    values = [None if isinstance(c, str) and c.strip().lower() in _MISSING else c for c in cells]
    kinds = {type(v) for v in values if v is not None}
    if kinds == {int, float}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if len(kinds) <= 1 and kinds <= {int, float, bool}:
        try:
            return pa.array(values)
        except (pa.ArrowInvalid, OverflowError):
            pass
    return pa.array([None if v is None else _text(v) for v in values], pa.string())


def _text(value: Any) -> str:
    """A cell as text: dates in ISO form, bytes decoded."""
    if isinstance(value, bytes):
        return decoded(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _from_sqlite(path: str, query: str) -> pa.Table:
    """Result of a query on a SQLite file, opened for reading only."""
    Source(path).read_at(0, 1)  # a missing or unreadable file is that, not a bad table
    try:
        uri = Path(path).resolve().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            cursor = connection.execute(query)
            if cursor.description is None:
                raise _bad("the query is no SELECT", hint="write a SELECT")
            names, rows = [d[0] for d in cursor.description], cursor.fetchall()
    except sqlite3.Error:
        raise _bad("the database or the query is not valid", hint="try the query in the sqlite3 shell") from None
    return _table(names, [_mixed([row[i] for row in rows]) for i in range(len(names))])


def _from_database(url: str, query: str) -> pa.Table:
    """Result of a query on any database that SQLAlchemy reaches."""
    try:
        import sqlalchemy
    except ImportError:
        raise _bad("databases need SQLAlchemy", hint="pip install 'radlake[sql]'") from None
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            result = connection.execute(sqlalchemy.text(query))
            names, rows = list(result.keys()), [tuple(row) for row in result]
        engine.dispose()
    except Exception:  # noqa: BLE001 - drivers raise errors of their own, whose text may quote the password
        hint = "check the address, that the driver is installed, and the query in the database's own shell"
        raise _bad("the database, its driver or the query is not valid", hint=hint) from None
    return _table(names, [_mixed([row[i] for row in rows]) for i in range(len(names))])

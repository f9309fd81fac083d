"""One consistent look at a lake's shareable tables: a page must not mix the states before and after a commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from radlake.core.schema import TABLES
from radlake.lake import query
from radlake.lake.store import Lake

Row = dict[str, Any]


class Tables:
    """SQL over one snapshot; made by `look`.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self._connection = connection

    def rows(self, text: str) -> list[Row]:
        """Rows of a SELECT as dictionaries. Order them: the page must be the same for the same tables."""
        with query.sql_errors():
            found: list[Row] = self._connection.sql(text).to_arrow_table().to_pylist()
            return found

    def row(self, text: str) -> Row:
        """The one row of a SELECT that aggregates a whole table."""
        return self.rows(text)[0]


@contextmanager
def look(lake: Lake) -> Iterator[Tables]:
    """Bind the tables of a lake as they are now; the private part is not among them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with look(Lake.create(folder + "/lake", key_fingerprint="1f2e")) as tables:
    ...         tables.row("SELECT count(*) AS n FROM files")
    {'n': 0}
    """
    states = lake.snapshot()
    views = [states[name].view for name in TABLES]
    with query.connection(views, memory_mib=lake.memory_mib) as connection:
        yield Tables(connection)

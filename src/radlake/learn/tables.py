"""What this room needs of a lake, and how it replaces its own rows."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from radlake.core.place import Place
from radlake.core.schema import to_table
from radlake.core.stage import Row


class Tables(Protocol):
    """The part of a lake that models are made from and written to."""

    @property
    def models(self) -> Place:
        """Folder of model bundles."""
        ...

    def sql(self, text: str) -> pa.Table:
        """Result of one SELECT over all tables."""
        ...

    def read(self, table: str) -> pa.Table:
        """Rows of a table; none when it does not exist."""
        ...

    def replace(self, table: str, data: pa.Table) -> bool:
        """Make a table hold exactly these rows."""
        ...


def write(lake: Tables, table: str, owner: str, rows: list[Row]) -> None:
    """Replace one owner's rows of a table."""
    known = lake.read(table)
    others = known.filter(pc.not_equal(known["owner"], owner))
    lake.replace(table, pa.concat_tables([others, to_table(table, rows)]))


def quoted(value: str) -> str:
    """A literal in SQL.

    Examples
    --------
    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"

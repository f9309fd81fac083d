"""A state of all tables that belongs together: never half of a commit over several tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from radlake.core.place import Place
from radlake.core.schema import PRIVATE_TABLES, schema_of
from radlake.lake import delta, journal
from radlake.lake.delta import DataFile
from radlake.lake.errors import LakeLockedError
from radlake.lake.query import View

_ATTEMPTS = 100


@dataclass(frozen=True)
class State:
    """One table of a snapshot.

    Parameters
    ----------
    table : str
    version : int
        Of the table's log; -1 where the table does not exist yet.
    files : tuple of DataFile
    mixed : bool
        Some files may lack columns, because they are older than these.
    """

    table: str
    version: int
    files: tuple[DataFile, ...]
    mixed: bool

    @property
    def view(self) -> View:
        """The table as SQL sees it; private ones in the schema private."""
        name = f"private.{self.table}" if self.table in PRIVATE_TABLES else self.table
        return View(name, schema_of(self.table), tuple(f.path for f in self.files), self.mixed)


def snapshot(folders: Mapping[str, Place], journal_folder: Place) -> dict[str, State]:
    """States of tables that belong together, while a commit goes on too.

    Parameters
    ----------
    folders : mapping of table name to Path or Remote
    journal_folder : Path or Remote

    Raises
    ------
    LakeLockedError
        When commits followed each other too fast to read between them.
    """
    for _ in range(_ATTEMPTS):
        before = journal.versions_before(journal_folder)
        states = {table: _state(folder, table, before[1].get(table)) for table, folder in folders.items()}
        if journal.versions_before(journal_folder) == before:
            return states
    raise LakeLockedError("the lake changes faster than it can be read: try again when the run has ended")


def _state(folder: Place, table: str, version: int | None) -> State:
    """One table at a version."""
    found = delta.open_table(folder, version)
    if found is None:
        return State(table, -1, (), mixed=False)
    return State(table, found.version(), delta.data_files(found, folder), delta.is_mixed(found, table))

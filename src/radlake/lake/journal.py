"""What a commit over several tables is going to do, written down before it begins.

A table's log makes one table's commit atomic. The journal makes several tables' commits one: whoever finds an entry
carries it out to the end (`Lake.recover`), and until then readers use the versions from before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from radlake.core.place import Place
from radlake.lake.durable import sync, write_bytes
from radlake.lake.parts import Part

_LAST = ".last"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Change:
    """What a commit does to one table.

    Parameters
    ----------
    table : str
        A name of `radlake.core.schema`.
    parts : tuple of Part
        New rows.
    replaces : tuple of str
        Owners whose older rows go away in the same commit; in a table without `owner`, values of its first column.
    """

    table: str
    parts: tuple[Part, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A commit that has begun.

    Parameters
    ----------
    run_id, sequence
        Whose it is and which; together they name the commit.
    changes : tuple of Change
        One per table.
    versions : dict
        Version of each table before the commit; -1 where the table did not exist.
    """

    run_id: str
    sequence: int
    changes: tuple[Change, ...]
    versions: dict[str, int]

    @property
    def file_name(self) -> str:
        """Name of the entry's file."""
        return f"{self.run_id}-{self.sequence:010d}.json"

    def app(self, table: str) -> str:
        """Name of the application transaction in a table's log."""
        return f"{self.run_id}/{table}"


def merged(changes: Sequence[Change]) -> tuple[Change, ...]:
    """One change per table, those without effect left out.

    Examples
    --------
    >>> merged([Change("files"), Change("work", (), ("a",)), Change("work", (), ("b", "a"))])
    (Change(table='work', parts=(), replaces=('a', 'b')),)
    """
    tables = sorted({c.table for c in changes})
    together = (
        Change(
            table,
            tuple(p for c in changes if c.table == table for p in c.parts),
            tuple(sorted({o for c in changes if c.table == table for o in c.replaces})),
        )
        for table in tables
    )
    return tuple(c for c in together if c.parts or c.replaces)


def check_run_id(run_id: str) -> None:
    """Refuse a run's name that cannot be part of a file name.

    Raises
    ------
    ValueError
    """
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError("run_id: letters, digits, dots, hyphens and underscores, at most 100")


def write(folder: Place, entry: Entry) -> None:
    """Put an entry on the disk: from here on the commit will be carried out."""
    write_bytes(folder / entry.file_name, json.dumps(asdict(entry)).encode())


def remove(folder: Place, entry: Entry) -> None:
    """Take an entry away: the commit is done."""
    if not _has_time(folder):
        write_bytes(folder / _LAST, entry.file_name.encode())
    (folder / entry.file_name).unlink()
    sync(folder)


def pending(folder: Place) -> list[Entry]:
    """Entries whose commit has begun, in order; a lake has at most one unless a disk failed."""
    files: list[Place] = [*folder.glob("[!.]*.json")]
    return [_entry(json.loads(file.read_bytes())) for file in sorted(files, key=str)]


def versions_before(folder: Place) -> tuple[int | bytes, dict[str, int]]:
    """Versions of tables that readers use while a commit is under way, and a stamp that changes with the journal.

    Returns
    -------
    stamp : int or bytes
        Time of the journal folder's last change in nanoseconds; equal stamps before and after reading the tables mean
        that no commit began or ended between. File systems keep it to some milliseconds, less than a commit takes. An
        object store has no folders: there the name of the last commit stands, written between its end and the removal
        of its entry, so that a commit which passed between two looks has changed either.
    versions : dict
    """
    stamp = _stamp(folder)
    try:
        entries = pending(folder)
    except FileNotFoundError:  # an entry went away between listing and reading: a commit has just ended
        return versions_before(folder)
    versions: dict[str, int] = {}
    for entry in reversed(entries):
        versions.update(entry.versions)
    return stamp, versions


def _stamp(folder: Place) -> int | bytes:
    """What changes with every commit."""
    try:
        return folder.stat().st_mtime_ns if _has_time(folder) else (folder / _LAST).read_bytes()
    except FileNotFoundError:
        return 0


def _has_time(folder: Place) -> bool:
    """Whether the store keeps when a name last came into a folder or left it."""
    return isinstance(folder, Path) or folder.scheme == "hdfs"


def _entry(data: dict[str, object]) -> Entry:
    """An entry from its JSON."""
    changes = tuple(
        Change(c["table"], tuple(Part(**p) for p in c["parts"]), tuple(c["replaces"]))
        for c in data["changes"]  # type: ignore[attr-defined]
    )
    return Entry(data["run_id"], data["sequence"], changes, data["versions"])  # type: ignore[arg-type]

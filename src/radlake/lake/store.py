"""`Lake`: the tables, objects and private part of one cohort on disk.

    LAKE/
      lake.json           layout, key fingerprint (`radlake.lake.manifest`)
      tables/<name>/      Delta tables, columns as in `radlake.core.schema`
      objects/ab/abcd...  content-addressed files
      journal/            the commit under way, if any
      models/, report/
      private/tables/     what links back to people and places; mode 0700, or elsewhere

Opening and reading never write. Whatever writes holds the lake's lock, and first ends what a killed writer began.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from radlake.core.place import Place, place
from radlake.core.schema import PRIVATE_TABLES, TABLES, schema_of
from radlake.lake import delta, journal, manifest, query, rewrite
from radlake.lake.errors import KeyMismatchError, NotALakeError, PrivatePartError, storage_errors
from radlake.lake.journal import Change, Entry
from radlake.lake.lock import StillMine, exclusive
from radlake.lake.manifest import Manifest
from radlake.lake.objects import ObjectStore
from radlake.lake.parts import check_part, table_folder, write_part
from radlake.lake.private import check_own_place, make_private, may_read
from radlake.lake.snapshot import State, snapshot

__all__ = ["Change", "Lake"]


class Lake:
    """One cohort on disk. Made by `Lake.create` or `Lake.open`; the constructor touches no file.

    Parameters
    ----------
    root : Path or Remote
    private : Path or Remote or None
        Root of the private part; None when it is elsewhere and was not named.
    facts : Manifest
        What lake.json says.
    memory_mib : int
        What one query may take before it spills to the disk.

    Examples
    --------
    >>> import tempfile
    >>> from radlake.lake.parts import write_part
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lake = Lake.create(folder + "/lake", key_fingerprint="1f2e")
    ...     part = write_part(lake.root, lake.private, "audit", [{"owner": "fi-a", "count": 2}], name="a")
    ...     lake.commit("run1", 0, [Change("audit", (part,))])
    ...     lake.sql("SELECT sum(count) AS n FROM audit")["n"].to_pylist()
    [Decimal('2')]
    """

    def __init__(self, root: Place, private: Place | None, facts: Manifest, *, memory_mib: int = 1024):
        self.root = root
        self.facts = facts
        self.memory_mib = memory_mib
        self.objects = ObjectStore(root / "objects")
        self._private = private
        self._journal = root / "journal"
        self._held = False
        self._still_mine: StillMine = lambda: None

    @classmethod
    def create(
        cls,
        root: str | Place,
        *,
        private: str | Place | None = None,
        key_fingerprint: str,
        deidentified: bool = True,
        memory_mib: int = 1024,
    ) -> Lake:
        """Make a lake, or open the one that is there.

        Parameters
        ----------
        root : path or URI
            A folder that is absent, empty or a lake.
        private : path or URI, optional
            Root of the private part; LAKE/private by default.
        key_fingerprint : str
            Of the key that makes pseudonyms.
        deidentified : bool
            False when identities are kept.
        memory_mib : int

        Raises
        ------
        NotALakeError
            When the folder holds something else.
        KeyMismatchError, DeidentificationError
            When the lake was made with another key, or with the other kind of identities.
        PrivatePartError
            When the lake has tables but its private part is gone, as in a release; or when it lies in an object store
            and no place of its own is named for the private part.
        LakeError
            When the place cannot be used.
        """
        root = place(root)
        inside = private is None
        check_own_place(root, None if private is None else place(private))
        delta.check_name(root)
        with storage_errors():
            if root.exists() and not root.is_dir():
                raise NotALakeError("there is a file in the lake's place: name a new folder")
            root.mkdir(parents=True, exist_ok=True)
            if not (root / manifest.FILE_NAME).exists():
                manifest.refuse_other_content(root)
                with exclusive(root / ".lock"):
                    manifest.write(root, Manifest(key_fingerprint, deidentified, inside))
        lake = cls.open(root, private=private, memory_mib=memory_mib)
        lake.require_key(key_fingerprint)
        manifest.check_identities(lake.facts, deidentified)
        if (root / "tables").is_dir() and not lake.private.exists():
            raise PrivatePartError(
                "the private part of this lake is not there: restore it from a backup, name it with --private, or run "
                "into a new lake"
            )
        make_private(lake.private)
        return lake

    @classmethod
    def open(cls, root: str | Place, *, private: str | Place | None = None, memory_mib: int = 1024) -> Lake:
        """Open a lake; nothing is written.

        Parameters
        ----------
        root : path or URI
        private : path or URI, optional
            Root of the private part, where it is not LAKE/private.
        memory_mib : int

        Raises
        ------
        NotALakeError, FormatVersionError
        """
        root = place(root)
        facts = manifest.read(root)
        default = root / "private" if facts.private_inside else None
        return cls(root, place(private) if private is not None else default, facts, memory_mib=memory_mib)

    def require_key(self, fingerprint: str) -> None:
        """Check that a key is the one behind the pseudonyms of this lake.

        Raises
        ------
        KeyMismatchError
            Naming the fingerprints of both.
        """
        if self.facts.key_fingerprint != fingerprint:
            raise KeyMismatchError(
                f"the lake was made with the key {self.facts.key_fingerprint}, not {fingerprint}: name that key with "
                "--key-file, or a new lake; two keys would give one patient two pseudonyms"
            )

    @property
    def private(self) -> Place:
        """Root of the private part.

        Raises
        ------
        PrivatePartError
            When it is elsewhere and was not named.
        """
        if self._private is None:
            raise PrivatePartError("this lake keeps its private part elsewhere: name it with --private")
        return self._private

    @property
    def has_private(self) -> bool:
        """Whether the private part may be read here."""
        return may_read(self._private)

    @property
    def models(self) -> Place:
        """Folder of model bundles."""
        return self.root / "models"

    @property
    def report(self) -> Place:
        """Folder of the report."""
        return self.root / "report"

    def tables(self) -> list[str]:
        """Names of the tables that exist, private ones included where they may be read."""
        return [s.table for s in self.snapshot().values() if s.version >= 0]

    def exists(self, table: str) -> bool:
        """Whether a table has been made."""
        return self._state(table).version >= 0

    def read(self, table: str, *, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """Rows of a table with its schema, in no particular order; none when it does not exist yet.

        Parameters
        ----------
        table : str
            A name of `radlake.core.schema`; "sources" needs the private part.
        columns : sequence of str, optional
            All by default.
        where : str, optional
            Condition in SQL.

        Raises
        ------
        PrivatePartError
            When a private table is asked for and the private part may not be read.
        SqlError
            When the condition is wrong.
        """
        state = self._state(table)
        schema = schema_of(table)
        wanted = list(columns) if columns is not None else schema.names
        if where is None:
            with storage_errors():
                return query.dataset(state.view).to_table(wanted)
        names = ", ".join(f'"{name}"' for name in wanted)
        text = f"SELECT {names} FROM {state.view.name} WHERE {where}"
        found = query.select([state.view], text, memory_mib=self.memory_mib)
        return found.cast(pa.schema([schema.field(n) for n in wanted]))

    def sql(self, text: str) -> pa.Table:
        """Result of one SELECT over all tables; those that do not exist yet are empty.

        The private part's tables are in the schema `private` (`private.sources`) for whoever may read it. A query
        reads nothing but the lake's tables: no other file, no network. DuckDB works on several threads, so without
        ORDER BY the order of the rows, and the last bits of a sum of floats, may differ from one time to the next.

        Raises
        ------
        SqlError
            With DuckDB's message.
        """
        return query.select(self._views(), text, memory_mib=self.memory_mib)

    def stream(self, text: str, batch_rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """As `sql`, in batches, over the tables as they are now; memory does not grow with the result."""
        return query.stream(self._views(), text, batch_rows, memory_mib=self.memory_mib)

    @contextmanager
    def lock(self, *, wait_s: float = 0.0) -> Iterator[None]:
        """Be the one writer. Every method that writes holds the lock by itself; a run holds it from start to end.

        Parameters
        ----------
        wait_s : float
            How long to wait for another writer.

        Raises
        ------
        LakeLockedError
            When somebody else is writing.
        """
        if self._held:
            yield
            return
        with exclusive(self.root / ".lock", wait_s=wait_s) as self._still_mine:
            self._held = True
            try:
                yield
            finally:
                self._held = False

    def recover(self) -> int:
        """End the commits that a killed writer began; return how many. Every method that writes begins so."""
        with self.lock():
            entries = journal.pending(self._journal)
            for entry in entries:
                self._carry_out(entry)
            return len(entries)

    def commit(self, run_id: str, sequence: int, changes: Sequence[Change]) -> None:
        """Commit changes to several tables: all of them or none, and once however often it is tried.

        Parameters
        ----------
        run_id : str
            Whose commit it is: letters, digits, dots, hyphens and underscores.
        sequence : int
            Number of the commit in its run, growing. A number that a table has seen is skipped there.
        changes : sequence of Change
            Parts are in place already (`write_part`).

        Raises
        ------
        DamagedPartError
            When a part is not what its writer said; nothing is committed.
        LakeError
            When the disk fails. Before the journal is written, nothing is committed; after that, the next writer ends
            the commit, and readers see the state from before until then.
        """
        journal.check_run_id(run_id)
        with self.lock():
            self.recover()
            together = journal.merged(changes)
            for change in together:
                for part in change.parts:
                    check_part(self._folder(change.table), part)
            entry = Entry(run_id, sequence, together, {c.table: self._version(c.table) for c in together})
            with storage_errors():
                self._still_mine()
                journal.write(self._journal, entry)
            self._carry_out(entry)

    def next_sequence(self, run_id: str) -> int:
        """The first number that no commit under this name has used, for work that has no run of its own."""
        app = Entry(run_id, 0, (), {}).app
        found = ((delta.open_table(folder), app(table)) for table, folder in self.folders().items())
        used = (table.transaction_version(name) for table, name in found if table is not None)
        return 1 + max((n for n in used if n is not None), default=-1)

    def replace(self, table: str, data: pa.Table) -> bool:
        """Make a table hold exactly these rows, in one commit and in an order that depends on the rows alone.

        Parameters
        ----------
        table : str
        data : pa.Table
            With the table's columns, in any order.

        Returns
        -------
        bool
            False when the table held these rows already; nothing is written then.
        """
        schema = schema_of(table)
        rows = data.select(schema.names).cast(schema)
        with self.lock():
            self.recover()
            state = self._state(table)
            if query.same_rows(state.view, rows, memory_mib=self.memory_mib):
                return False
            rows = query.ordered(rows, memory_mib=self.memory_mib)
            parts = (write_part(self.root, self.private, table, rows, name="whole"),) if rows.num_rows else ()
            edit = delta.Edit(state.files, parts)
            folder = self._folder(table)
            found = delta.open_or_create(folder, table)
            delta.commit(found, folder, edit, app=f"whole/{table}", sequence=found.version() + 1)
            return True

    def _carry_out(self, entry: Entry) -> None:
        """Do what is left of a commit, then forget it."""
        with storage_errors():
            for change in entry.changes:
                self._carry_out_one(entry, change)
            journal.remove(self._journal, entry)

    def _carry_out_one(self, entry: Entry, change: Change) -> None:
        """Do a commit's part in one table, unless it is done."""
        folder, app = self._folder(change.table), entry.app(change.table)
        found = delta.open_or_create(folder, change.table) if change.parts else delta.open_table(folder)
        if found is None or delta.committed(found, app, entry.sequence):
            return
        name = f"kept-{entry.run_id}-{entry.sequence}"
        edit = rewrite.edit(change, delta.data_files(found, folder), self._roots(), name=name)
        if edit.added or edit.removed:
            delta.commit(found, folder, edit, app=app, sequence=entry.sequence)

    def _roots(self) -> tuple[Place, Place]:
        """The lake's root and that of the private part."""
        return self.root, self.private

    def _folder(self, table: str) -> Place:
        """Folder of a table."""
        return table_folder(self.root, self.private if table in PRIVATE_TABLES else self.root, table)

    def folders(self) -> dict[str, Place]:
        """Folders of all tables that may be read."""
        names = [*TABLES, *(PRIVATE_TABLES if self.has_private else ())]
        return {name: self._folder(name) for name in names}

    def snapshot(self) -> dict[str, State]:
        """All tables that may be read, as they belong together."""
        return snapshot(self.folders(), self._journal)

    def _views(self) -> list[query.View]:
        """All tables for SQL."""
        return [state.view for state in self.snapshot().values()]

    def _version(self, table: str) -> int:
        """Version of a table for the one writer, who knows that no commit is under way; -1 where there is none."""
        found = delta.open_table(self._folder(table))
        return -1 if found is None else int(found.version())

    def _state(self, table: str) -> State:
        """One table."""
        schema_of(table)
        if table in PRIVATE_TABLES and not self.has_private:
            raise PrivatePartError(
                "the private part may not be read, or is not there; name it with --private if elsewhere"
            )
        return snapshot({table: self._folder(table)}, self._journal)[table]

"""The state of a folder that is being cleaned: what is done, and how the parts of a run become its ledger.

Workers leave one Parquet part a batch in the private part; parts survive a killed run. Gathering them into the tables
of the ledger may be cut off anywhere and done again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from radlake.core.stage import Row
from radlake.deid import ledger
from radlake.lake import query
from radlake.lake.durable import TEMPORARY, publish, temporary_file
from radlake.lake.query import View

_AUDIT_ITEM = pa.struct([ledger.AUDIT.field(n) for n in ("path", "action", "count")])
PART = pa.schema(
    [
        *ledger.FILES,
        *(f for f in ledger.SOURCES if f.name != "file_id"),
        pa.field("audit", pa.list_(_AUDIT_ITEM)),
    ]
)
_BATCH_ROWS = 1 << 16
_MEMORY_MIB = 1024
# What another try may cure, without a change of the input: the machine, the limits, what is installed.
AGAIN = ("worker_died", "timed_out", "out_of_memory", "unreadable_file", "extra_missing")
_AUDIT_OF_PARTS = """
SELECT file_id, a.path AS path, a.action AS action, a.count AS count
FROM (SELECT file_id, unnest(audit) AS a FROM parts)"""


@dataclass(frozen=True)
class Destination:
    """A folder that is cleaned into, and its private part.

    Parameters
    ----------
    dest, private : Path
    """

    dest: Path
    private: Path

    @property
    def work(self) -> Path:
        """Where parts wait."""
        return self.private / "work"

    def is_used(self) -> bool:
        """Whether the private part knows inputs."""
        return ledger.table_path(self.private, "sources").exists() or bool(self.parts())

    def parts(self) -> list[Path]:
        """Parts that wait to be gathered."""
        return sorted(self.work.glob("*.parquet"))

    def write_part(self, rows: Sequence[Row]) -> None:
        """Leave the rows of a batch; the same batch again replaces them."""
        name = hashlib.sha256("".join(f"{r['file_id']}:{r['input_key']};" for r in rows).encode()).hexdigest()[:32]
        with temporary_file(self.work) as temporary:
            pq.write_table(pa.Table.from_pylist(list(rows), schema=PART), temporary, compression="zstd")
            publish(temporary, self.work / f"{name}.parquet")

    def done(self) -> dict[str, str]:
        """Input keys of what need not be done again, by file id."""
        known = ", ".join(f"'{code}'" for code in AGAIN)
        text = f"""SELECT file_id, input_key FROM sources JOIN files USING (file_id)
        WHERE fault_code IS NULL OR fault_code NOT IN ({known})"""
        views = [self._view("files"), self._view("sources")]
        rows = query.select(views, text, memory_mib=_MEMORY_MIB)
        return dict(zip(rows["file_id"].to_pylist(), rows["input_key"].to_pylist(), strict=True))

    def gather(self) -> None:
        """Bring the parts into the tables of the ledger; files that cleaned copies no longer stand for go."""
        parts = self.parts()
        if not parts:
            return
        self._remove_replaced()
        for table in ("audit", "sources", "files"):
            ledger.write_table(self._root(table), table, self._merged(table))
        for part in parts:
            part.unlink()

    def sweep(self) -> None:
        """Remove what a killed worker left half written."""
        for root in (self.dest, self.private):
            for path in root.rglob(f"{TEMPORARY}*"):
                path.unlink(missing_ok=True)

    def counts(self) -> dict[str, int]:
        """Number of inputs by status."""
        statuses = ledger.read_table(self.dest, "files")["status"].to_pylist()
        return {status: statuses.count(status) for status in sorted(set(statuses))}

    def _remove_replaced(self) -> None:
        """Delete cleaned files whose input was cleaned again under another name, or is now set aside."""
        text = """SELECT f.name FROM files f JOIN parts p USING (file_id)
        WHERE f.name IS NOT NULL AND f.name IS DISTINCT FROM p.name AND f.name NOT IN
            (SELECT name FROM parts WHERE name IS NOT NULL) ORDER BY 1"""
        for name in query.select(self._with_parts("files"), text, memory_mib=_MEMORY_MIB)["name"].to_pylist():
            (self.dest / name).unlink(missing_ok=True)

    def _merged(self, table: str) -> Iterator[pa.RecordBatch]:
        """Rows of a table with those of the parts in place of older ones, in the order of the ledger."""
        schema = ledger.TABLES[table]
        names = ", ".join(schema.names)
        fresh = _AUDIT_OF_PARTS if table == "audit" else f"SELECT {names} FROM parts"
        text = f"""SELECT {names} FROM ({fresh} UNION ALL BY NAME
            SELECT {names} FROM {table} ANTI JOIN (SELECT file_id FROM parts) p USING (file_id)) ORDER BY ALL"""
        return query.stream(self._with_parts(table), text, _BATCH_ROWS, memory_mib=_MEMORY_MIB)

    def _view(self, table: str) -> View:
        """A table of the ledger for SQL, empty where it is not there yet."""
        path = ledger.table_path(self._root(table), table)
        return View(table, ledger.TABLES[table], (path,) if path.exists() else ())

    def _with_parts(self, table: str) -> list[View]:
        """A table of the ledger and the waiting parts, for SQL."""
        return [self._view(table), View("parts", PART, tuple(self.parts()))]

    def _root(self, table: str) -> Path:
        """The folder that holds a table."""
        return self.private if table == "sources" else self.dest

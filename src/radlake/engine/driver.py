"""What lives during a run: pieces of work out, outcomes in, one commit after the other.

Workers write Parquet parts; only the driver commits them, every few seconds, all tables of a commit or none.
"""

from __future__ import annotations

import json
import platform
import resource
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from radlake.core import pool
from radlake.core.fault import ItemError
from radlake.core.ids import keyed_id
from radlake.core.place import Place
from radlake.core.schema import schema_of, to_table
from radlake.core.stage import Context, Over, Row
from radlake.deid.keys import fingerprint
from radlake.engine import todo
from radlake.engine.chain import UNIT, Chain, Piece, Spec, lost_rows
from radlake.engine.inputs import walk
from radlake.engine.local import Load
from radlake.engine.options import Options, lost
from radlake.engine.pipeline import Pipeline
from radlake.lake.parts import Part, write_part
from radlake.lake.store import Change, Lake

_COMMIT_SECONDS = 3.0
_COMMIT_PARTS = 400
_VERSIONS = ("radlake", "numpy", "pyarrow", "deltalake", "duckdb", "pydicom", "scipy", "opencv-python-headless")


class Driver:
    """What lives during a run: its id, its commits in order, what it did."""

    def __init__(self, lake: Lake, key: bytes, options: Options):
        self.lake, self.key, self.options = lake, key, options
        self.run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.sequence = 0
        self.worked: Counter[str] = Counter(files=0, series=0, images=0)
        self.unreadable_folders = 0
        self.changed = False
        self.cpu_before = _cpu_seconds()
        engine = options.engine
        self.context = Context(
            key,
            lake.objects,
            memory_bytes=engine.memory_bytes,
            patient_regex=options.patient_regex,
            strict=options.strict,
            models=lake.models,
        )

    def files(self, chain: Chain, folders: Sequence[str | Place]) -> None:
        """Read headers of files that are new or changed."""

        def unreadable() -> None:
            self.unreadable_folders += 1

        found = ((keyed_id(self.key, "file", f.uri), f) for f in walk(folders, unreadable))
        self.phase(chain, "reading headers", todo.files(self.lake, chain, found))

    def build(self, series: Chain, images: Chain) -> None:
        """Build images and read them; where some slices turn out to be broken, build again without these."""
        while True:
            self.phase(series, "building series", todo.series(self.lake, series))
            self.forget("series", f"SELECT DISTINCT series_id AS owner FROM {todo.USABLE}")
            self.phase(images, "reading images", todo.images(self.lake, images))
            self.forget("image", "SELECT image_id AS owner FROM images")
            self.forget("measure", todo.MEASURED)
            if not todo.series(self.lake, series).total:
                return

    def phase(self, chain: Chain, title: str, work: todo.Todo) -> None:
        """Do a chain's pieces and commit what they leave."""
        if not work.total:
            return
        self.changed = True
        known = self._known(chain)
        roots = str(self.lake.root), str(self.lake.private)
        spec = Spec(chain, self.context, *roots, self.run_id, self.options.key_file)
        commits = _Commits(self, chain, known)
        self.options.progress.begin(title, work.total)
        for outcome in self._outcomes(spec, work.loads):
            commits.take(outcome)
            self.worked[chain.unit] += len(outcome.pieces)
            self.options.progress.advance(len(outcome.pieces), outcome.set_aside)
        commits.flush()
        self.options.progress.end()

    def _known(self, chain: Chain) -> set[str]:
        """Owners that have rows from before, which new rows replace."""
        query = f"SELECT DISTINCT owner FROM work WHERE unit = '{UNIT[chain.unit]}'"
        return set(self.lake.sql(query)["owner"].to_pylist())

    def _outcomes(self, spec: Spec, loads: Iterable[Load]) -> Iterator[_Outcome]:
        """Batches as they end, with those set aside before or by the engine."""
        engine = self.options.engine
        too_large: list[Load] = []

        def fitting() -> Iterator[Load]:
            for load in loads:
                if load.memory <= engine.memory_bytes:
                    yield load
                else:
                    too_large.append(load)

        for outcome in engine.each(spec, fitting()):
            if isinstance(outcome, pool.Done):
                yield _Outcome(outcome.items, outcome.result.parts, outcome.result.set_aside)
            else:
                yield self._aside(spec, outcome.item, lost(outcome.code, engine))
        for load in too_large:
            error = ItemError("too_large", needed_mib=load.memory >> 20, limit_mib=engine.memory_bytes >> 20)
            yield self._aside(spec, load.piece, error)

    def _aside(self, spec: Spec, piece: Piece, error: ItemError) -> _Outcome:
        """Rows of a piece that no worker did, written by the driver."""
        rows = lost_rows(spec, piece, error)
        name = f"{spec.chain.key}-{piece.id}"
        parts = [write_part(spec.lake_root, spec.private_root, t, r, name=name) for t, r in sorted(rows.items())]
        return _Outcome([piece], parts, 1)

    def forget(self, unit: str, present: str) -> None:
        """Drop rows of series or images that no longer exist, because their files changed."""
        query = (
            f"SELECT DISTINCT owner FROM work ANTI JOIN ({present}) USING (owner) WHERE unit = '{unit}' ORDER BY owner"
        )
        gone = tuple(self.lake.sql(query)["owner"].to_pylist())
        if gone:
            self.changed = True
            self.commit([Change(t, (), gone) for t in self.owned_tables()])

    def owned_tables(self) -> list[str]:
        """Tables that exist and whose rows say whose work made them."""
        return [t for t in self.lake.tables() if "owner" in schema_of(t).names]

    def whole(self, chain: Chain) -> None:
        """Steps over the whole lake, on the driver."""
        for current, written in zip(chain.stages, chain.steps, strict=True):
            self.options.progress.begin(current.name, None)
            current.function(self.lake, **written.parameters)
            self.options.progress.end()
        self.changed = True

    def commit(self, changes: Sequence[Change]) -> None:
        """One commit, next in order."""
        self.lake.commit(self.run_id, self.sequence, changes)
        self.sequence += 1

    def record(self, pipeline: Pipeline, chains: Mapping[Over, Chain], status: str, started: float) -> None:
        """A row in `runs`, and the chains it used; nothing when nothing was to do."""
        if not self.changed:
            return
        known = set(self.lake.read("chains", columns=["chain_key"])["chain_key"].to_pylist())
        fresh: list[Row] = [
            {"chain_key": c.key, "unit": u, "steps": c.description, "pipeline": pipeline.to_yaml()}
            for u, c in chains.items()
            if c.key not in known
        ]
        row: Row = {
            "run_id": self.run_id,
            "started": self.started,
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": status,
            "engine": self.options.engine.name,
            "workers": self.options.engine.workers,
            "cpu_seconds": _cpu_seconds() - self.cpu_before,
            "wall_seconds": time.perf_counter() - started,
            "peak_mib": max(u.ru_maxrss for u in _usage()) / 1024,
            "pipeline": pipeline.name,
            "profile": next(
                (s.parameters["profile"] for c in chains.values() for s in c.steps if s.stage == "deid"), None
            ),
            "key_fingerprint": fingerprint(self.key),
            "versions": json.dumps({"python": platform.python_version(), **{n: version(n) for n in _VERSIONS}}),
        }
        changes = [Change(t, (self._part(t, rows),)) for t, rows in (("chains", fresh), ("runs", [row])) if rows]
        self.commit(changes)

    def _part(self, table: str, rows: list[Row]) -> Part:
        """A part written by the driver itself."""
        return write_part(
            str(self.lake.root), str(self.lake.private), table, to_table(table, rows), name=f"run-{self.run_id}"
        )


@dataclass(frozen=True)
class _Outcome:
    """Pieces that ended and the parts that hold their rows."""

    pieces: Sequence[Piece]
    parts: Sequence[Part]
    set_aside: int


class _Commits:
    """Collects outcomes and commits them every few seconds."""

    def __init__(self, driver: Driver, chain: Chain, known: set[str]):
        self.driver, self.chain, self.known = driver, chain, known
        self.parts: list[Part] = []
        self.owners: list[str] = []
        self.since = time.monotonic()

    def take(self, outcome: _Outcome) -> None:
        """Add an outcome; commit when enough or old enough."""
        self.parts += outcome.parts
        self.owners += [p.id for p in outcome.pieces if p.id in self.known]
        if len(self.parts) >= _COMMIT_PARTS or time.monotonic() - self.since > _COMMIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Commit what is waiting; older rows of the same owners go, also those of steps that are no longer there."""
        owners = tuple(sorted(self.owners))
        tables = dict.fromkeys([*self.chain.tables, *(self.driver.owned_tables() if owners else ())])
        changes = [Change(t, tuple(p for p in self.parts if p.table == t), owners) for t in tables]
        if changes := [c for c in changes if c.parts or owners]:
            self.driver.commit(changes)
        self.parts, self.owners, self.since = [], [], time.monotonic()


def _usage() -> list[resource.struct_rusage]:
    """What this process and its ended workers have used so far."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu_seconds() -> float:
    """Processor time of this process and its ended workers so far."""
    return sum(u.ru_utime + u.ru_stime for u in _usage())

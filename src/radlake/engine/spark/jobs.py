"""Chains as Spark jobs: pieces out, outcomes in.

`each` stages travel by mapInArrow, a row per batch; `group` stages by groupBy.applyInArrow, a row per member. Inside a
Spark task the batch runs in a supervised process of its own, so that a file which kills its worker costs that file
and not the job. Workers write the parts and return where they are; the driver commits (`radlake.engine.driver`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from radlake.core import pool
from radlake.core.errors import RadlakeError
from radlake.deid.keys import fingerprint, load_key
from radlake.engine.chain import Piece, Result, Spec
from radlake.engine.local import Load, batches, make_work
from radlake.engine.spark.session import ENVIRONMENT, SparkFailed, session, told
from radlake.lake.parts import Part

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_OUTCOME = "batch long, outcome string"
_ITEMS_A_TASK = {
    "files": 2000,
    "series": 200,
    "images": 128,
    "cohort": 128,
}  # a Python task costs about 0.1 s: give it seconds
_WORK_A_TASK = 384 << 20  # bytes of pixels: some ten seconds
_ITEMS_AT_ONCE = 500  # rows of so many pieces are in memory together
_TASKS_A_CORE = 8  # one job's batches: enough to balance, few enough to hold


class WrongKey(RadlakeError):  # noqa: N818 - names the problem
    """A worker's key is not the lake's."""


@dataclass(frozen=True)
class Spark:
    """Engine on Apache Spark.

    Parameters
    ----------
    master : str
        "local[2]" or "spark://HOST:7077".
    memory_bytes : int
        For one task.
    timeout_s : float
        For one piece.
    executor_memory : str
        For the Java side of each executor, as Spark writes it ("4g"); Spark's own default when empty. Pixels are in
        Python, beside it: see `memory_bytes`.
    archive : str
        A packed environment (venv-pack, conda-pack) that is shipped to the workers; empty: they have this Python at the
        same place.
    settings : tuple of (name, value)
        Further Spark configuration.
    """

    master: str = "local[2,4]"
    memory_bytes: int = 2 << 30
    timeout_s: float = 600.0
    executor_memory: str = ""
    archive: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    name: str = "spark"

    @property
    def workers(self) -> int:
        """Tasks that run at once."""
        return int(self.session().sparkContext.defaultParallelism)

    def session(self) -> SparkSession:
        """The running session, or a new one; see `radlake.engine.spark.session`."""
        settings = dict(self.settings)
        if self.executor_memory:
            settings["spark.executor.memory"] = self.executor_memory
        if self.archive:
            settings["spark.archives"] = f"{self.archive}#{ENVIRONMENT}"
        return session(self.master, settings, archive=self.archive)

    def each(self, spec: Spec, loads: Iterable[Load]) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
        """Do every piece; yield batches as they end."""
        grouped = any(s.shape == "group" for s in spec.chain.stages)
        job = self._group_job if grouped else self._each_job
        most = _TASKS_A_CORE * self.workers
        waiting: list[pool.Batch[Piece]] = []
        for batch in batches(loads, _ITEMS_A_TASK[spec.chain.unit], _WORK_A_TASK):
            waiting.append(batch)
            if len(waiting) == most:
                yield from job(spec, waiting)
                waiting = []
        if waiting:
            yield from job(spec, waiting)

    def _each_job(
        self, spec: Spec, found: list[pool.Batch[Piece]]
    ) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
        """One mapInArrow job, a row per batch."""
        texts = [json.dumps([asdict(p) for p in b.items]) for b in found]
        table = pa.table({"batch": range(len(found)), "pieces": texts})
        frame = self.session().createDataFrame(table).repartition(len(found))
        run_batch = _run_batch(spec, self.memory_bytes, self.timeout_s)

        def work(arrow: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for record in arrow:
                for row in record.to_pylist():
                    pieces = [Piece(**p) for p in json.loads(row["pieces"])]
                    yield _outcome(row["batch"], run_batch(pieces)).to_batches()[0]

        with told():
            rows = frame.mapInArrow(work, _OUTCOME).collect()
        yield from _collected(rows, found)

    def _group_job(
        self, spec: Spec, found: list[pool.Batch[Piece]]
    ) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
        """One groupBy.applyInArrow job, a row per member; a group is a batch of keys."""
        members = [
            {"batch": n, "id": p.id, "input_key": p.input_key, "row": json.dumps(p.row), "member": json.dumps(m)}
            for n, b in enumerate(found)
            for p in b.items
            for m in p.members
        ]
        frame = self.session().createDataFrame(pa.Table.from_pylist(members)).groupBy("batch")
        run_batch = _run_batch(spec, self.memory_bytes, self.timeout_s)

        def work(table: pa.Table) -> pa.Table:
            pieces: dict[str, Piece] = {}
            ordered = sorted(table.to_pylist(), key=lambda r: (r["id"], r["member"]))
            for row in ordered:
                piece = pieces.setdefault(row["id"], Piece(row["id"], row["input_key"], json.loads(row["row"])))
                piece.members.append(json.loads(row["member"]))
            return _outcome(ordered[0]["batch"], run_batch(list(pieces.values())))

        with told():
            rows = frame.applyInArrow(work, _OUTCOME).collect()
        yield from _collected(rows, found)


def _run_batch(spec: Spec, memory: int, timeout: float) -> Callable[[list[Piece]], str]:
    """What a Spark task does with its pieces: all of them in a supervised process; the outcome as JSON.

    The key stays behind: a task travels through Spark's memory and scratch files, so a worker reads the key from a file
    of its own and compares fingerprints.
    """
    wanted = fingerprint(spec.context.key)
    sealed = replace(spec, context=replace(spec.context, key=b""))
    limits = pool.Limits(1, memory, timeout)

    def run_batch(pieces: list[Piece]) -> str:
        found: dict[str, Any] = {"parts": [], "lost": [], "set_aside": 0}
        try:
            standing = _standing(sealed, wanted, limits)
            for batch in batches((Load(p) for p in pieces), _ITEMS_AT_ONCE):
                for outcome in standing.run([batch]):
                    if isinstance(outcome, pool.Lost):
                        found["lost"].append((outcome.item.id, outcome.code))
                    else:
                        found["parts"] += [asdict(p) for p in outcome.result.parts]
                        found["set_aside"] += outcome.result.set_aside
        except RadlakeError as error:  # its message is made by radlake; Spark would print the whole stack
            found["refused"] = str(error)
        return json.dumps(found)

    return run_batch


# The supervised process of this Spark worker, kept from task to task: it has loaded libraries, kernels and models.
_KEPT: dict[tuple[str, str], pool.Standing[Piece]] = {}


def _standing(sealed: Spec, wanted: str, limits: pool.Limits) -> pool.Standing[Piece]:
    """The supervised process for a chain of a run; that of an earlier chain ends."""
    name = (sealed.run_id, sealed.chain.key)
    if name not in _KEPT:
        while _KEPT:
            _KEPT.popitem()[1].close()
        key = load_key(Path(sealed.key_file) if sealed.key_file else None)
        if fingerprint(key) != wanted:
            raise WrongKey(
                f"a worker holds the key {fingerprint(key)}, not {wanted}: give every worker the same key file"
            )
        spec = replace(sealed, context=replace(sealed.context, key=key))
        _KEPT[name] = pool.Standing(make_work, spec, limits)
    return _KEPT[name]


def _outcome(batch: int, outcome: str) -> pa.Table:
    """One row of a job's result."""
    return pa.table({"batch": pa.array([batch], pa.int64()), "outcome": [outcome]})


def _collected(
    rows: Iterable[Any], found: list[pool.Batch[Piece]]
) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
    """A job's result as the local engine gives it, in the order of the batches."""
    for row in sorted(rows, key=lambda r: int(r["batch"])):
        outcome = json.loads(row["outcome"])
        if "refused" in outcome:
            raise SparkFailed(outcome["refused"])
        lost = dict(outcome["lost"])
        pieces = [p for p in found[row["batch"]].items if p.id not in lost]
        parts = [Part(**p) for p in outcome["parts"]]
        yield pool.Done(pieces, Result(parts, len(pieces) - outcome["set_aside"], outcome["set_aside"]))
        for piece in found[row["batch"]].items:
            if piece.id in lost:
                yield pool.Lost(piece, lost[piece.id])

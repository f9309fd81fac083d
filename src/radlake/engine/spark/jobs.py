"""Chains as Spark jobs: pieces out, outcomes in.

`each` stages travel by mapInArrow, a row per batch; `group` stages by groupBy.applyInArrow, a row per member. Inside a
Spark task the batch runs in a supervised process of its own, so that a file which kills its worker costs that file
and not the job. Workers write the parts and return where they are; the driver commits (`radlake.engine.driver`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from radlake.core import pool
from radlake.core.errors import RadlakeError
from radlake.deid.keys import fingerprint, load_key
from radlake.engine.chain import Piece, Result, Spec
from radlake.engine.local import Load, batches, make_work
from radlake.engine.options import Keyed
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
        sealed = replace(spec, context=replace(spec.context, key=b""))
        held = _Held(fingerprint(spec.context.key), spec.key_file or "", _open_chain)
        task = _Task((spec.run_id, spec.chain.key), make_work, sealed, held, self._limits)
        for some in self._jobs(batches(loads, _ITEMS_A_TASK[spec.chain.unit], _WORK_A_TASK)):
            yield from _collected(job(_run_batch(task), some), some, _result)

    def spread(
        self, make: Callable[[Any], pool.Work], spec: Keyed, found: Iterable[pool.Batch[Piece]]
    ) -> Iterator[pool.Done[Piece, int] | pool.Lost[Piece]]:
        """Do batches by the work that a function builds; yield them as they end."""
        held = _Held(fingerprint(spec.key), spec.key_file, _open)
        task = _Task((spec.run_id, make.__module__), make, spec.with_key(b""), held, self._limits)
        for some in self._jobs(found):
            yield from _collected(self._each_job(_run_batch(task), some), some, lambda counts, _: sum(counts))

    @property
    def _limits(self) -> pool.Limits:
        """Of the supervised process in a task."""
        return pool.Limits(1, self.memory_bytes, self.timeout_s)

    def _jobs(self, found: Iterable[pool.Batch[Piece]]) -> Iterator[list[pool.Batch[Piece]]]:
        """Batches, as many together as make one job."""
        left = iter(found)
        while some := list(islice(left, _TASKS_A_CORE * self.workers)):
            yield some

    def _each_job(self, run_batch: Callable[[list[Piece]], str], found: list[pool.Batch[Piece]]) -> list[Any]:
        """One mapInArrow job, a row per batch."""
        texts = [json.dumps([asdict(p) for p in b.items]) for b in found]
        table = pa.table({"batch": range(len(found)), "pieces": texts})
        frame = self.session().createDataFrame(table).repartition(len(found))

        def work(arrow: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for record in arrow:
                for row in record.to_pylist():
                    pieces = [Piece(**p) for p in json.loads(row["pieces"])]
                    yield _outcome(row["batch"], run_batch(pieces)).to_batches()[0]

        with told():
            rows: list[Any] = frame.mapInArrow(work, _OUTCOME).collect()
        return rows

    def _group_job(self, run_batch: Callable[[list[Piece]], str], found: list[pool.Batch[Piece]]) -> list[Any]:
        """One groupBy.applyInArrow job, a row per member; a group is a batch of keys."""
        members = [
            {"batch": n, "id": p.id, "input_key": p.input_key, "row": json.dumps(p.row), "member": json.dumps(m)}
            for n, b in enumerate(found)
            for p in b.items
            for m in p.members
        ]
        frame = self.session().createDataFrame(pa.Table.from_pylist(members)).groupBy("batch")

        def work(table: pa.Table) -> pa.Table:
            pieces: dict[str, Piece] = {}
            ordered = sorted(table.to_pylist(), key=lambda r: (r["id"], r["member"]))
            for row in ordered:
                piece = pieces.setdefault(row["id"], Piece(row["id"], row["input_key"], json.loads(row["row"])))
                piece.members.append(json.loads(row["member"]))
            return _outcome(ordered[0]["batch"], run_batch(list(pieces.values())))

        with told():
            rows: list[Any] = frame.applyInArrow(work, _OUTCOME).collect()
        return rows


@dataclass(frozen=True)
class _Held:
    """Where a worker gets the key, and how it goes into what travelled without.

    Parameters
    ----------
    wanted : str
        Fingerprint of the key.
    file : str
        Where it is; empty: in the user's configuration.
    into : callable
        (spec, key) -> spec.
    """

    wanted: str
    file: str
    into: Callable[[Any, bytes], Any]


@dataclass(frozen=True)
class _Task:
    """What a Spark task carries: its run and its work, how to build that, and what it must know but the key.

    A task travels through Spark's memory and scratch files, so a worker reads the key from a file of its own and
    compares fingerprints.
    """

    name: tuple[str, str]
    make: Callable[[Any], pool.Work]
    spec: Any
    key: _Held
    limits: pool.Limits


def _open_chain(spec: Spec, key: bytes) -> Spec:
    """A chain's spec with the key."""
    return replace(spec, context=replace(spec.context, key=key))


def _open(spec: Keyed, key: bytes) -> Keyed:
    """Any other with the key."""
    return spec.with_key(key)


def _run_batch(task: _Task) -> Callable[[list[Piece]], str]:
    """What a Spark task does with its pieces: all of them in a supervised process; the outcome as JSON."""

    def run_batch(pieces: list[Piece]) -> str:
        found: dict[str, Any] = {"results": [], "lost": []}
        try:
            standing = _standing(task)
            for batch in batches((Load(p) for p in pieces), _ITEMS_AT_ONCE):
                for outcome in standing.run([batch]):
                    if isinstance(outcome, pool.Lost):
                        found["lost"].append((outcome.item.id, outcome.code))
                    else:
                        plain = asdict(outcome.result) if isinstance(outcome.result, Result) else outcome.result
                        found["results"].append(plain)
        except RadlakeError as error:  # its message is made by radlake; Spark would print the whole stack
            found["refused"] = str(error)
        return json.dumps(found)

    return run_batch


# The supervised process of this Spark worker, kept from task to task: it has loaded libraries, kernels and models.
_KEPT: dict[tuple[str, str], pool.Standing[Piece]] = {}


def _standing(task: _Task) -> pool.Standing[Piece]:
    """The supervised process for one work of a run; that of an earlier one ends."""
    if task.name not in _KEPT:
        while _KEPT:
            _KEPT.popitem()[1].close()
        key = load_key(Path(task.key.file) if task.key.file else None)
        if fingerprint(key) != task.key.wanted:
            raise WrongKey(
                f"a worker holds the key {fingerprint(key)}, not {task.key.wanted}: give every worker the same key file"
            )
        _KEPT[task.name] = pool.Standing(task.make, task.key.into(task.spec, key), task.limits)
    return _KEPT[task.name]


def _outcome(batch: int, outcome: str) -> pa.Table:
    """One row of a job's result."""
    return pa.table({"batch": pa.array([batch], pa.int64()), "outcome": [outcome]})


def _collected(
    rows: Iterable[Any], found: list[pool.Batch[Piece]], joined: Callable[[list[Any], list[Piece]], Any]
) -> Iterator[pool.Done[Piece, Any] | pool.Lost[Piece]]:
    """A job's result as the local engine gives it, in the order of the batches."""
    for row in sorted(rows, key=lambda r: int(r["batch"])):
        outcome = json.loads(row["outcome"])
        if "refused" in outcome:
            raise SparkFailed(outcome["refused"])
        lost = dict(outcome["lost"])
        pieces = [p for p in found[row["batch"]].items if p.id not in lost]
        yield pool.Done(pieces, joined(outcome["results"], pieces))
        for piece in found[row["batch"]].items:
            if piece.id in lost:
                yield pool.Lost(piece, lost[piece.id])


def _result(results: list[dict[str, Any]], pieces: list[Piece]) -> Result:
    """A chain's results as one."""
    parts = [Part(**p) for result in results for p in result["parts"]]
    aside = sum(result["set_aside"] for result in results)
    return Result(parts, len(pieces) - aside, aside)

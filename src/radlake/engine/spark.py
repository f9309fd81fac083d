"""The Spark engine: the same pieces and the same chains, on a cluster. The only module that knows pyspark.

`each` stages travel by mapInArrow, a row per batch; `group` stages by groupBy.applyInArrow, a row per member. Inside a
Spark task the batch runs in a supervised process of its own, so that a file which kills its worker costs that file
and not the job. Workers write the parts and return where they are; the driver commits (`radlake.engine.driver`).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from radlake.core.errors import RadlakeError
from radlake.engine import pool
from radlake.engine.chain import Piece, Result, Spec
from radlake.engine.local import Load, Local, batches
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
_NEEDS_JAVA = "Spark needs Java 17 or later: install it and set JAVA_HOME"
_TASKS_A_CORE = 8  # one job's batches: enough to balance, few enough to hold


class NoSpark(RadlakeError):  # noqa: N818 - names the problem
    """Spark cannot start; the message says what is missing."""


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
    settings : tuple of (name, value)
        Further Spark configuration.
    """

    master: str = "local[2,4]"
    memory_bytes: int = 2 << 30
    timeout_s: float = 600.0
    settings: tuple[tuple[str, str], ...] = ()
    name: str = "spark"

    @property
    def workers(self) -> int:
        """Tasks that run at once."""
        return int(self.session().sparkContext.defaultParallelism)

    def session(self) -> SparkSession:
        """The running session, or a new one.

        Raises
        ------
        NoSpark
            Without pyspark or Java.
        """
        try:
            from pyspark.errors import PySparkRuntimeError
            from pyspark.sql import SparkSession
        except ImportError:
            raise NoSpark("Spark is not installed: pip install 'radlake[spark]'") from None
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
        builder = SparkSession.builder.master(self.master).appName("radlake")
        quiet = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
        }
        for name, value in {**quiet, **dict(self.settings)}.items():
            builder = builder.config(name, value)
        if SparkSession.getActiveSession() is None and not _has_java():
            raise NoSpark(_NEEDS_JAVA)
        try:
            return builder.getOrCreate()
        except PySparkRuntimeError:  # a Java that is too old, or ends at once
            raise NoSpark(_NEEDS_JAVA) from None

    def each(self, spec: Spec, loads: Iterable[Load]) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
        """Do every piece; yield batches as they end."""
        grouped = any(s.shape == "group" for s in spec.chain.stages)
        job = self._group_job if grouped else self._each_job
        most = _TASKS_A_CORE * self.workers
        waiting: list[pool.Batch[Piece]] = []
        for batch in batches(loads, _ITEMS_A_TASK[spec.chain.unit]):
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
        rows = [json.dumps([asdict(p) for p in b.items]) for b in found]
        table = pa.table({"batch": range(len(found)), "pieces": rows})
        frame = self.session().createDataFrame(table).repartition(len(found))
        run_batch = _run_batch(spec, self.memory_bytes, self.timeout_s)

        def work(arrow: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for record in arrow:
                for row in record.to_pylist():
                    pieces = [Piece(**p) for p in json.loads(row["pieces"])]
                    yield _outcome(row["batch"], run_batch(pieces)).to_batches()[0]

        yield from _collected(frame.mapInArrow(work, _OUTCOME).collect(), found)

    def _group_job(
        self, spec: Spec, found: list[pool.Batch[Piece]]
    ) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
        """One groupBy.applyInArrow job, a row per member; a group is a batch of keys."""
        rows = [
            {"batch": n, "id": p.id, "input_key": p.input_key, "row": json.dumps(p.row), "member": json.dumps(m)}
            for n, b in enumerate(found)
            for p in b.items
            for m in p.members
        ]
        frame = self.session().createDataFrame(pa.Table.from_pylist(rows)).groupBy("batch")
        run_batch = _run_batch(spec, self.memory_bytes, self.timeout_s)

        def work(table: pa.Table) -> pa.Table:
            pieces: dict[str, Piece] = {}
            ordered = sorted(table.to_pylist(), key=lambda r: (r["id"], r["member"]))
            for row in ordered:
                piece = pieces.setdefault(row["id"], Piece(row["id"], row["input_key"], json.loads(row["row"])))
                piece.members.append(json.loads(row["member"]))
            return _outcome(ordered[0]["batch"], run_batch(list(pieces.values())))

        yield from _collected(frame.applyInArrow(work, _OUTCOME).collect(), found)


def _has_java() -> bool:
    """Whether Spark's own start script would find Java."""
    home = os.environ.get("JAVA_HOME")
    return (Path(home) / "bin" / "java").is_file() if home else shutil.which("java") is not None


def _run_batch(spec: Spec, memory: int, timeout: float) -> Callable[[list[Piece]], str]:
    """What a Spark task does with its pieces: all of them in a supervised process; the outcome as JSON."""

    def run_batch(pieces: list[Piece]) -> str:
        engine = Local(workers=1, memory_bytes=memory, timeout_s=timeout)
        parts: list[dict[str, Any]] = []
        lost: list[tuple[str, str]] = []
        set_aside = 0
        for outcome in engine.each(spec, (Load(p) for p in pieces)):
            if isinstance(outcome, pool.Lost):
                lost.append((outcome.item.id, outcome.code))
            else:
                parts += [asdict(p) for p in outcome.result.parts]
                set_aside += outcome.result.set_aside
        return json.dumps({"parts": parts, "lost": lost, "set_aside": set_aside})

    return run_batch


def _outcome(batch: int, outcome: str) -> pa.Table:
    """One row of a job's result."""
    return pa.table({"batch": pa.array([batch], pa.int64()), "outcome": [outcome]})


def _collected(
    rows: Iterable[Any], found: list[pool.Batch[Piece]]
) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
    """A job's result as the local engine gives it, in the order of the batches."""
    for row in sorted(rows, key=lambda r: int(r["batch"])):
        outcome = json.loads(row["outcome"])
        lost = dict(outcome["lost"])
        pieces = [p for p in found[row["batch"]].items if p.id not in lost]
        parts = [Part(**p) for p in outcome["parts"]]
        yield pool.Done(pieces, Result(parts, len(pieces) - outcome["set_aside"], outcome["set_aside"]))
        for piece in found[row["batch"]].items:
            if piece.id in lost:
                yield pool.Lost(piece, lost[piece.id])

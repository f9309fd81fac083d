"""A pool of worker processes in which a dead, hung or greedy worker costs the item it held, and nothing else.

One pipe per worker and one supervisor in the calling thread. A worker notes in shared memory which item of its batch
it is at, so the supervisor knows whom to suspect: the suspect is tried once more alone, its batch goes on without it.
Workers are started by spawn (a fork of a process with threads may hang) and die with their parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from radlake.core.errors import RadlakeError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
Tick = Callable[[int], None]
Work = Callable[[Sequence[Any], Tick], Any]
MIB = 1 << 20
_POLL_SECONDS = 0.1
_STARTING, _IDLE = -2.0, -1.0  # places of a worker that is at no item
_FAILED_STARTS = 3  # in a row, before the fault is the machine's and not chance


@dataclass(frozen=True)
class Batch(Generic[ItemT]):
    """Items that one worker does in a row.

    Parameters
    ----------
    items : sequence
        Picklable pieces of work.
    bytes : int
        Memory that the hungriest item is expected to take.
    alone : bool
        A suspect on its second and last try.
    """

    items: Sequence[ItemT]
    bytes: int = 0
    alone: bool = False


@dataclass(frozen=True)
class Done(Generic[ItemT, ResultT]):
    """A batch that came back."""

    items: Sequence[ItemT]
    result: ResultT


@dataclass(frozen=True)
class Lost(Generic[ItemT]):
    """An item that cost two workers: code is worker_died, timed_out or out_of_memory."""

    item: ItemT
    code: str


class WorkerFailed(RadlakeError):  # noqa: N818 - names what happened
    """Work raised instead of returning; carries where, never the exception's own text."""


@dataclass
class _Worker(Generic[ItemT]):
    """A process, its pipe, what it holds, and its place in it: [index, started, bytes at start]."""

    process: SpawnProcess
    pipe: Connection
    place: Any
    batch: Batch[ItemT] | None = None


@dataclass(frozen=True)
class Limits:
    """What the pool may use.

    Parameters
    ----------
    workers : int
        Processes, at least 1.
    memory_bytes : int
        Sum of `Batch.bytes` that may be under way at once, and the most that all workers may grow by together.
    timeout_s : float
        Longest time for one item.
    """

    workers: int = 1
    memory_bytes: int = 4 << 30
    timeout_s: float = 600.0


def run(
    make: Callable[[Any], Work], spec: Any, batches: Iterable[Batch[ItemT]], *, limits: Limits
) -> Iterator[Done[ItemT, Any] | Lost[ItemT]]:
    """Do batches in worker processes; yield each as it ends, in no fixed order.

    Parameters
    ----------
    make : callable
        Importable; called once in each worker with `spec`, returns `work(items, tick) -> result`. `work` calls
        `tick(i)` when it begins item i.
    spec : object
        Picklable.
    batches : iterable of Batch
        Taken lazily, never more than there are workers ahead.
    limits : Limits

    Raises
    ------
    WorkerFailed
        When `work` raised.
    """
    pool: _Pool[ItemT] = _Pool(make, spec, iter(batches), limits)
    try:
        yield from pool.outcomes()
    finally:
        pool.close()


class Standing(Generic[ItemT]):
    """A pool that keeps its processes from one call to the next; `close` ends them, as does the end of this process.

    Parameters
    ----------
    make, spec, limits
        As for `run`.
    """

    def __init__(self, make: Callable[[Any], Work], spec: Any, limits: Limits):
        self._pool: _Pool[ItemT] = _Pool(make, spec, iter(()), limits)

    def begin(self) -> None:
        """Start all processes now, so that they are ready when work comes; `run` starts them as it needs them."""
        self._pool.begin()

    def run(self, batches: Iterable[Batch[ItemT]]) -> Iterator[Done[ItemT, Any] | Lost[ItemT]]:
        """Do batches as `run` does; after an error the processes are fresh."""
        self._pool.batches = iter(batches)
        try:
            yield from self._pool.outcomes()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the processes."""
        self._pool.close()


class _Pool(Generic[ItemT]):
    """The supervisor's state: processes, what waits for another try, what is under way."""

    def __init__(self, make: Callable[[Any], Work], spec: Any, batches: Iterator[Batch[ItemT]], limits: Limits):
        self.make, self.spec, self.batches, self.limits = make, spec, batches, limits
        self.context = multiprocessing.get_context("spawn")
        self.again: deque[Batch[ItemT]] = deque()
        self.workers: list[_Worker[ItemT]] = []
        self.failed_starts = 0

    def outcomes(self) -> Iterator[Done[ItemT, Any] | Lost[ItemT]]:
        """Hand out and collect until nothing is left."""
        while True:
            self._hand_out()
            busy = [w for w in self.workers if w.batch]
            if not busy:
                return
            ready = wait([w.pipe for w in busy], _POLL_SECONDS)
            for worker in busy:
                if worker.pipe in ready:
                    yield from self._collect(worker)
                elif self._late(worker):
                    yield from self._suspect(worker, "timed_out")
            greedy = self._greediest()
            if greedy:
                yield from self._suspect(greedy, "out_of_memory")

    def _hand_out(self) -> None:
        """Give idle workers the batches that fit into memory beside those under way."""
        while True:
            batch = self.again.popleft() if self.again else next(self.batches, None)
            if batch is None:
                return
            held = [w.batch.bytes for w in self.workers if w.batch]
            free = len(held) < self.limits.workers and not any(w.batch.alone for w in self.workers if w.batch)
            fits = not held or (sum(held) + batch.bytes <= self.limits.memory_bytes and not batch.alone)
            if not (free and fits):
                self.again.appendleft(batch)
                return
            worker = next((w for w in self.workers if not w.batch), None) or self._start()
            worker.batch = batch
            with contextlib.suppress(OSError):  # a worker that died idle: seen as end of file when collected
                worker.pipe.send(batch.items)

    def begin(self) -> None:
        """Start processes that have nothing to do yet."""
        while len(self.workers) < self.limits.workers:
            self._start()

    def _start(self) -> _Worker[ItemT]:
        """A fresh process."""
        ours, theirs = self.context.Pipe()
        place = self.context.RawArray(ctypes.c_double, [_STARTING, 0.0, 0.0])
        process = self.context.Process(
            target=_serve, args=(theirs, place, self.make, self.spec, os.getpid()), daemon=True
        )
        with _interrupts_held(), _main_left_out(self.make):
            process.start()
        theirs.close()
        worker: _Worker[ItemT] = _Worker(process, ours, place)
        self.workers.append(worker)
        return worker

    def _collect(self, worker: _Worker[ItemT]) -> Iterator[Done[ItemT, Any] | Lost[ItemT]]:
        """Take a worker's answer, or learn that it died."""
        try:
            failed, answer = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._suspect(worker, "worker_died")
            return
        if failed:
            raise WorkerFailed(answer)
        self.failed_starts = 0
        batch, worker.batch = worker.batch, None
        if batch:
            yield Done(batch.items, answer)

    def _late(self, worker: _Worker[ItemT]) -> bool:
        """True when the item under way has had its time."""
        index, started, _ = worker.place
        return bool(index >= 0 and time.monotonic() - started > self.limits.timeout_s)

    def _greediest(self) -> _Worker[ItemT] | None:
        """The largest worker when all together have outgrown the limit."""
        grown = []
        for worker in self.workers:
            if worker.place[0] != _STARTING:
                grown.append((resident_bytes(worker.process.pid or 0) - worker.place[2], worker))
        if sum(g for g, _ in grown) <= self.limits.memory_bytes:
            return None
        return max((g for g in grown if g[1].batch), key=lambda g: g[0], default=(0, None))[1]

    def _suspect(self, worker: _Worker[ItemT], code: str) -> Iterator[Lost[ItemT]]:
        """End a worker; its item is tried alone once more or given up, the rest of its batch goes on."""
        batch, index = worker.batch, int(worker.place[0])
        self._end(worker)
        if batch is None:
            return
        if index < 0:  # it died before it began: not the item's doing
            self._start_failed(index)
            self.again.append(batch)
            return
        if batch.alone:
            yield Lost(batch.items[0], code)
            return
        rest = [*batch.items[:index], *batch.items[index + 1 :]]
        if rest:
            self.again.append(Batch(rest, batch.bytes))
        self.again.append(Batch([batch.items[index]], batch.bytes, alone=True))

    def _start_failed(self, place: int) -> None:
        """Count workers that died while starting; give up when it is no chance."""
        self.failed_starts += place == _STARTING
        if self.failed_starts >= _FAILED_STARTS:
            raise WorkerFailed(f"{_FAILED_STARTS} worker processes in a row ended before they could begin")

    def _end(self, worker: _Worker[ItemT]) -> None:
        """Kill a process and forget it."""
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        self.workers.remove(worker)

    def close(self) -> None:
        """End every worker: idle ones are asked, all at once, busy ones killed."""
        for worker in self.workers:
            if worker.batch is None:
                with contextlib.suppress(OSError):
                    worker.pipe.send(None)
        for worker in list(self.workers):
            if worker.batch is None:
                worker.process.join(2.0)
            self._end(worker)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, in bytes; 0 where it is gone or the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _serve(pipe: Connection, place: Any, make: Callable[[Any], Work], spec: Any, parent: int) -> None:
    """The worker's life: take a batch, do it, answer; end with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to handle
    _die_with_parent(parent)

    def tick(index: int) -> None:
        place[1] = time.monotonic()
        place[0] = index

    try:
        work = make(spec)
        place[2] = resident_bytes(os.getpid())
        place[0] = _IDLE
        while (items := pipe.recv()) is not None:
            answer = work(items, tick)
            place[0] = _IDLE
            pipe.send((False, answer))
    except (EOFError, BrokenPipeError):
        return
    except BaseException as error:  # noqa: BLE001 - the supervisor raises it again, without its text
        with contextlib.suppress(OSError):
            # A full disk is told in its own words, which name nothing of a file; a bug is told by its place.
            pipe.send((True, str(error) if isinstance(error, RadlakeError) else where(error)))


def where(error: BaseException) -> str:
    """Kind of an exception and the way to it, without its text: that may quote a file."""
    lines = [type(error).__name__]
    trace = error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        lines.append(f"  {Path(code.co_filename).name}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return "\n".join(lines)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started here never see Ctrl-C, not even while they import; ours comes as soon as this ends."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _main_left_out(make: Callable[[Any], Work]) -> Iterator[None]:
    """Processes started here do not run this process's main module once more, as spawn would have it.

    What that imports would be loaded in every worker, and a script that does not guard its calls would call again.
    """
    main = sys.modules["__main__"]
    if make.__module__ != "__main__":
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _die_with_parent(parent: int) -> None:
    """Ask Linux to end this process when its parent ends (prctl(2), PR_SET_PDEATHSIG = 1)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

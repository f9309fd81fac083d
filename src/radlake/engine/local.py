"""The local engine: pieces of work in a supervised pool on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from radlake.core import pool
from radlake.engine.chain import Piece, Result, Spec, Work

MIB = 1 << 20
_ITEMS_A_BATCH = {"files": 500, "series": 50, "images": 64, "measures": 64, "cohort": 32}
# Bytes of pixels that take about a second of work; all families of features take longer than reading and filters.
_COST_A_BATCH = 48 * MIB
_COST_OF_MEASURES = 12 * MIB


@dataclass(frozen=True)
class Load:
    """A piece with what it is expected to take: bytes of memory, and bytes to work through."""

    piece: Piece
    memory: int = 0
    work: int = 0


@dataclass(frozen=True)
class Local:
    """Engine on one machine.

    Parameters
    ----------
    workers : int
        Processes; 0 does the work in this process, without protection against a crash (tests, debuggers).
    memory_bytes : int
        For all pieces under way together.
    timeout_s : float
        For one piece.
    """

    workers: int = os.cpu_count() or 1
    memory_bytes: int = 4 << 30
    timeout_s: float = 600.0
    name: str = "local"

    def each(self, spec: Spec, loads: Iterable[Load]) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
        """Do every piece; yield batches as they end."""
        unit = spec.chain.unit
        found = batches(loads, _ITEMS_A_BATCH[unit], _COST_OF_MEASURES if unit == "measures" else _COST_A_BATCH)
        yield from self.spread(make_work if self.workers else Work, spec, found)

    def spread(
        self, make: Callable[[Any], pool.Work], spec: Any, found: Iterable[pool.Batch[Piece]]
    ) -> Iterator[pool.Done[Piece, Any] | pool.Lost[Piece]]:
        """Do batches by the work that a function builds; yield them as they end."""
        if self.workers == 0:
            work = make(spec)
            for batch in found:
                yield pool.Done(batch.items, work(batch.items, lambda _: None))
            return
        limits = pool.Limits(self.workers, self.memory_bytes, self.timeout_s)
        yield from pool.run(make, spec, found, limits=limits)


def make_work(spec: Any) -> pool.Work:
    """Build a chain's work inside a worker; libraries there use one thread, the pool is the parallelism."""
    import cv2

    cv2.setNumThreads(1)
    return Work(spec)


def batches(loads: Iterable[Load], most: int, cost: int = _COST_A_BATCH) -> Iterator[pool.Batch[Piece]]:
    """Group pieces in their order until a batch holds enough items or enough work."""
    pieces: list[Piece] = []
    memory = work = 0
    for load in loads:
        pieces.append(load.piece)
        memory, work = max(memory, load.memory), work + load.work
        if len(pieces) >= most or work >= cost:
            yield pool.Batch(pieces, memory)
            pieces, memory, work = [], 0, 0
    if pieces:
        yield pool.Batch(pieces, memory)

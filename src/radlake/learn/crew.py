"""Who runs the folds of a search: this process, or processes of their own on every core. The bits are the same.

Each process gets the cases once, when it starts; what travels then is the name of a model, its settings and which cases
are held out, and what comes back are the answers for these. Folds are handed out one by one as a process becomes free,
so that a slow family keeps no core waiting. A fold whose process died, as for want of memory, is run here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from radlake.core import pool
from radlake.learn.classical import Settings
from radlake.learn.families import Family
from radlake.learn.prepare import Folds
from radlake.learn.problem import Bools, Problem
from radlake.learn.trial import FoldAnswer, fold_answer

_PATIENCE_S = 3600.0  # for one fold: long ones are a matter of the budget


@dataclass(frozen=True, eq=False)
class Piece:
    """One fold of one trial.

    Parameters
    ----------
    work : str
        Name of the trial's work.
    name : str
        Of the family.
    settings : mapping
    cases : (M,) bool array or None
        Which cases of the problem take part; None for all.
    fold : int
    test : (N,) bool array
        Which of those that take part are held out.
    seed : int
    weigh : bool
        Whether the size of the fitted model is wanted.
    bytes : int
        Of memory that it is expected to take.
    """

    work: str
    name: str
    settings: Settings
    cases: Bools | None
    fold: int
    test: Bools
    seed: int
    weigh: bool
    bytes: int = 0


class Crew(Protocol):
    """Runs folds."""

    @property
    def hands(self) -> int:
        """How many run at once."""

    def run(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, FoldAnswer]]:
        """Answers in any order. A piece is asked for no earlier than somebody is about to be free for it."""


class Worker:
    """Runs folds in this process, keeping what was prepared for as long as the same cases take part.

    Parameters
    ----------
    given : Problem
        All cases.
    families : callable
        Given the problem, all families by name.
    """

    hands = 1

    def __init__(self, given: Problem, families: Callable[[Problem], Mapping[str, Family]]) -> None:
        self.given, self.families = given, families(given)
        self._part: tuple[bytes, Problem, Folds] | None = None

    def run(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, FoldAnswer]]:
        """One after the other."""
        for piece in pieces:
            yield piece, self.one(piece)

    def one(self, piece: Piece) -> FoldAnswer:
        """One fold."""
        key = b"" if piece.cases is None else piece.cases.tobytes()
        if self._part is None or self._part[0] != key:
            self._part = key, self.given if piece.cases is None else self.given.part(piece.cases), Folds()
        _, given, prepared = self._part
        pipeline = self.families[piece.name].make(piece.settings, given.task, piece.seed)
        return fold_answer(pipeline, given, piece.test, prepared=prepared, weigh=piece.weigh)


class Processes:
    """Runs folds in processes of their own, which stay from one call to the next; use it in a with statement.

    Parameters
    ----------
    given, families
        As for `Worker`; the callable must be importable.
    hands : int
        Processes.
    memory_bytes : int
        That all together may take: folds that need more at once wait for each other, and one that grows beyond it is
        run here, alone.
    """

    def __init__(
        self, given: Problem, families: Callable[[Problem], Mapping[str, Family]], *, hands: int, memory_bytes: int
    ) -> None:
        self.hands = hands
        self._here = Worker(given, families)
        self._pool: pool.Standing[Piece] = pool.Standing(
            _begin, (given, families), pool.Limits(hands, memory_bytes, _PATIENCE_S)
        )

    def __enter__(self) -> Processes:
        self._pool.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def run(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, FoldAnswer]]:
        """As they end."""
        for found in self._pool.run(pool.Batch([piece], piece.bytes) for piece in pieces):
            if isinstance(found, pool.Lost):
                yield found.item, self._here.one(found.item)
            else:
                yield found.items[0], found.result


def _begin(spec: tuple[Problem, Callable[[Problem], Mapping[str, Family]]]) -> pool.Work:
    """What a process does with a fold."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from radlake.learn.families import load_libraries

    load_libraries()
    threadpool_limits(1)  # sums in another order would give other last bits
    worker = Worker(*spec)

    def work(pieces: Sequence[Piece], tick: pool.Tick) -> Any:
        tick(0)
        return worker.one(pieces[0])

    return work

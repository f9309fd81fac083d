"""Choices of a run that are not part of its study: which engine, and where it says how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from radlake.core import pool
from radlake.core.fault import ItemError
from radlake.engine.chain import Piece, Result, Spec
from radlake.engine.local import Load, Local


class Progress(Protocol):
    """Where a run says how far it is."""

    def begin(self, title: str, total: int | None) -> None:
        """A phase starts; total items, where known."""
        ...

    def advance(self, done: int, set_aside: int) -> None:
        """So many more items ended, so many of them with a fault."""
        ...

    def end(self) -> None:
        """The phase is over."""
        ...


class Silent:
    """No progress."""

    def begin(self, title: str, total: int | None) -> None:
        """Say nothing."""

    def advance(self, done: int, set_aside: int) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


class Keyed(Protocol):
    """What workers must know to do pieces that no chain does; it holds the owner's key, or travels without."""

    @property
    def run_id(self) -> str:
        """Of one run: what its workers hold is of no use to the next."""
        ...

    @property
    def key(self) -> bytes:
        """The owner's secret."""
        ...

    @property
    def key_file(self) -> str:
        """Where a worker elsewhere finds the key; empty: in its user's configuration."""
        ...

    def with_key(self, key: bytes) -> Self:
        """The same with another key."""
        ...


class Engine(Protocol):
    """What does pieces of work: `Local`, or `radlake.engine.spark.Spark`."""

    @property
    def name(self) -> str:
        """As recorded in `runs`."""
        ...

    @property
    def workers(self) -> int:
        """How many pieces at once."""
        ...

    @property
    def memory_bytes(self) -> int:
        """For all pieces under way together."""
        ...

    @property
    def timeout_s(self) -> float:
        """For one piece."""
        ...

    def each(self, spec: Spec, loads: Iterable[Load]) -> Iterator[pool.Done[Piece, Result] | pool.Lost[Piece]]:
        """Do every piece; yield batches as they end."""
        ...

    def spread(
        self, make: Callable[[Any], pool.Work], spec: Keyed, found: Iterable[pool.Batch[Piece]]
    ) -> Iterator[pool.Done[Piece, int] | pool.Lost[Piece]]:
        """Do batches by the work that `make`, a function of a module, builds of `spec`; its result is a count."""
        ...


@dataclass(frozen=True)
class Options:
    """Choices of a run beside its study.

    Parameters
    ----------
    engine : Engine
    patient_regex : str or None
        Pattern on the path; its first group names the patient where the format has no PatientID.
    strict : bool
        Raise at the first unforeseen exception.
    progress : Progress
    key_file : str
        Where the key was read from; empty: from the user's configuration.
    """

    engine: Engine = field(default_factory=Local)
    patient_regex: str | None = None
    strict: bool = False
    progress: Progress = field(default_factory=Silent)
    key_file: str = ""


def lost(code: str, engine: Engine) -> ItemError:
    """The fault of an item that cost two workers."""
    if code == "timed_out":
        return ItemError(code, limit_s=int(engine.timeout_s))
    if code == "out_of_memory":
        return ItemError(code, limit_mib=engine.memory_bytes >> 20)
    return ItemError(code)

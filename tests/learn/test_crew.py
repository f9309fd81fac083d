"""Who runs folds: processes of their own give the bits of one, and one that dies costs nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from radlake import learn
from radlake.learn import selection
from radlake.learn.crew import Piece, Processes, Worker
from radlake.learn.families import FAMILIES, Family
from radlake.learn.problem import Problem
from radlake.learn.split import grouped_folds
from radlake.learn.trial import FoldAnswer
from tests.learn.test_search import cases

GIB = 1 << 30


def families(_: Problem) -> dict[str, Family]:
    return FAMILIES


def pieces(given: Problem, part: np.ndarray | None = None) -> list[Piece]:
    """Three folds of a forest, on some of the cases."""
    some = given if part is None else given.part(part)
    fold = grouped_folds(some.y, some.groups, folds=3, rng=np.random.default_rng(0))
    return [Piece("work", "forest", {"leaf": 5}, part, k, fold == k, 0, k == 2) for k in range(3)]


def by_fold(found: Iterator[tuple[Piece, FoldAnswer]]) -> dict[int, FoldAnswer]:
    return {piece.fold: answer for piece, answer in found}


def test_processes_give_the_bits_of_one_and_survive_the_death_of_theirs() -> None:
    given = cases(300)
    part = np.arange(300) % 3 > 0
    here = Worker(given, families)
    with Processes(given, families, hands=2, memory_bytes=GIB) as crew:
        for some in (None, part):
            told = by_fold(crew.run(iter(pieces(given, some))))
            for k, answer in by_fold(here.run(pieces(given, some))).items():
                assert told[k].decision.tobytes() == answer.decision.tobytes()
                assert (told[k].complexity, told[k].stopped) == (answer.complexity, answer.stopped)
        for worker in crew._pool._pool.workers:
            os.kill(worker.process.pid or 0, signal.SIGKILL)
        assert sorted(by_fold(crew.run(iter(pieces(given))))) == [0, 1, 2]


def test_a_fold_is_asked_for_no_earlier_than_somebody_is_free() -> None:
    given = cases(120)
    asked: list[int] = []

    def watched() -> Iterator[Piece]:
        for piece in pieces(given):
            asked.append(piece.fold)
            yield piece

    for done, _ in enumerate(Worker(given, families).run(watched())):
        assert len(asked) == done + 1


def test_a_choice_is_the_same_on_one_worker_and_on_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_WORTH_STARTING", 0)
    given = cases(150)
    options: dict[str, Any] = {
        "groups": given.groups, "models": ["logistic", "tree", "boosting"], "folds": 3, "repeats": 2, "budget": "5m",
    }  # fmt: skip
    one = learn.select(given.features, given.y, **options)
    two = learn.select(given.features, given.y, **options, workers=2)
    assert one.plan.as_dict() == two.plan.as_dict()
    assert one.predictions.tobytes() == two.predictions.tobytes()
    assert [line.mean for line in one.table] == [line.mean for line in two.table]
    again = learn.select(given.features, given.y, **options, workers=2, replay=one.plan)
    assert again.predictions.tobytes() == one.predictions.tobytes()

"""The search: rules with reasons, costs and rounds."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn import search as search_module
from radlake.learn.clock import Clock, Plan
from radlake.learn.crew import Worker
from radlake.learn.families import FAMILIES, applicable
from radlake.learn.probe import Cost
from radlake.learn.problem import Fingerprint, Problem, problem
from radlake.learn.search import Searcher, prune
from radlake.learn.trial import HeldOut, Trial


def cases(n: int = 120, *, classes: int = 2, seed: int = 0) -> Problem:
    """Three features, the first of which tells the class, two cases a patient."""
    rng = np.random.default_rng(seed)
    y = np.repeat(rng.integers(0, classes, n // 2), 2)
    x = rng.normal(size=(n, 3))
    x[:, 0] += 1.5 * y
    return problem(x, y, groups=np.repeat(np.arange(n // 2), 2))


def size(n: int, d: int, fewest: int = 100) -> Fingerprint:
    return Fingerprint(n, n, d, fewest, (0.5, 0.5), 0.0, 0, (), (), ())


@pytest.mark.parametrize(
    ("found", "task", "gone"),
    [
        (size(1000, 20), "binary", set()),
        (size(1000, 2), "binary", {"short"}),
        (size(100, 20, fewest=10), "binary", {"boosting", "explainable-boosting", "forest", "extra-trees"}),
        (size(200, 500), "binary", {"svm", "neighbours"}),
        (size(50_000, 20), "binary", {"svm", "neighbours"}),
        (size(150, 20), "regression", {"linear"}),
    ],
)
def test_rules_leave_out_what_the_data_cannot_bear(
    found: Fingerprint, task: str, gone: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "find_spec", lambda _: True)
    reasons = prune(applicable(task), found, prefer="balanced")
    assert set(reasons) == gone
    assert all(any(c.isdigit() for c in text) for text in reasons.values())


def test_readable_leaves_out_what_nobody_can_read() -> None:
    kept = set(FAMILIES) - set(prune(FAMILIES, size(1000, 20), prefer="readable"))
    assert {FAMILIES[name].grade for name in kept} == {"A", "B"}


def crew(given: Problem) -> Worker:
    return Worker(given, lambda _: FAMILIES)


def search(given: Problem, names: list[str], clock: Clock) -> Searcher:
    families = {name: FAMILIES[name] for name in names}
    return Searcher(given, families, dict.fromkeys(names, Cost(0.01)), clock, crew(given), "all", 1.0, 3, 2, 0, 1.0)


def test_a_family_whose_package_is_absent_is_left_out_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "find_spec", lambda _: None)
    assert "pip install 'radlake[ebm]'" in prune(FAMILIES, size(1000, 20), prefer="balanced")["explainable-boosting"]


def test_the_better_families_get_all_settings_and_the_best_new_folds() -> None:
    found = search(cases(), ["tree", "logistic", "bayes", "neighbours"], Clock(1e6)).run()
    best = found.best()
    assert max(len(t.runs) for t in found.trials) == 2
    leader = max(best.values(), key=lambda t: t.mean_of(1))
    assert sum(t.name == leader.name for t in found.trials) == len(leader.family.grid)
    worst = min(best.values(), key=lambda t: t.mean_of(1))
    assert len(worst.runs) == 1
    assert not found.left_out


def test_what_the_clock_refused_is_told() -> None:
    clock = Clock(1e6, Plan("", {}, ("all/0/bayes/0",)))
    found = search(cases(), ["bayes", "logistic"], clock).run()
    assert [(t.name, len(t.runs)) for t in found.trials] == [("bayes", 1)]
    assert "more than half of the time left" in found.left_out["logistic"]


def as_if(name: str, scores: list[float]) -> Trial:
    """A trial with these scores."""
    trial = Trial(name, FAMILIES[name], FAMILIES[name].grid[0], 0)
    nothing = np.empty((0, 1))
    trial.runs.append(HeldOut(nothing, nothing, 0.0, np.array(scores), 0.0, 0.0, 0.0, 0, 0))
    return trial


@pytest.mark.parametrize(
    ("slack", "scores", "needed"),
    [
        (1.0, [0.80, 0.85, 0.90], False),  # as good as the readable one, which will be taken
        (1.0, [0.95, 0.96, 0.97], True),  # better by far
        (0.0, [0.80, 0.85, 0.90], True),  # readability does not count
    ],
)
def test_a_family_is_pursued_only_where_it_could_be_taken(slack: float, scores: list[float], needed: bool) -> None:
    searcher = search(cases(), ["logistic", "forest"], Clock(1e6))
    searcher.slack = slack
    readable, other = as_if("logistic", [0.81, 0.85, 0.89]), as_if("forest", scores)
    assert searcher._needed(other, [readable, other]) is needed
    assert searcher._needed(readable, [readable, other])


def test_settings_of_a_finalist_are_halved_with_each_repeat() -> None:
    given = cases()
    names = ["logistic", "bayes"]
    families = {name: FAMILIES[name] for name in names}
    clock, needs = Clock(1e6), dict.fromkeys(names, Cost(0.01))
    found = Searcher(given, families, needs, clock, crew(given), "all", 1.0, 3, 3, 0, 1.0).run()
    repeats = sorted((len(t.runs) for t in found.trials if t.name == "logistic"), reverse=True)
    assert repeats == [3, 3, 2, 2, 1, 1, 1, 1]

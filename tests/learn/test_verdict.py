"""The choice: one standard error, readability first, and words that hold the numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radlake.learn.families import FAMILIES
from radlake.learn.problem import problem
from radlake.learn.search import Search
from radlake.learn.trial import HeldOut, Trial
from radlake.learn.verdict import Prefer, figures, pick, table

RNG = np.random.default_rng(0)
Y = np.arange(40) % 2
GIVEN = problem(RNG.normal(size=(40, 5)), Y)
FOLD = np.repeat(np.arange(4), 10)


def trial(name: str, scores: list[float], repeats: int = 1, fit_s: float = 1.0) -> Trial:
    """A family with given scores in four folds."""
    predicted = np.full((40, 2), 0.5)
    run = HeldOut(predicted[:, :1], predicted, 0.3, np.array(scores), fit_s, 0.1, 0.5, 7, 0)
    return Trial(name, FAMILIES[name], FAMILIES[name].grid[0], 0, [run] * repeats)


def found(*trials: Trial) -> Search:
    return Search(list(trials), FOLD[None], {})


# Scores of the best: mean .9, variance .0002 / 3, corrected standard error sqrt(.0002 / 3 (1/4 + 1/3)) = .0062.
BEST = [0.89, 0.91, 0.9, 0.9]


@pytest.mark.parametrize(
    ("prefer", "behind", "chosen"),
    [
        ("balanced", 0.005, "logistic"), ("balanced", 0.008, "svm"), ("readable", 0.008, "logistic"),
        ("readable", 0.014, "svm"), ("accuracy", 0.001, "svm"),
    ],
)  # fmt: skip
def test_the_most_readable_within_the_tolerance_is_chosen(prefer: Prefer, behind: float, chosen: str) -> None:
    search = found(trial("svm", BEST), trial("logistic", [s - behind for s in BEST]))
    assert pick(search, prefer=prefer)[0].name == chosen


def test_equally_readable_families_with_own_probabilities_come_first() -> None:
    search = found(trial("svm-linear", BEST), trial("logistic", [s - 0.001 for s in BEST]))
    chosen, good = pick(search, prefer="balanced")
    assert chosen.name == "logistic"
    assert good == {"logistic", "svm-linear"}


def test_of_equally_readable_families_one_that_stores_nobody_comes_first() -> None:
    search = found(trial("svm", BEST), like(trial("svm", [s - 0.001 for s in BEST]), "network", holds_rows=False))
    assert FAMILIES["svm"].holds_rows
    assert pick(search, prefer="balanced")[0].name == "network"
    lines = table(GIVEN, search, FAMILIES, dict.fromkeys(FAMILIES, ""), prefer="balanced", seed=0)
    assert [line.why for line in lines if line.family == "svm"] == [
        "no better as far as chance lets tell, and it stores training cases"
    ]
    assert pick(search, prefer="accuracy")[0].name == "svm"


def like(one: Trial, name: str, *, holds_rows: bool) -> Trial:
    """The trial, of a family that is as readable."""
    return replace(one, name=name, family=replace(one.family, holds_rows=holds_rows))


def test_families_are_compared_on_the_folds_that_both_saw() -> None:
    leader = trial("svm", BEST)
    leader.runs.append(trial("svm", [0.5, 0.5, 0.5, 0.5]).runs[0])  # unlucky second folds
    chosen, _ = pick(found(leader, trial("tree", [0.8, 0.8, 0.8, 0.8])), prefer="accuracy")
    assert chosen.name == "svm"


def test_a_family_of_some_folds_is_compared_on_these_alone() -> None:
    whole = trial("logistic", [0.8, 0.9, 1.0, 1.0])  # the first folds are hard
    part = trial("svm", [0.85, 0.95, np.nan, np.nan])
    assert (part.folds, part.mean, part.lead_over(whole)) == (2, 0.9, 0.05)
    assert part.standard_error(4) == pytest.approx((0.005 * (1 / 2 + 1 / 3)) ** 0.5)
    assert pick(found(whole, part), prefer="accuracy")[0] is part
    lines = table(GIVEN, found(whole, part), {}, {}, prefer="accuracy", seed=0)
    assert [(line.family, line.mean) for line in lines] == [("svm", 0.975), ("logistic", 0.925)]
    assert lines[0].why == "the best; there was time for 2 of 4 folds"


def test_the_table_lists_all_and_marks_what_nothing_beats() -> None:
    search = found(trial("logistic", BEST), trial("forest", [0.8] * 4, fit_s=2.0), trial("svm", [0.95] * 4, fit_s=3.0))
    names = ["logistic", "forest", "svm", "tree"]
    families = {name: FAMILIES[name] for name in names}
    lines = table(GIVEN, search, families, {"tree": "too few cases"}, prefer="accuracy", seed=0)
    assert [line.family for line in lines] == ["svm", "logistic", "forest", "tree"]
    assert [line.verdict for line in lines] == ["chosen", "worse", "worse", "not tried"]
    assert [line.pareto for line in lines] == [True, True, False, False]
    assert lines[-1].why == "too few cases"
    assert lines[1].why == "0.050 behind the chosen one"
    row = lines[0].as_dict()
    assert (row["score"], row["brier"], row["accuracy"]) == (0.5, 0.25, 0.5)


def test_ranks_are_compared_within_folds_only() -> None:
    p = np.where(Y, 0.6, 0.4) + 0.3 * (FOLD == 1)  # one fold's model is far surer than the others
    scored = figures(GIVEN, np.stack([1 - p, p], axis=1)[None], FOLD[None], seed=0)
    assert (scored.score, scored.low, scored.high) == (1.0, 1.0, 1.0)


def test_figures_of_a_regression_are_r2_and_mean_error() -> None:
    value = RNG.normal(size=40)
    given = problem(GIVEN.features, value)
    scored = figures(given, value[None, :, None] + 0.5, FOLD[None], seed=0)
    assert scored.error == pytest.approx(0.5)
    assert scored.brier is None
    one = [1 - 10 * 0.25 / ((value[k == FOLD] - value[k == FOLD].mean()) ** 2).sum() for k in range(4)]
    assert scored.score == pytest.approx(np.mean(one))

"""The paragraph on the choice: true in each outcome, and without a word that only a programmer knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radlake.learn.families import FAMILIES
from radlake.learn.problem import Fingerprint
from radlake.learn.reason import reason
from radlake.learn.verdict import NOT_ASKED, Figures, Line, Prefer

FOUND = Fingerprint(624, 505, 30, 155, (0.27, 0.73), 0.0, 0, (), (), ())
HONEST = Figures(0.805, 0.748, 0.857, 0.17, 0.777, None)


def line(family: str, mean: float | None, *, repeats: int = 3, why: str = "the best") -> Line:
    """A line of the table."""
    found = FAMILIES[family]
    scored = None if mean is None else Figures(mean, 0.0, 1.0, 0.2, 0.8, None)
    return Line(
        family, found.title, "chosen", why, {}, mean, 0.022, repeats, scored, 1.0, 1.0, 1.0, 1, found.grade, False
    )  # fmt: skip


def told(*lines: Line, prefer: Prefer = "balanced", honest: Figures | None = HONEST, picks: tuple[str, ...] = (),
         waits: bool = False) -> str:  # fmt: skip
    return reason(lines, FOUND, "binary", prefer=prefer, honest=honest, picks=picks, waits=waits)


def test_one_model_was_compared_with_nothing() -> None:
    assert told(line("logistic", 0.81), line("svm", None, why=NOT_ASKED), picks=("logistic",) * 5) == (
        "One kind of model was tried, logistic regression (readability B: one weight or one curve for each feature), on"
        " 624 cases of 505 patients with 30 features. Its AUC in cross-validation was 0.810 (standard error 0.022);"
        " there was nothing to compare it with. The number to quote is that of the whole procedure, choice included,"
        " on patients it had never seen: AUC 0.805 (95% interval 0.748 to 0.857), the chance that, of one case with yes"
        " and one with no, the case with yes gets the higher probability. The likelier answer was right in 77.7% of the"
        " cases."
    )


def test_the_best_is_compared_with_those_that_are_easier_to_read() -> None:
    lines = line("svm", 0.9), line("tree", 0.7), line("logistic", 0.8)
    assert "the 2 that are easier to read fell behind by more than one standard error" in told(*lines)
    assert "the one that is easier to read fell behind by more than two standard errors" in told(
        *lines[:2], prefer="readable"
    )
    assert "0.900 (standard error 0.022). The number" in told(*lines, prefer="accuracy")


def test_where_none_is_easier_to_read_nothing_is_said_of_such() -> None:
    assert "easier to read" not in told(line("tree", 0.9), line("svm", 0.8))


def test_a_model_that_was_tested_less_often_may_have_a_higher_score() -> None:
    text = told(line("short", 0.731), line("svm-linear", 0.744, repeats=1))
    assert "It had the highest AUC in cross-validation of the models that were tested most often, 0.731" in text


@pytest.mark.parametrize(
    ("chosen", "because"),
    [
        (line("logistic", 0.89), "Logistic regression was taken because it is easier to read."),
        (
            replace(line("svm", 0.89), grade="C", why="as good as the best, and it stores no training cases"),
            "They are equally hard to read; SVM (Gaussian kernel) was taken because it stores no training cases.",
        ),
    ],
)
def test_of_two_that_are_equally_good_it_says_what_decided(chosen: Line, because: str) -> None:
    text = told(chosen, line("forest", 0.9))
    assert "had 0.890, which is within one standard error of it" in text
    assert because in text


def test_it_says_what_to_quote() -> None:
    pair = line("logistic", 0.9), line("svm", 0.8)
    assert "quote that of the test set" in told(*pair, waits=True)
    assert "There was no time to repeat" in told(*pair, honest=None)
    assert "All 5 repetitions of the choice took logistic regression." in told(*pair, picks=("logistic",) * 5)
    assert "The one repetition of the choice took SVM (Gaussian kernel)." in told(*pair, picks=("svm",))
    assert "The 3 repetitions of the choice took: logistic regression (2), SVM (Gaussian kernel) (1)." in told(
        *pair, picks=("logistic", "svm", "logistic")
    )


def test_models_left_out_for_one_reason_are_named_together() -> None:
    text = told(line("logistic", 0.9), line("forest", None, why="too few"), line("boosting", None, why="too few"))
    assert text.endswith("Not tried: random forest, gradient boosting (too few).")

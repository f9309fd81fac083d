"""Operating points: chosen to meet a goal, on other cases than those they are tested on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.errors import UsageError
from radlake.learn.evaluation.operating import Operating, confusion, crossed, parse, predictive_values, threshold


@given(st.integers(0, 200), st.sampled_from(["sens", "spec"]), st.floats(0.05, 0.95))
def test_the_goal_is_met_and_no_other_threshold_meets_it_better(seed: int, goal: str, value: float) -> None:
    rng = np.random.default_rng(seed)
    y = np.r_[0, 1, rng.integers(0, 2, 30)]
    p = np.round(np.clip(0.3 + 0.3 * y + 0.3 * rng.normal(size=32), 0, 0.99), 2)
    cut = threshold(y, p, Operating(goal, value))  # type: ignore[arg-type]
    sens, spec = (p[y == 1] >= cut).mean(), (p[y == 0] < cut).mean()
    assert (sens if goal == "sens" else spec) >= value - 1e-12
    for other in np.r_[np.unique(p), 1.0]:
        other_sens, other_spec = (p[y == 1] >= other).mean(), (p[y == 0] < other).mean()
        if goal == "sens" and other_sens >= value:
            assert other_spec <= spec + 1e-12
        if goal == "spec" and other_spec >= value:
            assert other_sens <= sens + 1e-12


def test_youden_is_the_corner_of_the_curve() -> None:
    assert threshold([0, 0, 0, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.7], Operating("youden")) == pytest.approx(0.35)
    assert threshold([], [], Operating("p", 0.2)) == 0.2


def test_no_case_decides_about_itself() -> None:
    y, p, fold = np.array([0, 1] * 4), np.arange(8) / 8, np.repeat([0, 1], 4)
    before = crossed(y, p, fold, Operating("youden"))
    p[fold == 0] = p[fold == 0] ** 2
    np.testing.assert_array_equal(before[fold == 0], crossed(y, p, fold, Operating("youden"))[fold == 0])


@pytest.mark.parametrize(
    ("text", "goal", "value"), [("sens=0.95", "sens", 0.95), ("spec=.9", "spec", 0.9), ("p=0.2", "p", 0.2)]
)
def test_words_become_goals(text: str, goal: str, value: float) -> None:
    assert parse(text) == Operating(goal, value)  # type: ignore[arg-type]
    assert parse("youden").goal == "youden"


@pytest.mark.parametrize("text", ["sens=2", "sens", "", "sens=0.9;x", "accuracy=0.9"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"sens=0\.95"):
        parse(text)
    with pytest.raises(UsageError, match="both answers"):
        threshold([1, 1], [0.1, 0.2], Operating("sens", 0.9))


def test_predictive_values_are_those_of_a_table_of_a_million() -> None:
    positive, negative = predictive_values(0.8, 0.9, 0.05)
    assert float(positive) == pytest.approx(40_000 / (40_000 + 95_000))
    assert float(negative) == pytest.approx(855_000 / (855_000 + 10_000))
    assert np.isnan(predictive_values(0.0, 1.0, 0.1)[0])


def test_confusion_counts_each_pair() -> None:
    assert confusion([0, 1, 2, 2], [0, 2, 2, 1], 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 1]]

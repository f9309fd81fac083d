"""The choice in words: what each score means, gaps that chance does not explain, nothing for other models."""

from __future__ import annotations

from typing import Any

from radlake.report.chosen import chosen


def evidence(**changes: Any) -> dict[str, Any]:
    line = {"family": "logistic", "title": "logistic regression", "verdict": "chosen", "why": "the best", "mean": 0.9}
    score = {"metric": "auc", "value": 0.9, "low": 0.8, "high": 0.95, "method": "DeLong"}
    gap = {
        "by": "sex", "value": "F", "cases": 40, "metric": "auc", "score": 0.7, "low": 0.6, "high": 0.8, "gap": -0.2,
        "gap_low": -0.3,
        "gap_high": -0.1,
    }  # fmt: skip
    found: dict[str, Any] = {
        "table": [line, {**line, "title": "lasso", "verdict": "not tried", "why": "not asked", "mean": None}],
        "reason": "Because. Not tried: lasso (not asked).", "expectation": "few", "notes": [],
        "evaluation": [score, {**score, "metric": "ppv_at_0.1"}],
        "subgroups": [gap, {**gap, "value": "M", "gap_low": -0.1, "gap_high": 0.1}],
        "operating": {"threshold": 0.25, "words": "sensitivity of 95% at least"}, "compute": {"cpu_seconds": 3.0},
    }  # fmt: skip
    return found | changes


def test_scores_are_told_with_what_they_mean() -> None:
    found = chosen(evidence())
    assert found is not None
    (part,) = found.parts
    assert part.title == "On patients that were held out in turn"
    assert "chance to rank" in part.scores[0]["words"]
    assert (part.scores[1]["title"], part.scores[1]["words"]) == ("predictive value of yes", "where 10% of all are yes")
    assert part.counted == ""
    assert part.figures == []
    assert chosen(evidence(classes=["benign", "malignant"])).yes.startswith("“Yes” is the answer malignant")  # type: ignore[union-attr]
    assert found.point == "It acts from a probability of 0.250 on: sensitivity of 95% at least."
    assert found.reason == "Because."
    assert found.left_out == ["lasso (not asked)"]


def test_only_gaps_that_exclude_zero_are_drawn() -> None:
    found = chosen(evidence())
    assert found is not None
    assert "sex F" in found.gaps
    assert "sex M" not in found.gaps
    assert [g["title"] for g in found.groups] == ["AUC", "AUC"]
    assert chosen(evidence(subgroups=[])).gaps == ""  # type: ignore[union-attr]


def test_models_of_a_study_have_no_choice() -> None:
    assert chosen(None) is None
    assert chosen({}) is None


def test_right_and_wrong_answers_are_one_sentence() -> None:
    found = chosen(evidence(confusion=[[44, 20], [9, 47]]))
    assert found is not None
    assert found.parts[0].counted == (
        "At the operating point, of 56 cases with yes, 47 were found and 9 missed; of 64 cases with no, 44 were"
        " cleared and 20 were false alarms."
    )

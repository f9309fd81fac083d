"""What is told beside the scores: sentences with the right numbers, figures where there are points, none elsewhere."""

from __future__ import annotations

import pytest

from radlake.report.account import alone, borne, compute, crossed, figures, mistakes, seeds, sets, table_one


def test_two_classes_have_three_figures_and_values_two() -> None:
    line = [[0.0, 0.0], [0.5, 0.8], [1.0, 1.0]]
    drawn = {
        "roc": line, "decision": line, "everybody": line,
        "reliability": [
            {"predicted": 0.2, "observed": 0.1, "cases": 10}, {"predicted": 0.8, "observed": 1.0, "cases": 9},
        ],
    }  # fmt: skip
    found = figures(drawn)
    assert [f.title for f in found] == ["ROC curve", "Reliability", "Decision curve"]
    assert "whisker" in found[1].svg
    assert "dashed" in found[2].svg
    assert [f.title for f in figures({"values": [[1.0, 1.5], [2.0, 2.0]]})] == [
        "Prediction and truth", "Differences (Bland–Altman)",
    ]  # fmt: skip
    assert figures({}) == []


def test_training_comes_before_test_in_table_one() -> None:
    lines = [
        {"name": "age_years", "value": "", "parts": {"test": "70", "train": "60"}, "difference": 0.4},
        {"name": "sex", "value": "F", "parts": {"train": "5 (50%)"}, "difference": None},
    ]
    parts, rows = table_one(lines)
    assert parts == ["train", "test"]
    assert [r["texts"] for r in rows] == [["60", "70"], ["5 (50%)", "0"]]
    assert rows[0]["name"] == "age years"


def test_seeds_are_told_only_where_there_are_several() -> None:
    assert seeds([{"repeat": 0, "auc": 0.9}]) == ""
    assert seeds([{"repeat": 0, "auc": 0.9}, {"repeat": 1, "auc": 0.92}]) == (
        "The folds were drawn 2 times: AUC 0.900, 0.920. So much is the luck of the draw."
    )


def test_sets_say_how_often_the_model_does_not_know() -> None:
    said = sets({"coverage": 0.9, "held": 0.92, "by_class": [0.95, 0.85], "sure": 0.7, "right": 0.93, "none": 0.0})
    assert "They held it in 92% (85% in the class that did worst)" in said
    assert "In 70% of the cases one class was left, and 93% of these were right" in said
    assert "without end" in sets({"coverage": 0.9, "held": 1.0, "width": None})
    assert sets(None) == ""


def test_the_best_single_measure_is_a_baseline_in_words() -> None:
    found = {"feature": "morph_diam", "alone": 0.9, "value": 0.02, "low": 0.01, "high": 0.03}
    assert alone(found).endswith("gains +0.020 [+0.010, +0.030]: the model is better.")
    assert "not shown to be better" in alone(found | {"low": -0.01})
    assert "does not reach it" in alone(found | {"low": -0.03, "high": -0.01})
    assert alone(None) == alone(found | {"low": None}) == ""


def test_mistakes_and_costs_are_sentences() -> None:
    rows = mistakes([
        {"unit_id": "im-1", "truth": "1", "answer": "0", "said": 0.034}, {"unit_id": "im-2", "truth": 3.0, "said": 4.5},
    ])  # fmt: skip
    assert [r["words"] for r in rows] == [
        "truth 1, answered 0; the truth got a probability of 0.03",
        "truth 3, predicted 4.5",
    ]
    assert compute({"cpu_seconds": 75.0, "budget": "2m"}).endswith("1 min 15 s of processor time, of a budget of 2m.")


@pytest.mark.parametrize(("score", "told"), [(0.91, "AUC 0.910 as they are"), (None, "trained on them")])
def test_worse_pictures_are_told_with_their_level(score: float | None, told: str) -> None:
    rows = [
        {"kind": "noise", "level": 0.0, "score": score, "change": 0.0},
        {"kind": "noise", "level": 0.05, "score": score, "change": 0.1},
        {"kind": "shift", "level": 2.0, "score": score, "change": 0.2},
    ]
    said, found = borne({"pictures": 40, "unseen": score is not None, "rows": rows}, "binary")
    assert said.startswith("40 pictures were made worse on purpose")
    assert told in said
    assert [r["level"] for r in found] == ["5% of the range of intensities", "2 pixels"]
    assert borne(None, "binary") == ("", [])


def test_answers_of_many_classes_are_crossed_with_the_truth() -> None:
    found = crossed([[3, 1, 0], [0, 2, 0], [0, 0, 4]], ["a", "b", "c"])
    assert found is not None
    assert found["words"] == "9 of 10 cases are on the diagonal: answered with their own class."
    assert crossed([[1, 2], [3, 4]], []) is None

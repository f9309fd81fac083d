"""The page of an evaluation: on whom, where the model acts, scores by their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from radlake.learn.evaluation.record import drawn, worst
from radlake.learn.evaluation.scores import Answered, evaluate
from radlake.learn.training import rows
from radlake.report.evaluation_page import write


def found(**options: Any) -> dict[str, Any]:
    """An evaluation of 60 cases."""
    y = np.arange(60) % 2
    p = np.clip(0.3 + 0.4 * y + 0.2 * np.random.default_rng(0).normal(size=60), 0.01, 0.99)
    given = Answered("binary", y, np.stack([1 - p, p], axis=1)[None], np.arange(60), called=p[None] >= 0.2)
    return {
        "model": "a model", "target": "ill", "split": "test", "cases": 60, "patients": 60, "left_out": 7, "outside": 1,
        "scores": rows(evaluate(given)), "drawn": drawn(given),
        "worst": worst(given, np.arange(60).astype(str), (0, 1)),
        "sets": None, "subgroups": [], "classes": [0, 1], "unknown": 0,
        "operating": {"threshold": 0.2, "words": "probability of 0.2", "goal": {}},
    } | options  # fmt: skip


def test_it_says_on_whom_and_from_where_on_the_model_acts(tmp_path: Path) -> None:
    text = write(found(unknown=60), tmp_path / "a page 页").read_text(encoding="utf-8")
    for words in (
        "Tried on 60 cases of 60 patients. The patient is not known of 60: each counts as one.",
        "7 cases of the training were left out. 1 case is unlike those of training.",
        "It acts from a probability of 0.200 on",
        "accuracy of the likelier answer",
        "accuracy at the operating point",
    ):
        assert words in text
    told = json.loads((tmp_path / "a page 页" / "evaluation.json").read_bytes())
    by_name = {row["metric"]: row["value"] for row in told["scores"]}
    assert by_name["accuracy_of_likelier_answer"] > by_name["accuracy_at_operating_point"]


def test_a_model_that_has_no_operating_point_says_nothing_of_one(tmp_path: Path) -> None:
    assert "It acts from" not in write(found(operating=None), tmp_path).read_text(encoding="utf-8")

"""The page of one model: all of its evidence, no picture of a patient, foreign text escaped."""

from __future__ import annotations

from pathlib import Path

from radlake.report.model_page import write
from tests.report.test_chosen import evidence


def test_a_model_has_a_page_of_its_own(tmp_path: Path) -> None:
    line = [[0.0, 0.0], [1.0, 1.0]]
    found = evidence(
        flow=[{"words": "cases with a label and something to learn from", "n": 40, "patients": 20}],
        drawn={"evaluation": {"roc": line, "decision": line, "everybody": line, "confusion": [[5, 1], [2, 6]]}},
        worst={"evaluation": [{"unit_id": "<i>", "truth": "1", "answer": "0", "said": 0.1}]}, holds_rows=True,
        leakage=[{"name": "site", "level": "unknown", "message": "the site is not known"}],
    )  # fmt: skip
    tried = {"standard_error": 0.01, "repeats": 3, "brier": None, "fit_seconds": 1.0, "predict_ms": 0.1,
             "megabytes": 0.1, "complexity": 3, "grade": "B"}  # fmt: skip
    found["table"][0] |= tried
    text = write(tmp_path / "模型", name="logistic <b>", target="ill_or_not", evidence=found).read_text("utf-8")
    assert "Logistic &lt;b&gt; for “ill or not”" in text
    assert "holds rows of training cases" in text
    assert "At the operating point, of 8 cases with yes, 6 were found and 2 missed" in text
    assert "&lt;i&gt;" in text
    assert 'src="data:image/png' not in text
    assert text.count('aria-label="ROC curve"') == 1

"""The page that explains a model: its own words, no foreign markup, and the numbers beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from radlake.report.explanation import contents, title, write


def found(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "model": "decision tree", "target": "ill_or_not", "cases": 40, "features": 2, "score": "AUC",
        "coefficients": [{"feature": "morph_volume", "weight": -0.5, "ratio": 0.61}],
        "rules": ["if morph_volume <= 3.2: answer 1, right in 90% (20 cases)"],
        "importance": [
            {"feature": "morph_volume", "drop": 0.3, "spread": 0.02}, {"feature": "<b>", "drop": 0.0, "spread": 0.0},
        ],
        "shapley": [],
        "dependence": [{"feature": "morph_volume", "values": [1.0, 2.0], "answers": [0.2, 0.8]}],
        "checks": [{"name": "deletion", "good": False, "words": "shows nothing"}],
        "each": [{
            "unit_id": "im-0001", "answer": 0.7, "parts": [{"feature": "morph_volume", "value": 0.4}],
            "change": {
                "features": ["morph_volume"], "before": [1.0], "after": [2.0], "distance": 1.0, "probability": 0.4,
            },
        }],
    }  # fmt: skip
    return told | changes


def test_features_are_told_in_words_and_foreign_text_is_escaped(tmp_path: Path) -> None:
    page = write(found(), tmp_path / "why 为什么")
    text = page.read_text("utf-8")
    assert title("morph_volume") in text
    assert "≤ 3.2" in text
    assert "&lt;b&gt;" in text
    assert 'class="note bad"' in text
    assert f"{title('morph_volume')} from 1 to 2" in text
    assert json.loads((page.parent / "explanation.json").read_text())["cases"] == 40


def test_parts_that_are_not_there_leave_no_heading() -> None:
    shown = contents(found(coefficients=[], rules=[], dependence=[], each=[]))
    assert shown["coefficients"] == shown["rules"] == shown["dependence"] == []
    assert not shown["shapley"]

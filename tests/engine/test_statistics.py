from __future__ import annotations

import json
from pathlib import Path

import pytest

from radlake.core.errors import UsageError
from radlake.engine.statistics import LEDGER, BudgetSpent, Question, statistics
from radlake.lake.parts import write_part
from radlake.lake.store import Change, Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Thirty patients, two of them with CT and MR, and one series of nobody."""
    lake = Lake.create(tmp_path / "lake", key_fingerprint="1f2e")
    series = [
        {"owner": f"se-{i}", "series_id": f"se-{i}", "patient_id": f"pt-{i % 30}", "patient_known": True,
         "modality": "CT" if i < 30 else "MR", "sex": "F" if i % 30 < 18 else "M", "age_years": 40.0 + i % 30}
        for i in range(32)
    ]  # fmt: skip
    series.append({"owner": "se-x", "series_id": "se-x", "patient_id": None, "patient_known": False, "modality": "CT"})
    clinical = [{"owner": "t", "patient_id": f"pt-{i}", "name": "psa", "number": float(i)} for i in range(30)] + [
        {"owner": "t", "patient_id": f"pt-{i}", "name": "stage", "value": "II"} for i in range(30)
    ]
    parts = {"series": series, "clinical": clinical}
    changes = [
        Change(t, (write_part(lake.root, lake.private, t, rows, name="a"),))  # type: ignore[arg-type]
        for t, rows in parts.items()
    ]
    lake.commit("run1", 0, changes)
    return lake


def test_patients_are_counted_once_and_small_cells_withheld(lake: Lake) -> None:
    answer = statistics(lake, Question(("sex",), ("age", "psa"), k=11))
    lines = {line.cell: line for line in answer.lines}
    assert {cell: line.count for cell, line in lines.items()} == {("F",): 18, ("M",): 12, ("(all)",): 30}
    assert lines["F",].means == {"age": 40 + 8.5, "psa": 8.5}
    assert answer.unknown is None  # one series of nobody: fewer than k
    both = statistics(lake, Question(("modality",), k=11))
    assert {line.cell: line.count for line in both.lines} == {("CT",): None, ("CT+MR",): None, ("(all)",): 30}


def test_numbers_can_make_cells_and_words_too(lake: Lake) -> None:
    bins = {"age": (40.0, 55.0, 70.0)}
    lines = statistics(lake, Question(("age",), bins=bins, k=11)).lines
    assert [(line.cell, line.count) for line in lines] == [(("40-55",), 15), (("55-70",), 15), (("(all)",), 30)]
    assert statistics(lake, Question(("stage",), k=11)).lines[0].cell == ("II",)


def test_answers_with_noise_spend_the_budget_until_it_is_gone(lake: Lake) -> None:
    pytest.importorskip("opendp")
    ask = Question(("sex",), ("age",), epsilon=1.0)
    first = statistics(lake, ask, budget=2.5)
    assert (first.epsilon, first.left) == (1.0, 1.5)
    assert statistics(lake, ask, budget=99).left == 0.5  # the first budget counts
    with pytest.raises(BudgetSpent, match=r"cost epsilon 1, and 0.5 of 2.5 is left"):
        statistics(lake, ask)
    entries = [json.loads(line) for line in (lake.private / LEDGER).read_text().splitlines()]
    assert [e.get("epsilon") for e in entries] == [None, 1.0, 1.0]


def test_what_cannot_be_asked_is_refused_before_anything_is_spent(lake: Lake) -> None:
    for question, message in (
        (Question(("sexx",)), "did you mean sex"),
        (Question(("sex",), ("agee",)), "did you mean age"),
        (Question(()), "at least one"),
        (Question(("sex",), k=1), "at least 2"),
        (Question(("sex",), ("psa",), epsilon=1.0), "--bounds psa"),
    ):
        with pytest.raises(UsageError, match=message):
            statistics(lake, question)
    assert not (lake.private / LEDGER).exists()

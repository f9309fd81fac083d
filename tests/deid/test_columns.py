"""Columns of clinical tables: numbers stay, dates move, categories are shown or coded, texts are cleaned."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.deid.columns import Cell, cleaner, column_kind, safe_name
from radlake.deid.pseudonyms import shift_days

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("volume", ["1.5", "2", ".5", "1e-3", None], "number"),
        ("volume", [1, 2.5, float("nan")], "number"),
        ("code", ["007", "012"], "category"),
        ("seen", ["2024-03-01", ""], "date"),
        ("seen", [date(2024, 3, 1), datetime(2024, 3, 1, 10)], "date"),
        ("seen", [20240301, 20240302], "date"),
        ("stage", ["I", "II", "I"], "category"),
        ("remark", [f"free text {n}" for n in range(60)], "text"),
        ("PatientID", [1, 2], "identity"),
        ("patient_name", ["a", "a"], "identity"),
        ("number", [10_001, 10_002, 10_003], "identity"),
        ("volume", [10_001.5, 10_002.5], "number"),
    ],
)
def test_name_and_values_tell_what_a_column_holds(name: str, values: list[Any], kind: str) -> None:
    assert column_kind(name, values) == kind


def test_numbers_stay_and_ages_are_capped() -> None:
    assert cleaner("volume", ["95", "1"], KEY)("95", "pt-a") == Cell(95.0)
    assert cleaner("age", ["95", "40"], KEY)("95", "pt-a") == Cell(90.0)
    assert cleaner("age", ["95", "40"], KEY)(None, "pt-a") == Cell()


def test_dates_move_with_the_patient() -> None:
    clean = cleaner("seen", ["2024-03-01"], KEY)
    moved = date.fromisoformat(clean("2024-03-01", "pt-a").text or "")
    assert (moved - date(2024, 3, 1)).days == shift_days(KEY, "pt-a")


def test_categories_are_shown_where_their_words_are_known_else_coded() -> None:
    clean = cleaner("grade", ["severe", "Zyxq", "severe", "M"], KEY)
    assert clean("severe", "").text == "severe"
    assert clean("M", "").text == "M"
    code = clean("Zyxq", "").text
    assert code is not None
    assert code.startswith("code-")
    assert code == clean(" Zyxq", "").text != cleaner("grade", ["Zyxq"], b"o" * 32)("Zyxq", "").text


def test_words_of_truth_become_numbers() -> None:
    clean = cleaner("recurrence", ["yes", "no"], KEY)
    assert [clean(v, "") for v in ("yes", "No")] == [Cell(1.0, "yes"), Cell(0.0, "No")]


def test_identities_are_never_shown() -> None:
    assert "4711" not in str(cleaner("MRN", [4711, 4712], KEY)(4711, "pt-a"))


@given(st.lists(st.one_of(st.none(), st.text(max_size=6), st.integers(), st.floats()), max_size=6))
def test_any_column_can_be_cleaned(values: list[Any]) -> None:
    clean = cleaner("x", values, KEY)
    assert all(isinstance(clean(v, "pt-a"), Cell) for v in values)


@given(st.text(max_size=80))
def test_names_of_columns_become_plain_and_short(name: str) -> None:
    assert safe_name(name).replace("_", "").isalnum()
    assert len(safe_name(name)) <= 64

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.errors import UsageError
from radlake.deid.anonymity import distance, measure, reach

# Li, Li and Venkatasubramanian (2007), table 4: a 3-diverse version of nine patients.
PUBLISHED = pa.table(
    {
        "zip": ["476**"] * 3 + ["4790*"] * 3 + ["476**"] * 3,
        "age": ["2*"] * 3 + [">=40"] * 3 + ["3*"] * 3,
        "salary": [3, 4, 5, 6, 11, 8, 7, 9, 10],
        "disease": [
            "gastric ulcer", "gastritis", "stomach cancer", "gastritis", "flu", "bronchitis", "bronchitis", "pneumonia",
            "stomach cancer",
        ],
    }
)  # fmt: skip


def test_a_published_table_has_its_published_figures() -> None:
    found = measure(PUBLISHED, ["zip", "age"], ["salary", "disease"])
    assert (found.rows, found.classes, found.k, found.alone) == (9, 3, 3, 0)
    assert found.diversity == {"salary": 3, "disease": 3}
    assert found.closeness["salary"] == pytest.approx(0.375)  # their section 5.1: D[P1, Q] = 0.375
    assert found.entropy["salary"] == pytest.approx(3)


def test_the_published_distances_are_found() -> None:
    salaries = PUBLISHED["salary"].to_pylist()
    assert distance([6, 8, 11], salaries) == pytest.approx(0.167, abs=5e-4)  # D[P2, Q] = 0.167
    assert distance(salaries, salaries) == 0
    assert distance(["a"], ["a", "b", "b", "b"]) == pytest.approx(0.75)


def test_a_row_that_no_other_equals_is_counted() -> None:
    found = measure(pa.table({"sex": ["F", "F", "M"], "hiv": ["no", "no", "yes"]}), ["sex"], ["hiv"])
    assert (found.k, found.alone, found.diversity["hiv"], found.entropy["hiv"]) == (1, 1, 1, 1.0)


def test_ages_are_halved_at_their_median() -> None:
    table = pa.table({"age": [21, 22, 25, 40, 41, 47], "sex": list("FMFMFM"), "x": [1, 2, 3, 4, 5, 6]})
    found = reach(table, ["age"], 3)
    assert found["age"].to_pylist() == ["21-25"] * 3 + ["40-47"] * 3
    assert found["x"].to_pylist() == [1, 2, 3, 4, 5, 6]


def test_words_become_sets_and_missing_values_are_told() -> None:
    found = reach(pa.table({"sex": ["F", "M", None]}), ["sex"], 3)
    assert found["sex"].to_pylist() == ["F, M, missing"] * 3


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 99) | st.none(), st.sampled_from("FMO")), min_size=4, max_size=60),
    st.integers(2, 4),
)
def test_every_table_reaches_its_k_and_every_value_lies_in_its_range(
    rows: list[tuple[int | None, str]], k: int
) -> None:
    table = pa.table({"age": pa.array([a for a, _ in rows], pa.int64()), "sex": [s for _, s in rows]})
    found = reach(table, ["age", "sex"], k)
    assert measure(found, ["age", "sex"]).k >= k
    for (age, sex), text, sexes in zip(rows, found["age"].to_pylist(), found["sex"].to_pylist(), strict=True):
        assert sex in sexes.split(", ")
        numbers = [float(n) for part in text.split(", ") if part != "missing" for n in part.split("-")]
        assert "missing" in text if age is None else min(numbers) <= age <= max(numbers)


@pytest.mark.parametrize(
    ("quasi", "sensitive", "message"),
    [([], [], "at least one"), (["agee"], [], "no column"), (["age"], ["age"], "not both")],
)
def test_columns_that_make_no_sense_are_refused(quasi: list[str], sensitive: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        measure(pa.table({"age": [1, 2]}), quasi, sensitive)


def test_a_k_beyond_the_rows_is_refused() -> None:
    with pytest.raises(UsageError, match="at most the 2 rows"):
        reach(pa.table({"age": [1, 2]}), ["age"], 3)

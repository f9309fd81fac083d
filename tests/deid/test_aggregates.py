from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.deid.aggregates import ALL, Person, aggregate, binned, cell_of, margins, withheld

COUNTS = st.lists(st.integers(0, 9), min_size=2, max_size=6)
TABLES = st.integers(2, 3).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 9), min_size=n, max_size=n), min_size=2, max_size=3)
)


def people(counts: dict[tuple[str, ...], int], names: tuple[str, ...]) -> list[Person]:
    """As many patients as a table says."""
    return [
        Person({n: frozenset({v}) for n, v in zip(names, cell, strict=True)}, {"age": 40.0 + 10 * i})
        for cell, count in counts.items()
        for i in range(count)
    ]


def table(rows: list[list[int]]) -> dict[tuple[str, ...], int]:
    """A table of counts by two columns, without its empty cells."""
    return {(f"r{i}", f"c{j}"): n for i, row in enumerate(rows) for j, n in enumerate(row) if n}


def test_a_small_cell_takes_its_complement_with_it() -> None:
    # F 20, M 15, O 2: O is small, and 37 - 20 - 15 would tell it, so M goes too.
    assert withheld({("F",): 20, ("M",): 15, ("O",): 2}, 11) == {("O",), ("M",)}


def test_without_small_cells_nothing_is_withheld() -> None:
    counts = {("F",): 20, ("M",): 15}
    assert withheld(counts, 11) == set()
    lines = aggregate(people(counts, ("sex",)), by=["sex"], k=11)
    assert [(line.cell, line.count) for line in lines] == [(("F",), 20), (("M",), 15), ((ALL,), 35)]


def test_in_two_columns_a_rectangle_is_withheld() -> None:
    counts = {("F", "CT"): 3, ("F", "MR"): 30, ("M", "CT"): 25, ("M", "MR"): 40}
    assert withheld(counts, 11) == set(counts)  # any three of the four, with the margins, tell the fourth


def test_means_are_withheld_with_their_cells_and_where_few_have_a_number() -> None:
    group = people({("F",): 12, ("M",): 12}, ("sex",))
    few = [Person(p.values, p.numbers if i < 14 else {}) for i, p in enumerate(group)]
    lines = {line.cell: line for line in aggregate(few, by=["sex"], means=["age"], k=11)}
    assert lines["F",].count == lines["M",].count == 12
    assert lines["M",].means == {"age": None}  # two men only have an age
    assert lines["F",].means == {"age": None}  # with the total it would tell theirs
    assert lines[ALL,].means["age"] == pytest.approx((12 * 95 + 40 + 50) / 14)


def solutions(
    totals: dict[tuple[str, ...], int], inner: list[tuple[str, ...]], hidden: set[tuple[str, ...]]
) -> list[tuple[int, ...]]:
    """All tables of counts up to a bound that agree with what is published: by trying every one."""
    published = {c: n for c, n in totals.items() if c not in hidden}
    found = []
    for numbers in itertools.product(range(10), repeat=len(inner)):
        sums: Counter[tuple[str, ...]] = Counter()
        for cell, n in zip(inner, numbers, strict=True):
            for margin in margins({cell: 1}):
                sums[margin] += n
        if all(sums[c] == n for c, n in published.items()):
            found.append(numbers)
    return found


@settings(max_examples=15)
@given(st.lists(st.integers(1, 3), min_size=2, max_size=3), st.integers(2, 3))
def test_no_withheld_small_number_can_be_computed_by_trying_all(counts: list[int], k: int) -> None:
    cells = {(f"c{i}",): n for i, n in enumerate(counts)}
    hidden = withheld(cells, k)
    inner = sorted(cells)
    possible = solutions(margins(cells), inner, hidden)
    for place, cell in enumerate(inner):
        if cells[cell] < k:
            assert len({numbers[place] for numbers in possible}) > k - 1 or (ALL,) in hidden


@settings(max_examples=25)
@given(TABLES, st.integers(2, 5))
def test_no_withheld_small_number_follows_from_linear_equations(rows: list[list[int]], k: int) -> None:
    cells = table(rows)
    if not cells:
        return
    hidden, inner = withheld(cells, k), sorted(cells)
    published = [c for c in margins(cells) if c not in hidden]
    matrix = np.array(
        [[all(a in (ALL, b) for a, b in zip(c, i, strict=True)) for i in inner] for c in published], float
    )
    for cell in margins(cells):
        if 0 < margins(cells)[cell] < k:
            assert cell in hidden
            aim = np.array([all(a in (ALL, b) for a, b in zip(cell, i, strict=True)) for i in inner], float)
            rank = np.linalg.matrix_rank(matrix) if published else 0
            assert np.linalg.matrix_rank(np.vstack([matrix.reshape(-1, len(inner)), aim])) == rank + 1


def test_who_has_several_values_is_of_a_kind_of_his_own() -> None:
    both = Person({"modality": frozenset({"MR", "CT"})})
    assert cell_of(both, ["modality"]) == ("CT+MR",)
    assert sum(line.count or 0 for line in aggregate([both] * 5, by=["modality"], k=2)) == 10


def test_a_k_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        aggregate([], by=["sex"], k=1)


def test_bins_hold_their_lower_edge() -> None:
    assert [binned(v, [0, 10, 20]) for v in (0, 9.9, 10, 20, None)] == [
        "0-10",
        "0-10",
        "10-20",
        "(unknown)",
        "(unknown)",
    ]

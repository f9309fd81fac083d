"""Measures of tables that count levels and extents, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.features.emphases import counted, emphases, sparse

matrices = arrays.arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.integers(0, 9))


def test_a_table_of_two_cells_by_hand() -> None:
    # 3 runs of level 2 and length 1, 1 run of level 1 and length 4: 7 voxels
    found = emphases(np.array([1, 2]), np.array([4, 1]), np.array([1, 3]), voxels=7)
    expected = (
        (1 / 16 + 3) / 4, (16 + 3) / 4, (1 + 3 / 4) / 4, (1 + 12) / 4,
        (1 / 16 + 3 / 4) / 4, (1 / 16 + 12) / 4, (16 + 3 / 4) / 4, (16 + 12) / 4,
        (1 + 9) / 4, (1 + 9) / 16, (1 + 9) / 4, (1 + 9) / 16, 4 / 7,
        3 / 16, 9 * 3 / 16, 0.25 * 2 + 0.75 * np.log2(4 / 3), 1 / 16 + 9 / 16,
    )  # fmt: skip
    assert found == pytest.approx(expected)


@settings(max_examples=40)
@given(matrices)
def test_sparse_tables_hold_all_and_merging_a_table_with_itself_changes_no_mean(matrix: np.ndarray) -> None:
    level, extent, count = sparse(matrix)
    assert (matrix[level - 1, extent - 1] == count).all()
    assert count.sum() == matrix.sum()
    once, twice = emphases(level, extent, count, 100), emphases(level, extent, 2 * count, 200)
    same = [k for k in range(17) if k not in (8, 10)]  # non-uniformities grow with the number
    assert [once[k] for k in same] == pytest.approx([twice[k] for k in same], nan_ok=True)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9)), max_size=30))
def test_counted_counts_each_pair_once(pairs: list[tuple[int, int]]) -> None:
    table = np.array(pairs, np.int32).reshape(-1, 2)
    level, extent, count = counted(table[:, 0], table[:, 1])
    found = {(i, j): n for i, j, n in zip(level.tolist(), extent.tolist(), count.tolist(), strict=True)}
    assert found == {pair: pairs.count(pair) for pair in pairs}


def test_an_empty_table_has_no_measures() -> None:
    empty = np.zeros(0, np.int64)
    assert np.isnan(emphases(empty, empty, empty, voxels=1)).all()

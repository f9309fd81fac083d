"""Measures of texture tables by hand, and their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.features.names import GLCM
from radlake.features.table_kernels import cooccurrences, emphases, emphases_of_list, tone_differences

NAMES = [f.name.removeprefix("cm_") for f in GLCM]
matrices = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 6)), elements=st.integers(0, 9)
)


def test_a_table_of_two_cells_by_hand() -> None:
    # 3 runs of level 2 and length 1, 1 run of level 1 and length 4: 7 voxels
    [found] = emphases(np.array([[[0, 0, 0, 1], [3, 0, 0, 0]]]), np.array([7]))
    expected = (
        (1 / 16 + 3) / 4, (16 + 3) / 4, (1 + 3 / 4) / 4, (1 + 12) / 4,
        (1 / 16 + 3 / 4) / 4, (1 / 16 + 12) / 4, (16 + 3 / 4) / 4, (16 + 12) / 4,
        (1 + 9) / 4, (1 + 9) / 16, (1 + 9) / 4, (1 + 9) / 16, 4 / 7,
        3 / 16, 9 * 3 / 16, 0.25 * 2 + 0.75 * np.log2(4 / 3), 1 / 16 + 9 / 16,
    )  # fmt: skip
    assert found == pytest.approx(expected)


@settings(max_examples=40)
@given(matrices)
def test_tables_are_measured_as_if_alone_and_twice_the_counts_change_no_mean(tables: np.ndarray) -> None:
    voxels = np.full(len(tables), 100)
    once, twice = emphases(tables, voxels), emphases(2 * tables, 2 * voxels)
    for t in range(len(tables)):
        assert np.array_equal(emphases(tables[t : t + 1], voxels[:1])[0], once[t], equal_nan=True)
        assert np.isnan(once[t]).all() == (tables[t].sum() == 0)
    same = [k for k in range(17) if k not in (8, 10)]  # non-uniformities grow with the number
    assert once[:, same] == pytest.approx(twice[:, same], nan_ok=True)
    assert np.array_equal(emphases(tables.astype(np.uint32), voxels), once, equal_nan=True)
    weighted = emphases(tables * 0.3, voxels * 0.3)
    assert weighted[:, same] == pytest.approx(once[:, same], nan_ok=True)
    assert weighted[:, [8, 10]] == pytest.approx(0.3 * once[:, [8, 10]], nan_ok=True)


@settings(max_examples=40)
@given(matrices)
def test_a_list_of_zones_is_measured_as_its_table(tables: np.ndarray) -> None:
    n, levels, extents = tables.shape
    codes = np.repeat(
        [(t * (levels + 1) + i + 1) * (extents + 1) + j + 1 for t, i, j in np.ndindex(n, levels, extents)],
        tables.reshape(-1),
    ).astype(np.int64)
    voxels = np.full(n, 50)
    found = emphases_of_list(codes, levels + 1, extents + 1, voxels)
    assert np.array_equal(found, emphases(tables, voxels), equal_nan=True)


def test_four_pixels_by_hand() -> None:
    # 1 beside 1, 1 beside 2, 2 beside 2: p = (2, 1; 1, 2) / 6
    found = dict(zip(NAMES, cooccurrences(np.array([[[1, 1], [0, 1]]]))[0], strict=True))
    joint = -(4 / 6 * np.log2(2 / 6) + 2 / 6 * np.log2(1 / 6))
    expected = {
        "joint_max": 2 / 6, "joint_avg": 1.5, "joint_var": 0.25, "joint_entr": joint, "diff_avg": 2 / 6,
        "diff_var": 2 / 6 * 4 / 6, "diff_entr": -(4 / 6 * np.log2(4 / 6) + 2 / 6 * np.log2(2 / 6)), "sum_avg": 3.0,
        "sum_var": 4 / 6, "sum_entr": np.log2(3), "energy": 10 / 36, "contrast": 2 / 6, "dissimilarity": 2 / 6,
        "inv_diff": 5 / 6, "inv_diff_norm": 4 / 6 + 2 / 6 / 1.5, "inv_diff_mom": 5 / 6,
        "inv_diff_mom_norm": 4 / 6 + 2 / 6 / 1.25, "inv_var": 2 / 6, "corr": 1 / 3, "auto_corr": (2 + 4 + 8) / 6,
        "clust_tend": 4 / 6, "clust_shade": 0.0, "clust_prom": 4 / 6, "info_corr1": joint - 2,
        "info_corr2": np.sqrt(1 - np.exp(-2 * (2 - joint))),
    }  # fmt: skip
    assert found == pytest.approx(expected)


@settings(max_examples=40)
@given(arrays.arrays(np.int64, st.tuples(st.integers(1, 3), *[st.just(4)] * 2), elements=st.integers(0, 9)))
def test_pairs_count_the_same_in_either_direction(tables: np.ndarray) -> None:
    turned = np.ascontiguousarray(tables.transpose(0, 2, 1))
    assert np.array_equal(cooccurrences(tables), cooccurrences(turned), equal_nan=True)
    assert np.array_equal(cooccurrences(tables[:1])[0], cooccurrences(tables)[0], equal_nan=True)


def test_a_level_beside_itself_or_beside_the_other() -> None:
    found = cooccurrences(np.array([[[3, 0], [0, 3]], [[0, 3], [3, 0]], [[0, 0], [0, 0]]]))[:, NAMES.index("corr")]
    assert found.tolist()[:2] == [1.0, -1.0]
    assert np.isnan(found[2])


def test_two_levels_by_hand() -> None:
    # level 1: 2 voxels, differences 3 in all; level 2: 1 voxel, difference 1; p = 2/3, 1/3
    found = tone_differences(np.array([[3.0, 1.0]]), np.array([[2, 1]]), 1e6)[0]
    expected = (
        1 / (2 / 3 * 3 + 1 / 3),
        2 * (2 / 3 * 1 / 3) / 2 * 4 / 3,
        0.0,  # 1 p1 = 2 p2: nothing to divide by
        2 * 1 * (2 / 3 * 3 + 1 / 3) / 1 / 3,
        2 * 1 * 1 / 4,
    )
    assert found == pytest.approx(expected)

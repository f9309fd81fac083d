"""What is asked: shapes, words, patients and duplicates, and messages for what cannot be learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as with_values
from hypothesis import settings
from hypothesis import strategies as st

from radlake.core.errors import UsageError
from radlake.learn.problem import fingerprint, join, problem

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.arange(40) % 2


def test_a_data_frame_keeps_its_names_and_words_become_classes() -> None:
    frame = pd.DataFrame({"size": [1.0, 2.0, None, 4.0], "form": [3, 1, 2, 2]})
    found = problem(frame, ["ill", "well", "ill", "well"])
    assert found.names == ("size", "form")
    assert found.classes == ("ill", "well")
    assert np.isnan(found.features[2, 0])


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (Y, "binary"), (Y.astype(bool), "binary"), (np.arange(40) % 7, "multiclass"), (X[:, 0], "regression"),
        (np.arange(40), "regression"), ([f"c{i % 3}" for i in range(40)], "multiclass"),
    ],
)  # fmt: skip
def test_the_task_follows_from_the_outcome(y: Any, task: str) -> None:
    assert problem(RNG.normal(size=(40, 3)), y).task == task


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.zeros(40)}, "all cases have the same label"),
        ({"y": Y[:7]}, "one entry for each of the 40 cases"),
        ({"y": [None, *Y[1:]]}, "1 of 40 entries of the outcome are missing"),
        ({"y": np.where(Y, np.nan, 1.5)}, "20 of 40 entries of the outcome are missing"),
        ({"features": np.full((40, 3), 2.0)}, "no feature varies"),
        ({"features": np.full((40, 3), np.nan)}, "no feature varies"),
        ({"features": X[:, 0]}, "cases by features"),
        ({"features": np.where(X > 1, np.inf, X)}, "infinite values: "),
        ({"features": np.column_stack([X, Y])}, "'feature 4' is the outcome itself"),
        ({"features": np.column_stack([X, np.where(Y, 7.5, -2)])}, "'feature 4' is the outcome itself"),
        ({"names": ["a", "b"]}, "expected 3 different names"),
        ({"names": ["a", "b", "a"]}, "expected 3 different names"),
        ({"y": np.arange(40) % 3, "task": "binary"}, "has 3 classes"),
        ({"y": [f"c{i % 3}" for i in range(40)], "task": "regression"}, "holds text"),
        ({"groups": Y[:3]}, "groups must have one entry"),
        ({"groups": [None] * 40}, "entries of groups are missing"),
    ],
)
def test_what_cannot_be_learned_from_is_told(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        problem(**{"features": X, "y": Y, **change})


def test_columns_with_text_are_named_and_never_quoted() -> None:
    frame = pd.DataFrame({"size": X[:, 0], "report": ["Mrs Miller"] * 40})
    with pytest.raises(UsageError, match="columns with text: report;") as told:
        problem(frame, Y)
    assert "Miller" not in str(told.value)


def test_patients_clusters_and_equal_rows_are_joined() -> None:
    x = RNG.normal(size=(40, 3))
    x[5] = x[9]
    found = problem(x, Y, groups=np.arange(40) // 2, clusters=np.where(np.arange(40) < 36, np.arange(40), 99))
    same = found.groups
    assert same[4] == same[5] == same[8] == same[9]
    assert len(set(same[36:])) == 1
    assert len(np.unique(same)) == 18
    assert fingerprint(found).duplicates == 2


def test_equal_rows_of_coarse_features_are_other_people() -> None:
    coarse = (X > 0).astype(float)
    assert len(np.unique(problem(coarse, Y).groups)) == 40


@settings(max_examples=30)
@with_values(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20))
def test_joined_groups_are_the_finest_that_hold_all(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs).T
    joined = join(len(a), a, b)
    for one in (a, b):
        assert all(len(set(joined[one == g])) == 1 for g in one)
    parents = list(range(len(a)))  # the slow way: merge until nothing changes
    for _ in parents:
        for i in range(len(a)):
            for j in range(len(a)):
                if a[i] == a[j] or b[i] == b[j]:
                    parents[i] = parents[j] = min(parents[i], parents[j])
    assert len(np.unique(joined)) == len(set(parents))


def test_odd_features_are_found() -> None:
    x = np.column_stack([X, np.full(40, np.nan), np.full(40, 3.0), Y + 0.01 * X[:, 0]])
    found = fingerprint(problem(x, Y, names=["a", "b", "c", "void", "same", "leak"]))
    assert (found.empty, found.constant, found.too_good) == (("void",), ("same",), ("leak",))
    assert found.missing == pytest.approx(1 / 6)
    assert found.fewest == 20
    assert found.prevalence == (0.5, 0.5)

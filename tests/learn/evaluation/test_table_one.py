"""Table 1: counts, shares, quartiles and standardised differences."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.evaluation.table_one import table_one

PART = np.repeat(["train", "test"], [60, 40])


def test_words_are_counted_in_each_part() -> None:
    sex = np.array(["F"] * 30 + ["M"] * 30 + ["F"] * 10 + ["M"] * 30)
    lines = table_one({"sex": sex}, PART)
    assert [(line.value, dict(line.parts)) for line in lines] == [
        ("M", {"test": "30 (75%)", "train": "30 (50%)"}),
        ("F", {"test": "10 (25%)", "train": "30 (50%)"}),
    ]
    # Austin (2009): (.75 - .5) / sqrt((.75 * .25 + .5 * .5) / 2)
    assert lines[0].difference == pytest.approx(0.25 / np.sqrt((0.1875 + 0.25) / 2))


def test_quantities_have_quartiles_and_gaps_are_told() -> None:
    age = np.arange(100, dtype=float)
    age[95:] = np.nan
    quantity, gaps = table_one({"age": age}, PART)
    assert quantity.parts["train"] == "29.5 [14.8, 44.2]"
    assert gaps.value == "not known (5)"
    assert gaps.parts == {"test": "5 (12%)", "train": "0 (0%)"}


def test_rare_values_are_put_together() -> None:
    site = np.array([f"site {i % 14}" for i in range(100)])
    lines = table_one({"site": site}, PART)
    assert len(lines) == 10
    assert lines[-1].value == "other"
    assert table_one({"nothing": np.array([None] * 100)}, PART) == []

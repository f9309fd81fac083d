"""Answers: how sure they are, and that other cases are flagged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radlake.lake.store import Lake
from radlake.learn.cases import labelled, measured
from radlake.learn.predicting import predictions
from radlake.learn.training import Trained, train
from tests.learn.conftest import asked, measured_lake


def test_an_answer_has_a_probability_an_interval_and_what_is_possible(trained: Trained, tmp_path: Path) -> None:
    lake = measured_lake(tmp_path / "new", prefix="n", seed=5)
    found = predictions(trained.bundle, measured(lake))
    assert len(found) == 120
    y = labelled(lake, "ill").y
    held = [y[i] in row["possible"] for i, row in enumerate(found)]
    assert np.mean(held) == pytest.approx(0.9, abs=0.08)  # promised .9; three standard errors of 120 cases
    assert all(0 <= row["low"] <= row["high"] <= 1 for row in found)
    width = np.array([row["high"] - row["low"] for row in found])
    assert np.median(width) < 0.3
    point = (trained.bundle.evidence or {})["operating"]["threshold"]
    assert all((row["answer"] == 1) == (row["probability"] >= point) for row in found)
    assert all(row["sure"] == (len(row["possible"]) == 1) for row in found)
    assert np.mean([row["outside"] for row in found]) < 0.1


def test_cases_from_elsewhere_are_flagged(trained: Trained, tmp_path: Path) -> None:
    found = predictions(trained.bundle, measured(measured_lake(tmp_path / "far", patients=10, prefix="f", shift=6.0)))
    assert all(row["outside"] for row in found)
    assert all(row["reason"] for row in found)


def test_values_have_intervals_that_hold(cohort_lake: Lake, tmp_path: Path) -> None:
    bundle = train(labelled(cohort_lake, "amount"), asked("amount")).bundle
    lake = measured_lake(tmp_path / "new", prefix="n", seed=5)
    found = predictions(bundle, measured(lake))
    y = labelled(lake, "amount").y
    inside = [row["low"] <= value <= row["high"] for value, row in zip(y, found, strict=True)]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.08)


def test_a_bundle_without_evidence_answers_without_intervals(trained: Trained) -> None:
    bare = replace(trained.bundle, evidence=None, contract=None)
    row = predictions(bare, trained.cases)[0]
    assert row["low"] is None
    assert row["possible"] is None
    assert not row["outside"]

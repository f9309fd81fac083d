"""A study: the truth that was built in comes out, with intervals that hold it."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.classical import LOGISTIC
from radlake.learn.study import Cases, Entry, answers, differences, entries, scores


@pytest.fixture(scope="module")
def cases() -> Cases:
    """Class depends on two features alike; the baseline sees one of them."""
    rng = np.random.default_rng(0)
    patients = np.char.mod("pt-%03d", np.repeat(np.arange(150), 2))
    x = rng.normal(size=(300, 3))
    y = (x[:, 0] + x[:, 1] + 0.5 * rng.normal(size=300) > 0).astype(np.int64)
    return Cases(np.char.mod("mk-%03d", np.arange(300)), patients, x, ("size", "form", "noise"), y)


def test_baselines_come_first_and_see_one_feature() -> None:
    compared = entries(("size", "form"), ("form",), {"logistic": LOGISTIC})
    assert [(e.name, e.inputs, e.baseline) for e in compared] == [
        ("form", ("form",), True),
        ("logistic regression", ("size", "form"), False),
    ]
    with pytest.raises(ValueError, match="'width' is no feature"):
        entries(("size",), ("width",), {})


def test_a_model_that_sees_more_is_found_better_than_the_baseline(cases: Cases) -> None:
    compared = entries(cases.names, ("size",), {"logistic": LOGISTIC})
    found = answers(cases, compared, folds=4, inner=3, repeats=2, seed=0)
    strata = {"all": np.ones(300, bool), "form above 0": cases.features[:, 1] > 0}
    rows = scores(cases, found, strata, replicates=500, seed=0)
    (auc,) = (r for r in rows if (r.entry, r.stratum, r.metric) == ("logistic regression", "all", "auc"))
    assert auc.low < auc.value < auc.high
    assert auc.value > 0.95
    assert (auc.cases, auc.patients) == (300, 150)
    assert {r.stratum for r in rows} == set(strata)
    gaps = differences(cases, found, compared, strata, replicates=500, seed=0)
    assert [(g.entry, g.metric) for g in gaps] == [("logistic regression", "auc_minus:size")] * 2
    assert gaps[0].low > 0.05
    assert gaps[0].note.startswith("patient bootstrap p = 0.00399; corrected resampled t =")
    assert "resampled" not in gaps[1].note


def test_a_model_against_itself_differs_by_nothing(cases: Cases) -> None:
    same = [Entry("a", LOGISTIC, ("size",), baseline=True), Entry("b", LOGISTIC, ("size",))]
    found = answers(cases, same, folds=3, inner=3, repeats=1, seed=0)
    (gap,) = differences(cases, found, same, {"all": np.ones(300, bool)}, replicates=50, seed=0)
    assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)
    assert gap.note == "patient bootstrap p = 1; corrected resampled t = 0.00, p = 1"


def test_an_undefined_score_is_nan_and_no_crash(cases: Cases) -> None:
    found = answers(cases, [Entry("a", LOGISTIC, ("size",))], folds=3, inner=3, repeats=1, seed=0)
    (auc, *_) = scores(cases, found, {"ill": cases.y == 1}, replicates=50, seed=0)
    assert auc.metric == "auc"
    assert np.isnan([auc.value, auc.low, auc.high]).all()

"""Studies, as a study itself wrote them."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from radlake.lake.store import Lake
from radlake.report.evidence import Stratum, Study, studies, wilson
from radlake.report.tables import Tables


@pytest.fixture
def found(cohort_tables: Tables, cohort: Lake) -> Study:
    """The one study of the small cohort."""
    (only,) = studies(cohort_tables, cohort.objects.get)
    return only


def test_models_come_before_baselines_in_one_order(found: Study) -> None:
    assert [(c.name, c.baseline, c.inputs) for c in found.contenders] == [
        ("logistic regression", False, 2), ("SVM (Gaussian kernel)", False, 2), ("form", True, 1),
    ]  # fmt: skip


def test_cases_patients_and_positives_are_those_of_the_labels(found: Study, cohort: Lake) -> None:
    positives = cohort.sql("SELECT sum(value) AS n FROM labels WHERE target = 'ill'")["n"][0].as_py()
    assert (found.cases, found.patients, found.positives) == (120, 60, positives)


def test_strata_hold_scores_forests_and_tests(found: Study) -> None:
    everything, part = found.strata
    assert (everything.title, part.title) == ("All cases", "Only cases with a size of -1 to 1 mm")
    assert part.cases < everything.cases
    assert [t.against for t in everything.tests] == ["form", "form"]
    assert everything.aucs.count('class="mark') == 3
    assert everything.differences.count('class="mark') == 2


def test_a_model_that_beats_the_baseline_is_said_to(found: Study) -> None:
    assert found.findings[0].startswith("Logistic regression on 2 features reaches an AUC of 0.9")
    assert "is better than each single measure" in found.findings[0]


def test_notes_and_counts_of_the_study_are_passed_on(found: Study) -> None:
    assert found.conclusion == "It shows what it shows."
    assert [(r["n"], r["patients"]) for r in found.flow] == [(150.0, 70.0)]


def test_calibration_has_intervals_because_bins_follow_from_the_predictions(found: Study) -> None:
    assert found.intervals
    assert found.calibration.count("whisker") == 2
    assert found.roc
    assert found.decision


def test_an_empty_lake_has_no_studies(empty_tables: Tables, empty: Lake) -> None:
    assert studies(empty_tables, empty.objects.get) == []


@pytest.mark.parametrize(("positives", "n"), [(0, 5), (3, 10), (10, 10), (77, 1000)])
def test_wilson_agrees_with_scipy(positives: int, n: int) -> None:
    expected = binomtest(positives, n).proportion_ci(0.95, method="wilson")
    assert wilson(positives, n) == pytest.approx((expected.low, expected.high))


def verdict(*intervals: tuple[float, float]) -> str:
    """What is said of a model with these paired differences."""
    from radlake.report.evidence import Contender, Test, _verdict

    who = Contender("mo-a", "a model", 3, False, 0, None)
    scores = [{"value": (low + high) / 2, "low": low, "high": high} for low, high in intervals]
    return _verdict([Test(who, "volume alone", score) for score in scores])


def test_the_verdict_follows_the_intervals() -> None:
    assert "not shown to be better than a single measure" in verdict((-0.1, 0.2), (-0.2, 0.1))
    assert "better than 1 of 2" in verdict((-0.1, 0.2), (0.01, 0.2))
    assert "better than each" in verdict((0.01, 0.2))
    assert "worse than 1 of 2" in verdict((0.01, 0.2), (-0.2, -0.1))
    assert verdict() == ""


def test_an_undefined_score_is_left_out_of_the_forest() -> None:
    from radlake.report.evidence import Contender, _stratum

    who = Contender("mo-a", "a model", 3, False, 0, None)
    row = {"model_id": "mo-a", "stratum": "all", "metric": "auc", "value": None, "low": None, "high": None}
    made: Stratum = _stratum("all", [row | {"cases": 2, "patients": 2, "note": None}], [who])
    assert (made.aucs, made.differences, made.tests) == ("", "", [])

"""A whole model explained: every part is there, the checks tell right from wrong, and other inputs are refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.lake.store import Lake
from radlake.learn.cases import Cohort, labelled
from radlake.learn.explain.model import explain
from radlake.learn.training import Trained, train
from tests.learn.conftest import asked


@pytest.fixture(scope="module")
def wide(cohort_lake: Lake) -> Cohort:
    """With two more features that tell nothing."""
    found = labelled(cohort_lake, "ill")
    more = np.random.default_rng(9).normal(size=(len(found.ids), 2))
    return replace(
        found, features=np.hstack([found.features, more]), names=(*found.names, "left", "right"),
        units={**found.units, "left": "1", "right": "1"},
    )  # fmt: skip


def test_the_explanation_is_json_and_names_what_tells(wide: Cohort) -> None:
    bundle = train(wide, asked(models=("logistic",))).bundle
    found = json.loads(json.dumps(explain(bundle, wide)))
    assert found["importance"][0]["feature"] == "size"
    assert found["coefficients"][0]["feature"] == "size"
    assert found["shapley"][0]["feature"] == "size"
    assert found["rules"] == []
    assert found["dependence"][0]["feature"] == "size"
    assert {c["name"]: c["good"] for c in found["checks"]} == {"deletion": True, "randomisation": True}
    first = found["each"][0]
    assert {p["feature"] for p in first["parts"]} == set(wide.names)
    assert first["change"]["features"]


def test_without_labels_importance_is_how_far_answers_move(trained: Trained) -> None:
    found = explain(trained.bundle, replace(trained.cases, y=np.empty(0)))
    assert found["score"] == "mean change of the answer"
    assert found["importance"][0]["feature"] == "size"
    assert next(c for c in found["checks"] if c["name"] == "randomisation")["good"] is None


def test_too_few_cases_and_models_of_images_are_refused(trained: Trained) -> None:
    with pytest.raises(UsageError, match="9 cases are too few"):
        explain(trained.bundle, trained.cases.part(np.arange(120) < 9))
    with pytest.raises(UsageError, match="answers for images"):
        explain(replace(trained.bundle, inputs=()), trained.cases)

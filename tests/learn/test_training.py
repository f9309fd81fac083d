"""Training: honest evaluation, a threshold from other folds, published test parts left alone, leaks told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.lake.store import Lake
from radlake.learn.bundle import load, save
from radlake.learn.card import card
from radlake.learn.cases import Cohort, labelled
from radlake.learn.training import Trained, hashes, train, unseen
from tests.learn.conftest import asked


@pytest.fixture(scope="module")
def cohort(cohort_lake: Lake) -> Cohort:
    return labelled(cohort_lake, "ill")


def test_the_bundle_holds_model_evidence_and_contract_and_comes_back(trained: Trained, tmp_path: Path) -> None:
    save(trained.bundle, tmp_path / "a model 模型")
    again = load(tmp_path / "a model 模型")
    x = trained.cases.features
    assert again.predict_proba(x).tobytes() == trained.bundle.predict_proba(x).tobytes()
    assert again.evidence == json.loads(json.dumps(trained.bundle.evidence))
    assert again.contract is not None
    assert again.contract["kind"] == "table"


def test_scores_are_those_of_held_out_patients_at_the_asked_sensitivity(trained: Trained) -> None:
    evidence = trained.bundle.evidence or {}
    found = {row["metric"]: row for row in evidence["evaluation"]}
    assert 0.8 < found["auc"]["value"] < 0.99
    assert found["auc"]["value"] == pytest.approx(trained.choice.honest.score)  # type: ignore[union-attr]
    assert found["auc"]["method"] == "bootstrap over 60 patients"
    assert found["sensitivity"]["value"] == pytest.approx(0.9, abs=0.1)
    point = evidence["operating"]["threshold"]
    honest = trained.honest
    assert honest is not None
    p = honest.p[..., 1].mean(axis=0)
    assert (p[honest.y == 1] >= point).mean() >= 0.9
    assert sum(map(sum, evidence["confusion"])) == 120
    assert {row["by"] for row in evidence["subgroups"]} >= {"sex", "age_years", "manufacturer"}
    assert {c["name"]: c["level"] for c in evidence["leakage"]} == {"site": "good", "single features": "good"}


def test_the_card_tells_it_in_words(trained: Trained) -> None:
    bundle = trained.bundle
    text = card(bundle.name, bundle.target, bundle.evidence or {}, bundle.contract or {})
    for words in (
        f"# {bundle.name} for ill",
        "not a medical device",
        "120 cases of 60 patients",
        "no rows of training",
    ):
        assert words in text
    rows = {**(bundle.evidence or {}), "holds_rows": True}
    assert "--allow-rows" in card(bundle.name, bundle.target, rows, bundle.contract or {})


def test_a_published_test_part_takes_no_part_in_any_choice(cohort: Cohort) -> None:
    roles = np.where(np.arange(120) >= 80, "test", "train")
    clusters = np.where(np.isin(np.arange(120), [3, 100]), "du-1", "")
    whole = train(replace(cohort, roles=roles, clusters=clusters), asked())
    alone = train(cohort.part(roles == "train"), asked())
    x = cohort.features
    assert whole.bundle.predict_proba(x).tobytes() == alone.bundle.predict_proba(x).tobytes()
    evidence = whole.bundle.evidence or {}
    assert next(r for r in evidence["test"] if r["metric"] == "auc")["value"] > 0.7
    assert evidence["test_distinct"] != evidence["test"]
    assert {c["name"]: c["level"] for c in evidence["leakage"]}["duplicates"] == "bad"
    assert {line["name"] for line in evidence["table_one"]} >= {"sex", "age_years", "label"}


def test_unknown_patients_are_not_guessed(cohort: Cohort) -> None:
    nobody = replace(cohort, patients=np.full(120, ""))
    with pytest.raises(UsageError, match="120 of 120 cases have no known patient"):
        train(nobody, asked())
    assert train(nobody, asked(group="case", models=("bayes",))).choice.data.groups == 120
    split = replace(nobody, roles=np.where(np.arange(120) >= 80, "test", "train"))
    assert "no known patient" in (train(split, asked(models=("bayes",))).bundle.evidence or {})["notes"][-1]


def test_cases_that_were_seen_are_known_by_id_and_by_content(trained: Trained) -> None:
    cases, evidence = trained.cases, trained.bundle.evidence
    new_ids, new_features = np.array([f"x{i}" for i in range(120)]), cases.features + 1
    assert not unseen(evidence, cases.ids, new_features).any()
    assert not unseen(evidence, new_ids, cases.features).any()
    assert unseen(evidence, new_ids, new_features).all()
    assert len(set(hashes(cases.ids, cases.features))) == 240


@pytest.mark.parametrize(("target", "metric"), [("grade", "macro_auc"), ("amount", "r2")])
def test_classes_and_values_are_trained_too(cohort_lake: Lake, target: str, metric: str) -> None:
    found = train(labelled(cohort_lake, target), asked(target))
    scores = {row["metric"]: row["value"] for row in (found.bundle.evidence or {})["evaluation"]}
    assert scores[metric] > 0.5
    assert "operating" not in (found.bundle.evidence or {})

"""The steps train, predict and evaluate: rows that say everything, and cases of the training that are never scored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radlake.core.errors import UsageError
from radlake.core.schema import stable_columns
from radlake.lake.store import Lake
from radlake.learn.bundle import load
from radlake.learn.model_stages import STAGES, evaluate_model, predict, train
from tests.learn.conftest import measured_lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = measured_lake(tmp_path_factory.mktemp("stages") / "lake")
    train(made, target="ill", models=("logistic",), operating="sens=0.9", budget="60s")
    return made


def model_of(lake: Lake) -> str:
    return str(lake.read("models")["model_id"].to_pylist()[0])


def test_training_leaves_a_bundle_and_rows_for_the_report(lake: Lake) -> None:
    model = model_of(lake)
    assert load(lake.models / model).target == "ill"
    scores = {(r["stratum"], r["metric"]): r for r in lake.read("scores").to_pylist()}
    assert scores["all", "auc"]["low"] < scores["all", "auc"]["value"] < scores["all", "auc"]["high"]
    assert {r["curve"] for r in lake.read("curves").to_pylist()} == {"roc", "calibration", "decision"}
    held = [r for r in lake.read("predictions").to_pylist() if r["owner"] == "train:image:ill"]
    assert {r["fold"] for r in held} == set(range(5))
    settings = json.loads(lake.read("models")["settings"][0].as_py())
    assert settings["evidence"]["reason"]
    assert "seen" not in settings["evidence"]


def test_training_again_changes_nothing(lake: Lake) -> None:
    before = {t: lake.read(t).select(stable_columns(t)) for t in ("predictions", "curves")}
    train(lake, target="ill", models=("logistic",), operating="sens=0.9", budget="60s")
    for table, rows in before.items():
        assert lake.read(table).select(stable_columns(table)).equals(rows), table


def test_predictions_are_written_with_their_intervals(lake: Lake, tmp_path: Path) -> None:
    other = measured_lake(tmp_path / "other", patients=10, prefix="o", seed=3)
    predict(other, model=str(lake.models / model_of(lake)))
    rows = other.read("predictions").to_pylist()
    assert len(rows) == 20
    assert all(r["low"] <= r["high"] and r["unit"] == "image" and r["target"] == "ill" for r in rows)
    predict(other, model=str(lake.models / model_of(lake)))
    assert other.read("predictions").num_rows == 20


def test_cases_of_the_training_are_never_scored(lake: Lake, tmp_path: Path) -> None:
    model = str(lake.models / model_of(lake))
    with pytest.raises(UsageError, match="no labelled case is left: 120 of 120 were used"):
        evaluate_model(lake, model=model)
    other = measured_lake(tmp_path / "other", prefix="o", seed=3)
    evaluate_model(other, model=model)
    found = {r["metric"]: r for r in other.read("scores").to_pylist()}
    assert found["auc"]["stratum"] == "external"
    assert (found["auc"]["cases"], found["auc"]["patients"]) == (120, 60)
    with pytest.raises(UsageError, match="none of the others has the role 'test'"):
        evaluate_model(other, model=model, split="test")


def test_the_steps_are_found_by_pipelines() -> None:
    assert set(STAGES) == {"train", "predict", "evaluate"}
    assert all(s.over == "lake" and s.shape == "whole" for s in STAGES.values())

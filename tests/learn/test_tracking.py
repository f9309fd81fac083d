"""A run in a folder of MLflow: what was asked, what came out, and nothing about a person or this machine."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle, save
from radlake.learn.tracking import scores, track
from radlake.learn.training import Trained, save_model

pytest.importorskip("mlflow", reason="an extra")

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_a_run_holds_what_was_asked_and_what_came_out(trained: Trained, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    save_model(trained, tmp_path / "model")
    store = tmp_path / "runs 流"
    run_id = track(tmp_path / "model", str(store), experiment="nodules")
    assert track(tmp_path / "model", store.as_uri(), experiment="nodules") != run_id
    run = MlflowClient(tracking_uri=store.as_uri()).get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["target"] == "ill"
    assert run.data.params["patients"] == "60"
    evidence = trained.bundle.evidence or {}
    auc = next(row for row in evidence["evaluation"] if row["metric"] == "auc")
    assert run.data.metrics["evaluation.auc"] == auc["value"]
    assert run.data.metrics["evaluation.auc.low"] == auc["low"]
    assert run.data.metrics.keys() == dict(scores(evidence)).keys()
    card = next(store.rglob("card.md"))
    assert card.read_text("utf-8") == (tmp_path / "model" / "card.md").read_text("utf-8")
    assert json.loads(next(store.rglob("selection.json")).read_text())["table"][0]["verdict"] == "chosen"


def test_nothing_about_a_person_or_this_machine_is_logged(trained: Trained, tmp_path: Path) -> None:
    save_model(trained, tmp_path / "model")
    track(tmp_path / "model", str(tmp_path / "runs"))
    written = "".join(
        p.read_text("utf-8") for p in (tmp_path / "runs").rglob("*") if p.is_file() and p.name != "meta.yaml"
    )
    evidence = trained.bundle.evidence or {}
    foreign = [*trained.cases.ids, *trained.cases.patients, *evidence["seen"], str(tmp_path / "model")]
    assert not [value for value in foreign if value in written]
    assert {p.name for p in (tmp_path / "runs").rglob("tags/*")} == {"mlflow.runName"}
    user = f"user_id: {getpass.getuser()}"
    assert not [p for p in (tmp_path / "runs").rglob("meta.yaml") if user in p.read_text("utf-8")]


def test_other_places_and_models_without_evidence_are_told(trained: Trained, tmp_path: Path) -> None:
    save_model(trained, tmp_path / "model")
    with pytest.raises(UsageError, match="a folder, or the http"):
        track(tmp_path / "model", "carrier-pigeon://x")
    bare = trained.bundle
    save(Bundle(bare.name, bare.target, bare.inputs, bare.fitted), tmp_path / "bare")
    with pytest.raises(UsageError, match="carries no evidence"):
        track(tmp_path / "bare", str(tmp_path / "runs"))

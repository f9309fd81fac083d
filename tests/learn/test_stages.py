"""The step `learn.study`: cases from tables, results to tables, refusals in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.core.schema import stable_columns, to_table
from radlake.lake.store import Lake
from radlake.learn.bundle import load
from radlake.learn.metrics import auc
from radlake.learn.stages import STAGES, study

TABLES = ("splits", "models", "predictions", "scores", "curves")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Sixty patients with two masks each; "size" tells the target, one value is missing."""
    made = Lake.create(tmp_path / "lake", key_fingerprint="test")
    rng = np.random.default_rng(0)
    labels: list[dict[str, Any]] = []
    features: list[dict[str, Any]] = []
    for i in range(120):
        mask, patient = f"mk-{i:03d}", f"pt-{i // 2:02d}"
        size, form = rng.normal(size=2)
        value = float(size + 0.5 * rng.normal() > 0)
        labels.append(
            {"owner": "x", "unit": "mask", "unit_id": mask, "patient_id": patient, "target": "ill", "value": value}
        )
        for name, number, unit in (("size", np.exp(size), "mm"), ("form", form if i else None, "1")):
            features.append(
                {"owner": "x", "mask_id": mask, "name": name, "value": number, "unit": unit, "settings_id": "s"}
            )
    made.replace("labels", to_table("labels", labels))
    made.replace("features", to_table("features", features))
    return made


def test_a_study_leaves_models_scores_predictions_splits_and_curves(lake: Lake) -> None:
    study(lake, target="ill", baselines=("form",), stratum_by="size", stratum_from=1, stratum_to=9, folds=3, repeats=2)
    models = {r["name"]: r for r in lake.read("models").to_pylist()}
    assert set(models) == {"form", "logistic regression", "SVM (Gaussian kernel)"}
    assert json.loads(models["form"]["inputs"]) == ["form"]
    assert json.loads(models["logistic regression"]["settings"])["design"]["folds"] == 3
    best = models["logistic regression"]["model_id"]
    scores = {(r["model_id"], r["stratum"], r["metric"]): r for r in lake.read("scores").to_pylist()}
    assert {s for _, s, _ in scores} == {"all", "size 1 to 9 mm"}
    found = scores[best, "all", "auc"]
    assert 0.8 < found["low"] < found["value"] < found["high"] <= 1
    assert (found["cases"], found["patients"]) == (120, 60)
    assert scores[best, "all", "auc_minus:form"]["low"] > 0.1
    assert {r["curve"] for r in lake.read("curves").to_pylist()} == {"roc", "calibration", "decision"}


def test_scores_follow_from_the_predictions_and_no_patient_is_on_both_sides(lake: Lake) -> None:
    study(lake, target="ill", folds=3, repeats=2)
    rows = lake.sql("""
        SELECT model_id, repeat, list(probability ORDER BY unit_id) AS p, list(outcome ORDER BY unit_id) AS y
        FROM predictions JOIN (SELECT unit_id, value AS outcome FROM labels) USING (unit_id) GROUP BY ALL""")
    for model in lake.read("models")["model_id"].to_pylist():
        each = [float(auc(r["y"], r["p"])) for r in rows.to_pylist() if r["model_id"] == model]
        written = lake.sql(f"SELECT value FROM scores WHERE model_id = '{model}' AND metric = 'auc'")["value"][
            0
        ].as_py()
        assert written == pytest.approx(np.mean(each), abs=1e-12)
    torn = lake.sql("SELECT count(DISTINCT fold) AS n FROM splits GROUP BY split_id, patient_id")
    assert set(torn["n"].to_pylist()) == {1}
    assert lake.read("predictions").num_rows == 2 * 2 * 120


def test_a_study_again_changes_nothing_and_spares_other_owners(lake: Lake) -> None:
    other = to_table("scores", [{"owner": "else", "metric": "kept", "value": 1.0}])
    lake.replace("scores", other)
    study(lake, target="ill", folds=3, repeats=1)
    first = {t: lake.read(t).select(stable_columns(t)) for t in TABLES}
    study(lake, target="ill", folds=3, repeats=1)
    assert all(lake.read(t).select(stable_columns(t)).equals(first[t]) for t in TABLES)
    assert lake.sql("SELECT value FROM scores WHERE metric = 'kept'").num_rows == 1


def test_the_saved_models_answer_and_those_of_older_data_are_gone(lake: Lake) -> None:
    study(lake, target="ill", baselines=("size",), folds=3, repeats=1)
    models = {r["model_id"]: r["name"] for r in lake.read("models").to_pylist()}
    assert {p.name for p in lake.models.iterdir()} == set(models)
    bundles = {name: load(lake.models / i) for i, name in models.items()}
    assert bundles["size"].inputs == ("size",)
    assert bundles["size"].probability(np.array([[0.01], [100.0]])) == pytest.approx([0, 1], abs=0.1)
    assert bundles["logistic regression"].inputs == ("form", "size")
    lake.replace("labels", lake.read("labels").slice(2))
    study(lake, target="ill", baselines=("size",), folds=3, repeats=1)
    assert {p.name for p in lake.models.iterdir()} == set(lake.read("models")["model_id"].to_pylist())
    assert not {p.name for p in lake.models.iterdir()} & set(models)


def test_labels_of_instances_and_patients_reach_their_images(lake: Lake) -> None:
    def rows(make: Any) -> list[dict[str, Any]]:
        return [make(i) for i in range(120)]

    lake.replace("labels", to_table("labels", rows(lambda i: {
        "owner": "x", "unit": "instance", "unit_id": f"in-{i}", "patient_id": f"pt-{i // 2:02d}", "target": "seen",
        "value": float(i % 4 < 2)}) + [{
        "owner": "x", "unit": "patient", "unit_id": f"pt-{i:02d}", "patient_id": f"pt-{i:02d}", "target": "healed",
        "value": float(i % 3 == 0)} for i in range(60)]))  # fmt: skip
    lake.replace("instances", to_table("instances", rows(
        lambda i: {"owner": "x", "file_id": "fi", "member": i, "instance_id": f"in-{i}"})))  # fmt: skip
    lake.replace("file_images", to_table("file_images", rows(
        lambda i: {"owner": "x", "file_id": "fi", "member": i, "image_id": f"im-{i:03d}"})))  # fmt: skip
    lake.replace("images", to_table("images", rows(
        lambda i: {"owner": "x", "image_id": f"im-{i:03d}", "patient_id": f"pt-{i // 2:02d}"})))  # fmt: skip
    lake.replace("features", to_table("features", rows(
        lambda i: {"owner": "x", "image_id": f"im-{i:03d}", "name": "f", "value": float(i), "unit": "1"})))  # fmt: skip
    for target, positives in (("seen", 60), ("healed", 40)):
        study(lake, target=target, unit="image", folds=3, repeats=1)
        found = lake.sql(f"SELECT DISTINCT cases FROM scores WHERE target = '{target}'")
        assert found["cases"].to_pylist() == [120]
        assert lake.sql(f"SELECT count(*) AS n FROM curves WHERE target = '{target}'")["n"][0].as_py() > positives


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": "absent"}, "no mask has both features and a label 'absent'"),
        ({"unit": "planet"}, "unit must be one of mask, image"),
        ({"baselines": ("width",)}, "baseline 'width' is no feature"),
        ({"stratum_by": "width"}, "stratum_by: 'width' is no feature"),
        ({"folds": 59}, "fewer than 59 folds"),
        ({"target": "it's"}, 'a label "it\'s"'),
    ],
)
def test_what_cannot_be_studied_is_refused_in_words(lake: Lake, change: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        study(lake, **{"target": "ill", "folds": 3, "repeats": 1, **change})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("patient_id", None, "120 of 120 cases have no known patient"),
        ("value", 2.0, "must hold 0 and 1"),
        ("unit_id", "mk-001", "some mask has two values"),
    ],
)
def test_dishonest_cases_are_refused(lake: Lake, column: str, value: object, words: str) -> None:
    rows = [row | {column: value} for row in lake.read("labels").to_pylist()]
    lake.replace("labels", to_table("labels", rows))
    with pytest.raises(UsageError, match=words):
        study(lake, target="ill", folds=3, repeats=1)


def test_two_masks_of_one_image_are_not_mixed(lake: Lake) -> None:
    features = [{**r, "image_id": "im-1"} for r in lake.read("features").to_pylist()]
    lake.replace("features", to_table("features", features))
    row = {"owner": "x", "unit": "image", "patient_id": "pt-0", "target": "seen"}
    labels = [{**row, "unit_id": "im-1", "value": 1.0}, {**row, "unit_id": "im-2", "value": 0.0}]
    lake.replace("features", to_table("features", [*features, {**features[0], "image_id": "im-2"}]))
    lake.replace("labels", to_table("labels", labels))
    with pytest.raises(UsageError, match="several masks"):
        study(lake, target="seen", unit="image", folds=2, repeats=1)


def test_the_step_is_registered_as_a_whole_stage() -> None:
    stage = STAGES["learn.study"]
    assert (stage.shape, stage.over, stage.function) == ("whole", "lake", study)
    assert set(stage.adds) == set(TABLES)
    assert "target" in stage.parameters

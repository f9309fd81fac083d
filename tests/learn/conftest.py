"""A small labelled lake of made-up measurements, a model trained on it once, and a trial on all folds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake.core.schema import to_table
from radlake.lake.store import Lake
from radlake.learn.cases import labelled
from radlake.learn.evaluation.operating import Operating
from radlake.learn.prepare import Folds
from radlake.learn.problem import Problem
from radlake.learn.training import Request, Trained, train
from radlake.learn.trial import HeldOut, Trial, assembled, fold_answer

SEXES = ("F", "M")


def measured_lake(root: Path, *, patients: int = 60, prefix: str = "", shift: float = 0.0, seed: int = 0) -> Lake:
    """Two images a patient; "size" tells the target, "form" does not; "grade" has three values, "age" many."""
    made = Lake.create(root, key_fingerprint="test")
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("labels", "features", "images", "series")}
    for i in range(2 * patients):
        image, series, patient = f"im-{prefix}{i:03d}", f"se-{prefix}{i:03d}", f"pt-{prefix}{i // 2:02d}"
        size, form = rng.normal(size=2) + shift
        ill = float(size - shift + 0.6 * rng.normal() > 0)
        rows["series"].append({
            "owner": series, "series_id": series, "patient_id": patient, "patient_known": True,
            "manufacturer": "ABC"[i % 3], "sex": SEXES[i // 2 % 2], "age_years": 30.0 + i // 2,
        })  # fmt: skip
        rows["images"].append({
            "owner": image, "image_id": image, "series_id": series, "patient_id": patient, "modality": "CT",
            "spacing_y": 0.7, "spacing_x": 0.7, "body_part": "CHEST",
        })  # fmt: skip
        about = {"owner": "x", "unit": "image", "unit_id": image, "patient_id": patient}
        for target, value in (("ill", ill), ("grade", float(np.digitize(size - shift, [-0.5, 0.5]))), ("amount", size)):
            rows["labels"].append(about | {"target": target, "value": value})
        for name, number, unit in (("size", np.exp(size), "mm"), ("form", form if i else None, "1")):
            rows["features"].append({
                "owner": image, "image_id": image, "name": name, "value": number, "unit": unit, "settings_id": "s",
            })  # fmt: skip
    for table, some in rows.items():
        made.replace(table, to_table(table, some))
    return made


def asked(target: str = "ill", **options: Any) -> Request:
    """A request that takes little time."""
    models = ("logistic", "tree") if target != "amount" else ("ridge",)
    return Request(
        target, **{"folds": 3, "repeats": 1, "models": models, "operating": Operating("sens", 0.9)} | options
    )


def held_out(trial: Trial, given: Problem, fold: np.ndarray, *, prepared: Folds | None = None) -> HeldOut:
    """Answers of a trial for every case."""
    kept, pipelines = prepared or Folds(), [trial.family.make(trial.settings, given.task, 0) for _ in np.unique(fold)]
    told = [fold_answer(p, given, fold == k, prepared=kept, weigh=True) for k, p in enumerate(pipelines)]
    return assembled(trial.family, given, fold, told)


@pytest.fixture(scope="session")
def cohort_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake; tests must not change it."""
    return measured_lake(tmp_path_factory.mktemp("learn") / "lake")


@pytest.fixture(scope="session")
def trained(cohort_lake: Lake) -> Trained:
    """A model for "ill"."""
    return train(labelled(cohort_lake, "ill"), asked())

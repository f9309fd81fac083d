"""The steps train, predict and evaluate: from the tables of a lake to a model, and back into its tables."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.core.ids import derived_id
from radlake.core.stage import Row, Stage
from radlake.learn import curves
from radlake.learn.bundle import Bundle, load
from radlake.learn.cases import Cohort, labelled, measured
from radlake.learn.evaluation.operating import parse
from radlake.learn.evaluation.record import counted_sets, drawn, worst
from radlake.learn.evaluation.scores import Answered, evaluate
from radlake.learn.evaluation.subgroups import subgroups
from radlake.learn.families import Task
from radlake.learn.predicting import predictions
from radlake.learn.tables import Tables, write
from radlake.learn.training import (
    Group,
    Request,
    Trained,
    answered,
    attributes,
    group_rows,
    operating_threshold,
    rows,
    save_model,
    unseen,
)
from radlake.learn.training import train as make
from radlake.learn.verdict import Prefer

_THRESHOLDS = np.arange(1, 100) / 100


def train(  # noqa: PLR0913 - a step's parameters are its schema
    lake: Tables,
    *,
    target: str,
    unit: str | None = None,
    task: Task | None = None,
    group: Group = "patient",
    budget: str = "10m",
    prefer: Prefer = "balanced",
    operating: str = "youden",
    models: tuple[str, ...] = (),
    seed: int = 0,
) -> None:
    """Choose a model for a label among the families that fit, and keep it with its evidence in the lake.

    Fills `models`, `predictions` (held out), `scores` and `curves` with rows owned by this target.

    Parameters
    ----------
    lake : Tables
        With `labels` and `features`.
    target, unit : str
        Label, and what a case is: mask or image; by default what the label is about.
    task : {"binary", "multiclass", "regression"}, optional
    group : {"patient", "case"}
    budget : str
        Such as 90s or 10m.
    prefer : {"balanced", "accuracy", "readable"}
    operating : str
        sens=0.95, spec=0.9, p=0.2 or youden.
    models : tuple of str
        Families to choose among; all by default.
    seed : int
    """
    asked = Request(target, task, group, budget, prefer, parse(operating), tuple(models), seed=seed)
    trained = make(labelled(lake, target, unit), asked)
    save_model(trained, lake.models / keep(lake, trained, asked))


def keep(lake: Tables, trained: Trained, asked: Request) -> str:
    """Write a trained model's rows, and return its id."""
    owner = f"train:{trained.cases.unit}:{asked.target}"
    evidence = trained.bundle.evidence or {}
    settings = {
        "design": {**asdict(asked), "unit": trained.cases.unit, "kind": "train"},
        "data": evidence["plan"]["digest"],
        "chosen": dict(trained.choice.table[0].settings),
        "family": trained.choice.table[0].family,
        "evidence": {k: v for k, v in evidence.items() if k not in ("seen", "held_out", "plan", "tried")},
    }
    key = json.dumps({k: settings[k] for k in ("design", "data", "chosen", "family")}, sort_keys=True)
    model_id = derived_id("model", trained.bundle.name, key)
    row: Row = {
        "owner": owner, "model_id": model_id, "name": trained.bundle.name, "target": asked.target,
        "inputs": json.dumps(trained.bundle.inputs), "settings": json.dumps(settings, sort_keys=True),
        "seconds": evidence["compute"]["cpu_seconds"],
    }  # fmt: skip
    write(lake, "models", owner, [row])
    write(lake, "predictions", owner, list(_held_out(trained, asked, owner, model_id)))
    write(lake, "scores", owner, list(_scores(evidence, trained.cases, owner, model_id, asked.target)))
    write(lake, "curves", owner, list(_curves(trained.honest, owner, model_id, asked.target)))
    return model_id


def _held_out(trained: Trained, asked: Request, owner: str, model_id: str) -> Iterator[Row]:
    """Predictions for the training cases by models that had not seen them."""
    if trained.honest is None or trained.honest.fold is None:
        return
    cases, given = trained.cases, trained.honest
    value = given.task == "regression"
    for repeat, (p, folds) in enumerate(zip(given.p, trained.honest.fold, strict=True)):
        for i, unit_id in enumerate(cases.ids.tolist()):
            yield {
                "owner": owner,
                "prediction_id": derived_id("prediction", model_id, unit_id, str(repeat)),
                "model_id": model_id, "unit": cases.unit, "unit_id": unit_id,
                "patient_id": cases.patients[i] or None, "target": asked.target,
                "split_id": f"{owner}:{repeat}", "repeat": repeat, "fold": int(folds[i]),
                "probability": None if value else float(p[i, -1]), "value": float(p[i, 0]) if value else None,
            }  # fmt: skip


def _scores(evidence: Mapping[str, Any], cases: Cohort, owner: str, model_id: str, target: str) -> Iterator[Row]:
    """Rows of `scores`: held out, and on the published test part; subgroups as strata."""
    people = len(np.unique(np.where(cases.patients == "", cases.ids, cases.patients)))
    for part, stratum in (("evaluation", "all"), ("test", "test"), ("test_distinct", "test without near-duplicates")):
        for row in evidence.get(part, []):
            inside = stratum == "all"
            yield {
                "owner": owner, "model_id": model_id, "target": target, "stratum": stratum, "metric": row["metric"],
                "value": row["value"], "low": row["low"], "high": row["high"], "note": row["method"],
                "cases": len(cases.ids) if inside else None, "patients": people if inside else None,
            }  # fmt: skip


def _curves(given: Answered | None, owner: str, model_id: str, target: str) -> Iterator[Row]:
    """ROC, calibration and decision curve of the mean held-out probability."""
    if given is None or given.task != "binary" or not 0 < given.y.sum() < len(given.y):
        return
    p = given.p[..., 1].mean(axis=0)
    everybody = curves.net_benefit(given.y, np.ones(len(given.y)), _THRESHOLDS)
    drawn = [
        (model_id, "roc", curves.roc(given.y, p)),
        (model_id, "calibration", curves.calibration(given.y, p)),
        (model_id, "decision", curves.Curve(_THRESHOLDS, curves.net_benefit(given.y, p, _THRESHOLDS))),
        (None, "decision", curves.Curve(_THRESHOLDS, everybody)),
    ]
    for model, kind, curve in drawn:
        for x, up in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
            yield {
                "owner": owner, "model_id": model, "target": target, "stratum": "all", "curve": kind, "x": x, "y": up,
            }  # fmt: skip


def predict(lake: Tables, *, model: str) -> None:
    """Let a saved model answer for every region or image that has features, and write `predictions`.

    Parameters
    ----------
    lake : Tables
    model : str
        Folder of a bundle, or the id of a model in the lake.
    """
    bundle, model_id = open_model(lake, model)
    answers(lake, bundle, model_id, measured(lake, (bundle.contract or {}).get("unit")))


def answers(lake: Tables, bundle: Bundle, model_id: str, cohort: Cohort) -> list[dict[str, Any]]:
    """Write a bundle's predictions for cases of the lake, and return them."""
    if not len(cohort.ids):
        raise UsageError("the lake has no features; run a study with the step `features` first")
    found = predictions(bundle, cohort)
    owner = f"predict:{model_id}"
    write(lake, "predictions", owner, [
        {
            "owner": owner, "prediction_id": derived_id("prediction", model_id, row["unit_id"], "new"),
            "model_id": model_id, "unit": cohort.unit, "unit_id": row["unit_id"], "patient_id": row["patient_id"],
            "target": bundle.target, **{k: row[k] for k in ("probability", "value", "low", "high")},
        }
        for row in found
    ])  # fmt: skip
    return found


def open_model(lake: Tables, model: str) -> tuple[Bundle, str]:
    """A bundle with its id: by its id in the lake, or by its folder."""
    inside = lake.models / model
    if not inside.is_dir():
        return load(Path(model)), model_id_of(Path(model))
    if isinstance(inside, Path):
        return load(inside), model
    with tempfile.TemporaryDirectory() as folder:  # a bundle is checked and opened as a whole
        for file in inside.rglob("*"):
            (Path(folder) / file.name).write_bytes(file.read_bytes())
        return load(Path(folder)), model


def model_id_of(folder: Path) -> str:
    """The id of a bundle outside a lake, from its manifest."""
    return derived_id("model", hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest())


def evaluate_model(lake: Tables, *, model: str, split: str | None = None, seed: int = 0) -> None:
    """Score a saved model on the lake's labelled cases that it was not trained on, and write `scores`.

    Parameters
    ----------
    lake : Tables
    model : str
        Folder of a bundle, or the id of a model in the lake.
    split : str, optional
        Published role to use only, such as test; all other cases by default.
    seed : int
        Of the bootstrap.
    """
    bundle, model_id = open_model(lake, model)
    cohort = labelled(lake, bundle.target, (bundle.contract or {}).get("unit"))
    external(lake, bundle, model_id, cohort, split=split, seed=seed)


def external(
    lake: Tables, bundle: Bundle, model_id: str, cohort: Cohort, *, split: str | None, seed: int
) -> dict[str, Any]:
    """Scores of a bundle on labelled cases of the lake that it has not seen; writes them, and returns them."""
    found = scored(bundle, cohort, split=split, seed=seed)
    owner = f"evaluate:{model_id}"
    write(lake, "scores", owner, [
        {
            "owner": owner, "model_id": model_id, "target": bundle.target, "stratum": found["split"],
            "metric": m["metric"], "value": m["value"], "low": m["low"], "high": m["high"], "note": m["method"],
            "cases": found["cases"], "patients": found["patients"],
        }
        for m in found["scores"]
    ])  # fmt: skip
    return found


def scored(bundle: Bundle, cohort: Cohort, *, split: str | None, seed: int) -> dict[str, Any]:
    """Scores of a bundle on labelled cases that it has not seen, as JSON values.

    Raises
    ------
    UsageError
        When no case is left, or the cases are of another kind.
    """
    new = unseen(bundle.evidence, cohort.ids, cohort.columns(bundle.inputs))
    inside = new if split in (None, "external") else new & (cohort.roles == split)
    if not inside.any():
        raise UsageError(
            f"no labelled case is left: {int((~new).sum())} of {len(new)} were used to train the model"
            + (f", and none of the others has the role {split!r}" if split not in (None, "external") else "")
        )
    cases = cohort.part(inside)
    told = predictions(bundle, cases)
    ordered = replace(cases, features=cases.columns(bundle.inputs), names=bundle.inputs)
    given = answered(bundle.fitted, ordered, operating_threshold(bundle.evidence))
    return {
        "model": bundle.name, "target": bundle.target, "split": split or "external", "cases": len(cases.ids),
        "patients": len(np.unique(given.groups)), "left_out": int((~new).sum()),
        "outside": sum(row["outside"] for row in told), "scores": rows(evaluate(given, seed=seed)),
        "drawn": drawn(given), "worst": worst(given, cases.ids, bundle.fitted.classes),
        "sets": _sets(given.y, told, bundle.fitted.classes),
        "subgroups": group_rows(subgroups(given, attributes(cases), seed=seed)),
        "classes": list(bundle.fitted.classes), "operating": (bundle.evidence or {}).get("operating"),
        "unknown": int((cases.patients == "").sum()),
    }  # fmt: skip


def _sets(y: NDArray[Any], told: list[dict[str, Any]], classes: tuple[Any, ...]) -> dict[str, Any] | None:
    """How often the classes that could not be ruled out held the truth; None where there are none."""
    if not classes or any(row["possible"] is None for row in told):
        return None
    return counted_sets(y, np.array([[label in row["possible"] for label in classes] for row in told]))


def _stage(name: str, function: Any, reads: tuple[str, ...], adds: tuple[str, ...]) -> Stage:
    """A step over the whole lake."""
    return Stage(name=name, version=1, shape="whole", over="lake", reads=reads, adds=adds, function=function)


STAGES: dict[str, Stage] = {
    "train": _stage("train", train, ("labels", "features"), ("models", "predictions", "scores", "curves")),
    "predict": _stage("predict", predict, ("features",), ("predictions",)),
    "evaluate": _stage("evaluate", evaluate_model, ("labels", "features"), ("scores",)),
}

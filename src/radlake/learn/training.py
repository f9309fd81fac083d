"""From the cases of a cohort to a bundle: the choice, its honest evaluation, the operating point and the contract."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.core.place import Place
from radlake.lake.durable import filled_folder
from radlake.learn.account import account
from radlake.learn.both import inputs_of
from radlake.learn.bundle import Bundle, save
from radlake.learn.card import card
from radlake.learn.cases import ATTRIBUTES, Cohort
from radlake.learn.choice import Choice
from radlake.learn.clock import Plan, seconds
from radlake.learn.contract import contract, origin
from radlake.learn.deep.parts import cores
from radlake.learn.evaluation import leakage
from radlake.learn.evaluation.operating import Operating, confusion, crossed, threshold
from radlake.learn.evaluation.scores import Answered, Measure, evaluate
from radlake.learn.evaluation.subgroups import Subgroup, subgroups
from radlake.learn.evaluation.table_one import table_one
from radlake.learn.families import Task, load_libraries
from radlake.learn.keras_choice import choose, is_keras
from radlake.learn.problem import Bools, Floats, join
from radlake.learn.selection import select
from radlake.learn.verdict import Prefer

if TYPE_CHECKING:
    from radlake.learn.deep.device import Device

Group = Literal["patient", "case"]
_PAIRS = 2000  # held-out answers that a bundle keeps for intervals; more would not make them narrower
_DIGITS = 12  # of the hash of a training case's id
_PREVALENCES = (0.01, 0.1)
_EVALUATION = 0.002  # seconds a case for all scores with their intervals
_WORSE_PICTURES = 3.0  # seconds to try a model on worse pictures; see `radlake.learn.account`
_LARGEST_SHARE = 1 / 7  # of the budget for evaluation
_CHOICE = 0.5  # share of the budget that a choice has at least, however long reading took


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Parameters
    ----------
    target : str
    task : Task or None
        By default what the label looks like.
    group : {"patient", "case"}
        What is kept together; "case" counts every case as a patient of its own.
    budget : str
    prefer : {"balanced", "accuracy", "readable"}
    operating : Operating
    models : tuple of str
        Families; all by default.
    folds, repeats, seed : int
    prevalences : tuple of float
        For which predictive values are told, beside that of the cases.
    device : {"auto", "cpu", "cuda"}
        Where networks are trained.
    workers, memory_bytes : int
        As in `radlake.learn.select`.
    """

    target: str
    task: Task | None = None
    group: Group = "patient"
    budget: str = "10m"
    prefer: Prefer = "balanced"
    operating: Operating = field(default_factory=Operating)
    models: tuple[str, ...] = ()
    folds: int = 5
    repeats: int = 3
    seed: int = 0
    prevalences: tuple[float, ...] = _PREVALENCES
    device: Device = "auto"
    workers: int = 1
    memory_bytes: int = 4 << 30


@dataclass(frozen=True, eq=False)
class Trained:
    """A model with its evidence, ready to be saved.

    Parameters
    ----------
    bundle : Bundle
    choice : Choice
    cases : Cohort
        Those that it was trained on.
    honest : Answered or None
        Answers for them by models that had not seen them; None when the budget was too short.
    """

    bundle: Bundle
    choice: Choice
    cases: Cohort
    honest: Answered | None


def train(
    cohort: Cohort,
    asked: Request,
    *,
    pipeline: str | None = None,
    replay: Plan | None = None,
    journal: Path | None = None,
    progress: Callable[[float, float], None] | None = None,
    spent: float = 0.0,
) -> Trained:
    """Choose, evaluate and pack a model. Cases of a published test part take no part in any choice.

    Where such a part waits for a model of images, whose choice takes long, all the time goes into the choice, and none
    into a repetition of it on held-out patients.

    Parameters
    ----------
    cohort : Cohort
        With labels.
    asked : Request
    pipeline : str, optional
        The steps that made the features, as YAML: what the bundle needs to measure new images.
    replay, journal, progress
        As in `radlake.learn.select`.
    spent : float
        Seconds of the budget that went into reading the cases.

    Raises
    ------
    UsageError
        As in `radlake.learn.select`; and when patients are not known, unless `group` is "case" or the data set came
        with its own split.
    """
    began, started = time.monotonic() - spent, _processor()
    load_libraries()
    held = cohort.roles == "test"
    cases, notes = cohort.part(~held), []
    groups = cases.patients
    if asked.group == "case":
        groups = cases.ids
    elif unknown := int((groups == "").sum()):
        if not held.any():
            raise UsageError(
                f"{unknown} of {len(groups)} cases have no known patient: results would count one person as many; give"
                " --patient-regex to `radlake run`, a table with patients, or --group case if each case is a patient"
            )
        groups = cases.ids
        notes.append(f"{unknown} cases have no known patient: each counts as one, within the published split")
    clusters = np.where(cases.clusters == "", cases.ids, cases.clusters)
    people, groups = len(np.unique(groups)), join(len(groups), groups, clusters)
    if (joined := len(np.unique(groups))) < people:
        notes.append(f"near-duplicates count as one patient: {joined} instead of {people}")
    pictured = not cases.names or cases.pixels is not None
    keras = is_keras(asked.models)
    rest: dict[str, Any] = {} if keras else {
        "outer": not pictured or not held.any(), "journal": journal, "progress": progress, "images": cases.pixels,
        "modality": cases.modality, "workers": asked.workers, "memory_bytes": asked.memory_bytes,
    }  # fmt: skip
    whole = seconds(asked.budget)
    left = max(_CHOICE * whole, whole - _afterwards(cohort, asked) - (time.monotonic() - began))
    choice = (choose if keras else select)(
        cases.features, cases.y, groups=groups, task=asked.task, names=cases.names or None,
        models=asked.models or None, budget=left, prefer=asked.prefer, folds=asked.folds, repeats=asked.repeats,
        seed=asked.seed, device=asked.device, replay=replay, **rest,
    )  # fmt: skip
    honest, point = _honest(choice, cases, groups, asked)
    evidence = _evidence(choice, cases, honest, point, asked)
    evidence["notes"] = [*evidence["notes"], *notes]
    evidence["leakage"] = [asdict(c) for c in _leaks(cohort, choice, asked)]
    if held.any():
        evidence |= _tested(choice, cohort, held, point, asked)
    evidence |= account(
        choice, cohort, attributes(cohort), honest=honest, predicted=predicted, seed=asked.seed,
        tested=answered(choice.model, cohort.part(held), point) if held.any() else None,
    )  # fmt: skip
    evidence["compute"] = {"cpu_seconds": _processor() - started, "budget": asked.budget, **_machine()}
    accepts = {
        "unit": cases.unit,
        **origin(cases),
        **(contract(cases) if cases.names else {}),
        **(choice.contract or {}),
    }
    bundle = Bundle(
        choice.table[0].title, asked.target, choice.inputs, choice.model, evidence, accepts, pipeline
    )  # fmt: skip
    return Trained(bundle, choice, cases, honest)


def save_model(trained: Trained, place: Place) -> None:
    """Write the bundle, and beside its files the card for people, card.md."""
    bundle = trained.bundle
    text = card(bundle.name, bundle.target, bundle.evidence or {}, bundle.contract or {})
    with filled_folder(place) as folder:
        save(bundle, folder)
        (folder / "card.md").write_text(text, encoding="utf-8")


def _processor() -> float:
    """Seconds of the processor that this process has taken, and those that it had started and that have ended."""
    took = os.times()
    return took.user + took.system + took.children_user + took.children_system


def _machine() -> dict[str, int]:
    """Cores and bytes of memory of this machine, as far as they are known."""
    found = {"cores": cores()}
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found["memory_bytes"] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return found


def _afterwards(cohort: Cohort, asked: Request) -> float:
    """Seconds of the budget that evaluation needs after the choice, about, but never more than a seventh.

    Intervals by bootstrap take time with every case; the choice is repeated once at least, for all that is no test.
    """
    test = cohort.roles == "test"
    alone = (not cohort.names or cohort.pixels is not None) and test.any()  # the choice is not repeated
    scored = 2 * int(test.sum()) + (0 if alone else int((~test).sum()))
    return min(_LARGEST_SHARE * seconds(asked.budget), _EVALUATION * scored + (0 if cohort.names else _WORSE_PICTURES))


def codes(classes: tuple[Any, ...], y: NDArray[Any]) -> NDArray[Any]:
    """Class number of each label; the values as they are for regression.

    Raises
    ------
    UsageError
        When there is a label that the model does not know.
    """
    if not classes:
        return np.asarray(y, dtype=np.float64)
    place = {label: i for i, label in enumerate(classes)}
    labels = y.tolist()
    if unknown := sum(label not in place for label in labels):
        raise UsageError(f"{unknown} of {len(labels)} labels are of no class that the model knows")
    return np.array([place[label] for label in labels], dtype=np.int64)


def predicted(model: Any, features: NDArray[Any]) -> Floats:
    """Probabilities (N, K), or values (N, 1), of a fitted model for rows of features or images."""
    if model.task == "regression":
        return np.asarray(model.predict(features), dtype=np.float64)[:, None]
    found: Floats = model.predict_proba(features)
    return found


def _honest(
    choice: Choice, cases: Cohort, groups: NDArray[Any], asked: Request
) -> tuple[Answered | None, float | None]:
    """Answers for held-out patients, and the threshold of the final model; None where there was no time."""
    whole = ~np.isnan(choice.predictions).any(axis=(1, 2))
    y = codes(choice.model.classes, cases.y)
    if not whole.any():
        if choice.own is None or choice.model.task != "binary":
            return None, None
        seen = np.isfinite(choice.own).all(axis=1)
        return None, threshold(y[seen], choice.own[seen, 1], asked.operating)
    p, fold = choice.predictions[whole], choice.folds[whole]
    if choice.model.task != "binary":
        task = cast(Task, choice.model.task)  # what is chosen here never outlines
        return Answered(task, y, p, groups, fold), None
    called = np.stack([row[:, 1] >= crossed(y, row[:, 1], f, asked.operating) for row, f in zip(p, fold, strict=True)])
    return Answered("binary", y, p, groups, fold, called), threshold(y, p[..., 1].mean(axis=0), asked.operating)


def _evidence(
    choice: Choice, cases: Cohort, honest: Answered | None, point: float | None, asked: Request
) -> dict[str, Any]:
    """What the bundle tells about the model, as JSON values."""
    found = choice.evidence()
    found["task"] = choice.model.task
    found["seen"] = sorted({*hashes(cases.ids, cases.features)})
    if point is not None:
        found["operating"] = {"goal": asdict(asked.operating), "words": asked.operating.words, "threshold": point}
    if honest is None:
        return found
    found["held_out"] = _pairs(honest)
    found["evaluation"] = rows(evaluate(honest, prevalences=_shares(honest, asked), seed=asked.seed))
    found["subgroups"] = group_rows(subgroups(honest, attributes(cases), seed=asked.seed))
    if honest.task != "regression":
        answer = honest.p.mean(axis=0).argmax(axis=1) if honest.called is None else honest.called.mean(axis=0) > 0.5
        found["confusion"] = confusion(honest.y, answer, len(choice.model.classes)).tolist()
    return found


def _shares(honest: Answered, asked: Request) -> tuple[float, ...]:
    """Prevalences to tell predictive values for."""
    own = float(np.mean(honest.y)) if honest.task == "binary" else 0.0
    return (round(own, 3), *asked.prevalences)


def _pairs(honest: Answered) -> dict[str, Any]:
    """Held-out answers with outcomes, evenly chosen where there are many."""
    p = honest.p.mean(axis=0)
    order = np.argsort(p[:, -1], kind="stable")
    kept = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), _PAIRS)).astype(np.int64))]
    return {"y": honest.y[kept].tolist(), "p": p[kept].tolist()}


def _leaks(cohort: Cohort, choice: Choice, asked: Request) -> list[leakage.Check]:
    """Every check; those of both sides only where there is a published split."""
    side = np.where(cohort.roles == "test", "test", "train")
    found = []
    if (side == "test").any():
        found = [
            leakage.crossing("patients", "patients", cohort.patients, side, "split by patient, or report a score that"
                             " leaves them out"),
            leakage.crossing("duplicates", "pictures that occur twice", cohort.clusters, side,
                             "read the score without them"),
        ]  # fmt: skip
    sites = cohort.attributes.get("manufacturer")
    if choice.model.classes:
        found.append(leakage.site(sites, codes(choice.model.classes, cohort.y)))
    return [*found, leakage.single_features(choice.data.too_good)]


def _tested(choice: Choice, cohort: Cohort, held: Bools, point: float | None, asked: Request) -> dict[str, Any]:
    """Scores on the published test part, with and without cases that resemble a training case."""
    test = cohort.part(held)
    found: dict[str, Any] = {"test": rows(evaluate(answered(choice.model, test, point), seed=asked.seed))}
    near = set(cohort.clusters[~held].tolist()) - {""}
    distinct = np.array([c not in near for c in test.clusters.tolist()])
    if not distinct.all() and len(np.unique(test.y[distinct])) > 1:
        found["test_distinct"] = rows(
            evaluate(answered(choice.model, test.part(distinct), point), seed=asked.seed)
        )  # fmt: skip
    side = np.where(held, "test", "train")
    found["table_one"] = [
        {**asdict(line), "difference": _number(line.difference), "parts": dict(line.parts)}
        for line in table_one(attributes(cohort) | {"label": cohort.y.astype(str)}, side)
    ]
    return found


def answered(model: Any, cases: Cohort, point: float | None) -> Answered:
    """What a fixed model says about labelled cases, acting from a threshold on."""
    p = predicted(model, inputs_of(model, cases, cases.names))
    groups = np.where(cases.patients == "", cases.ids, cases.patients)
    called = None if point is None else (p[None, :, 1] >= point)
    return Answered(model.task, codes(model.classes, cases.y), p[None], groups, None, called)


def attributes(cases: Cohort) -> dict[str, NDArray[Any]]:
    """Attributes of which something is known."""
    return {n: v for n, v in cases.attributes.items() if n in ATTRIBUTES and any(x is not None for x in v.tolist())}


def hashes(ids: NDArray[Any], features: NDArray[Any]) -> list[str]:
    """Short hashes of each case's id, then of each case's features: enough to recognise a case, not to find it.

    Ids change with the key; equal features or pixels mean the same picture, or a copy of it.
    """
    keys = [str(i).encode() for i in ids.tolist()] + [np.ascontiguousarray(row).tobytes() for row in features]
    return [hashlib.sha256(key).hexdigest()[:_DIGITS] for key in keys]


def unseen(evidence: Mapping[str, Any] | None, ids: NDArray[Any], features: NDArray[Any]) -> Bools:
    """Whether a case was not among those that a model was trained on."""
    known = set((evidence or {}).get("seen", []))
    found = np.array([h not in known for h in hashes(ids, features)]).reshape(2, -1)
    return np.asarray(found.all(axis=0))


def rows(found: list[Measure]) -> list[dict[str, Any]]:
    """Measures as JSON values; None where something is not defined."""
    return [{k: v if isinstance(v, str) else _number(v) for k, v in asdict(m).items()} for m in found]


def group_rows(found: list[Subgroup]) -> list[dict[str, Any]]:
    """Subgroups as JSON values."""
    return [{k: v if isinstance(v, str | int) else _number(v) for k, v in asdict(g).items()} for g in found]


def _number(value: float) -> float | None:
    """A number that JSON knows."""
    return float(value) if np.isfinite(value) else None


def operating_threshold(evidence: Mapping[str, Any] | None) -> float | None:
    """The threshold that a bundle acts from; None where it has none."""
    point = (evidence or {}).get("operating")
    return None if point is None else float(point["threshold"])

"""The account of a model that a report gives beside its scores: from a choice and its answers to plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn import metrics
from radlake.learn.cases import Cohort
from radlake.learn.choice import Choice
from radlake.learn.evaluation.record import best_alone, conformal, drawn, flow, seeds, worst
from radlake.learn.evaluation.robustness import robustness
from radlake.learn.evaluation.scores import Answered
from radlake.learn.evaluation.table_one import table_one

_MILLISECONDS = 3000  # of a processor for trying a model on worse pictures
_PICTURES = (20, 200)  # fewest and most of them
_TRIES = 10  # versions of each picture

Predict = Callable[[Any, NDArray[Any]], metrics.Floats]


def account(
    choice: Choice, cohort: Cohort, known: Mapping[str, NDArray[Any]], *, honest: Answered | None,
    tested: Answered | None, predicted: Predict, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Who is in it, curves, seeds, sets of answers, worst cases, and how much worse pictures a model bears.

    Parameters
    ----------
    choice : Choice
    cohort : Cohort
        All labelled cases, those of a published test part among them.
    known : mapping
        Attributes of the cases, (N,) arrays by name.
    honest, tested : Answered or None
        Answers for training cases by models that had not seen them, and for the test part.
    predicted : callable
        (model, inputs) -> probabilities (N, K), or values (N, 1).
    seed : int
    """
    held, classes = cohort.roles == "test", choice.model.classes
    found: dict[str, Any] = {"classes": list(classes), "flow": flow(cohort), "drawn": {}, "worst": {}}
    if honest is not None:
        found |= {"seeds": seeds(honest), "conformal": conformal(honest)}
        if cohort.names:
            found["alone"] = best_alone(honest, cohort.features[~held], cohort.names, seed=seed)
    for part, given, chosen in (("evaluation", honest, ~held), ("test", tested, held)):
        if given is not None:
            found["drawn"][part] = drawn(given)
            found["worst"][part] = worst(given, cohort.ids[chosen], classes)
    if not held.any() and known:
        found["table_one"] = _by_outcome(cohort, known, classed=bool(classes))
    if not cohort.names:
        found["robustness"] = _borne(choice, cohort.part(held if held.any() else ~held), tested, predicted, seed)
    return found


def _by_outcome(cohort: Cohort, known: Mapping[str, NDArray[Any]], *, classed: bool) -> list[dict[str, Any]]:
    """Table 1 by answer, or of everybody for values."""
    part = np.array([str(v) for v in cohort.y.tolist()]) if classed else np.full(len(cohort.y), "all")
    lines = table_one(known, part)
    return [
        {**asdict(e), "difference": e.difference if np.isfinite(e.difference) else None, "parts": dict(e.parts)}
        for e in lines
    ]


def _borne(
    choice: Choice, cases: Cohort, tested: Answered | None, predicted: Predict, seed: int
) -> dict[str, Any] | None:
    """Score and change of the answers under noise, blur and shift; the score only on pictures of a test part.

    None where trying would take too long.
    """
    fewest, most = _PICTURES
    each = _TRIES * (choice.table[0].predict_ms or 0.1)
    count = int(min(len(cases.ids), most, _MILLISECONDS / each))
    if count < min(fewest, len(cases.ids)):
        return None
    some = np.unique(np.linspace(0, len(cases.ids) - 1, count).astype(np.int64))
    y = None if tested is None else tested.y[some]
    found = robustness(
        lambda pictures: predicted(choice.model, pictures), cases.features[some],
        lambda p: _score(choice.model.task, y, p), seed=seed,
    )  # fmt: skip
    rows = [{**asdict(b), "score": b.score if np.isfinite(b.score) else None} for b in found]
    return {"pictures": len(some), "unseen": tested is not None, "rows": rows}


def _score(task: str, y: NDArray[Any] | None, p: metrics.Floats) -> float:
    """The leading score; NaN without outcomes, or with one class alone."""
    if y is None or len(np.unique(y)) < 2:
        return float("nan")
    if task == "regression":
        return float(metrics.r2(y, p[:, 0]))
    return float(metrics.auc(y, p[:, 1]) if task == "binary" else metrics.macro_auc(y, p))

"""A whole model of features explained on some cases: what it weighs, how answers move, each case, and the checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.learn.both import SCORE, inputs_of, sees_images
from radlake.learn.bundle import Bundle
from radlake.learn.cases import Cohort
from radlake.learn.explain.shapley import Shapley, shapley
from radlake.learn.explain.tabular import (
    Answer,
    change,
    coefficients,
    deletion,
    partial_dependence,
    permutation,
    rules,
    staircases,
)
from radlake.learn.metrics import Floats, auc, r2
from radlake.learn.training import codes, operating_threshold, predicted
from radlake.learn.trial import fit_quietly
from radlake.learn.validate import decisions

_DRAWN = 3  # features whose dependence is drawn
_CURVES = 12  # of a sum of curves
_CASES = 50  # explained one by one
_SHUFFLES = 9
_ALIKE = 0.5  # mean rank correlation of importance with that of models that learned shuffled labels


def explain(bundle: Bundle, cohort: Cohort, *, seed: int = 0) -> dict[str, Any]:
    """Everything that can be said of a model of features, as JSON values.

    With labels, importance is what the score loses; without, how far the answers move.

    Parameters
    ----------
    bundle : Bundle
    cohort : Cohort
        Cases, preferably such as the model has not seen.
    seed : int
        Of everything that is drawn at random.

    Raises
    ------
    UsageError
        When the model is one of images, or there are fewer than ten cases.
    """
    if not bundle.inputs:
        raise UsageError("this model answers for images; its maps need the images, not features")
    if sees_images(bundle.fitted):
        bundle, cohort = _with_score(bundle, cohort)
    x = cohort.columns(bundle.inputs)
    if len(x) < 10:
        raise UsageError(f"{len(x)} cases are too few to explain a model on; give ten at least")
    answer = _answer(bundle)
    rng = np.random.default_rng(seed)
    score, what = _score(bundle, cohort, answer, x)
    ranked = permutation(answer, score, x, bundle.inputs, rng=rng)
    order = [bundle.inputs.index(i.feature) for i in ranked]
    fell, random = deletion(answer, score, x, order, rng=rng)
    told = shapley(bundle.fitted.pipeline, x, x, bundle.inputs)
    classes = bundle.fitted.classes
    return {
        "model": bundle.name, "target": bundle.target, "cases": len(x), "features": len(bundle.inputs), "score": what,
        "coefficients": [asdict(w) for w in coefficients(bundle.fitted.pipeline, bundle.inputs)],
        "rules": rules(bundle.fitted.pipeline, bundle.inputs, classes=classes),
        "curves": [{"feature": name, "points": drawn} for name, drawn in _curves(bundle, x)],
        "importance": [asdict(i) for i in ranked],
        "shapley": _average(told),
        "dependence": [_dependence(answer, x, c, bundle.inputs) for c in order[:_DRAWN]],
        "checks": [_deletion_check(fell, random), _shuffled_check(bundle, cohort, x, answer, rng)],
        "each": _each(bundle, cohort, x, answer, told),
    }  # fmt: skip


def _with_score(bundle: Bundle, cohort: Cohort) -> tuple[Bundle, Cohort]:
    """A model of features and images as one of features, of which the image score is the last, and its cases."""
    looks, score, *rest = bundle.fitted.pipeline.steps
    table = score[1].transform(looks[1].transform(inputs_of(bundle.fitted, cohort, bundle.inputs)))
    features = () if score[1].alone else bundle.inputs
    left = table.shape[1] - len(features)
    names = (*features, *((SCORE,) if left == 1 else [f"{SCORE} {c}" for c in bundle.fitted.classes]))
    fitted = replace(bundle.fitted, pipeline=type(bundle.fitted.pipeline)(rest))
    return replace(bundle, inputs=names, fitted=fitted), replace(cohort, features=table, names=names, pixels=None)


def _curves(bundle: Bundle, x: Floats) -> list[tuple[str, list[tuple[float, float]]]]:
    """Curves that are worth a drawing."""
    return staircases(bundle.fitted.pipeline, bundle.inputs, x)[:_CURVES]


def _answer(bundle: Bundle) -> Answer:
    """One number a case: the probability of the last class, or the value."""
    return lambda x: predicted(bundle.fitted, x)[:, -1]


def _score(bundle: Bundle, cohort: Cohort, answer: Answer, x: Floats) -> tuple[Callable[[Floats], float], str]:
    """What importance is measured by, with its name: a score with labels, nearness to the first answers without."""
    before = answer(x)
    if len(cohort.y) and len(np.unique(cohort.y)) > 1 and len(bundle.fitted.classes) in (0, 2):
        y = codes(bundle.fitted.classes, cohort.y)
        metric, name = (auc, "AUC") if bundle.fitted.classes else (r2, "R2")
        return (lambda p: float(metric(y, p))), name
    return (lambda p: -float(np.abs(p - before).mean())), "mean change of the answer"


def _average(told: Shapley | None) -> list[dict[str, Any]]:
    """Mean absolute Shapley value of each feature, the largest first; empty for models without."""
    if told is None:
        return []
    means = np.abs(told.values).mean(axis=0)
    order = np.argsort(-means, kind="stable")
    return [{"feature": told.names[i], "mean": float(means[i])} for i in order]


def _dependence(answer: Answer, x: Floats, column: int, names: tuple[str, ...]) -> dict[str, Any]:
    """Mean answer over the values of one feature."""
    values, answers = partial_dependence(answer, x, column)
    return {"feature": names[column], "values": values.tolist(), "answers": answers.tolist()}


def _deletion_check(fell: Floats, random: Floats) -> dict[str, Any]:
    """Whether taking features away in the order of importance hurts more than in random orders."""
    gain = float(np.mean(random) - np.mean(fell))
    good = gain > 0 and float(fell[0] - fell[-1]) > 0
    words = (
        "Taking features away in this order makes the score fall faster than in random orders: the order means"
        " something."
        if good
        else "Taking features away in this order hurts no more than in random orders: the order shows nothing."
    )
    return {"name": "deletion", "good": good, "ordered": fell.tolist(), "random": random.tolist(), "words": words}


def _shuffled_check(
    bundle: Bundle, cohort: Cohort, x: Floats, answer: Answer, rng: np.random.Generator
) -> dict[str, Any]:
    """Whether models that learned shuffled labels weigh features differently."""
    from scipy.stats import rankdata
    from sklearn.base import clone

    name = "randomisation"
    if not len(cohort.y) or len(np.unique(cohort.y)) < 2 or len(bundle.inputs) < 3:
        return {"name": name, "good": None, "words": "Not checked: it needs labels and three features at least."}
    y = codes(bundle.fitted.classes, cohort.y)

    def ranks(own: NDArray[Any]) -> Floats:
        twin = clone(bundle.fitted.pipeline)
        fit_quietly(twin, x, own)
        moved = _movers(partial(_decided, twin), x, bundle.inputs)
        return np.asarray(rankdata([moved[n] for n in bundle.inputs]))

    true = ranks(y)
    others = [ranks(rng.permutation(y)) for _ in range(_SHUFFLES)]
    correlation = float(np.mean([np.corrcoef(true, o)[0, 1] if true.std() * o.std() > 0 else 0.0 for o in others]))
    good = abs(correlation) < _ALIKE
    words = (
        "Models that learned shuffled labels weigh the features differently: the importance comes from the labels."
        if good
        else "Models that learned shuffled labels weigh the features much the same: the importance shows how the"
        " features are spread, not what tells the outcome."
    )
    return {"name": name, "good": good, "correlation": correlation, "words": words}


def _decided(pipeline: Any, x: Floats) -> Floats:
    """What a pipeline says before calibration, of the last class."""
    found: Floats = decisions(pipeline, x)[:, -1]
    return found


def _movers(answer: Answer, x: Floats, names: tuple[str, ...]) -> dict[str, float]:
    """How far the answers move when each feature is shuffled."""
    before = answer(x)

    def kept(p: Floats) -> float:
        return -float(np.abs(p - before).mean())

    return {i.feature: i.drop for i in permutation(answer, kept, x, names, repeats=3, rng=np.random.default_rng(0))}


def _each(bundle: Bundle, cohort: Cohort, x: Floats, answer: Answer, told: Shapley | None) -> list[dict[str, Any]]:
    """The first cases one by one: what moved the answer, and what would change it."""
    point = operating_threshold(bundle.evidence)
    binary = len(bundle.fitted.classes) == 2
    said, found = answer(x), []
    for i in range(min(len(x), _CASES)):
        parts = []
        if told is not None:
            order = np.argsort(-np.abs(told.values[i]), kind="stable")[:5]
            parts = [{"feature": told.names[c], "value": float(told.values[i, c])} for c in order]
        flipped = change(answer, x[i], x, bundle.inputs, threshold=0.5 if point is None else point) if binary else None
        found.append({
            "unit_id": str(cohort.ids[i]), "answer": float(said[i]), "parts": parts,
            "change": None if flipped is None else asdict(flipped),
        })  # fmt: skip
    return found

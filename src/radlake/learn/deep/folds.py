"""One fold of a family of models of images: fitted on the others, asked about its own; and the model that answers.

A network is trained once for each fold; the networks of all folds that were drawn, which have been tested already, are
the final model and answer with their mean. Classical models are fitted once more on all images. Folds run side by side
on the cores that there are, each on one thread, so that the bits do not depend on how many run at once; networks on a
GPU, which one keeps busy, one after the other.
"""

from __future__ import annotations

import pickle
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radlake.learn.calibration import answers, calibrator, loss
from radlake.learn.classical import Settings
from radlake.learn.deep.cases import ImageCases
from radlake.learn.deep.ensemble import Together
from radlake.learn.deep.families import ImageFamily
from radlake.learn.deep.parts import cores
from radlake.learn.deep.progress import EnoughError, Progress
from radlake.learn.deep.views import ImageFeatures
from radlake.learn.problem import Bools, Floats, Ints
from radlake.learn.trial import HeldOut, Trial, complexity, fit_quietly, score
from radlake.learn.validate import Fitted, decisions

_FACTS = ("fit_s", "predict_s", "megabytes", "complexity", "converged", "epochs")

Ending = Literal["go on", "cut", "give up"]


class OutOfTimeError(Exception):
    """A training was given up because the budget is gone."""


@dataclass(frozen=True, eq=False)
class FoldRun:
    """What one fold told.

    Parameters
    ----------
    decision : (M, S) array
        For the cases of the fold, before calibration.
    fit_s, predict_s, megabytes : float
    complexity : int
    converged : bool
    network : estimator or None
        Trained on the other folds; None for classical families.
    epochs : int
        That the network was trained; 0 for classical families.
    """

    decision: Floats
    fit_s: float
    predict_s: float
    megabytes: float
    complexity: int
    converged: bool
    network: Any | None
    epochs: int = 0

    def parts(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Named arrays and plain JSON types; `of` makes it again."""
        facts = {name: getattr(self, name) for name in _FACTS}
        if self.network is None:
            return {"decision": self.decision}, {**facts, "network": None}
        description, tensors = self.network.parts()
        return {"decision": self.decision, **{f"network/{n}": v for n, v in tensors.items()}}, {
            **facts, "network": description,
        }  # fmt: skip

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> FoldRun:
        """A fold from what `parts` gave."""
        from radlake.learn.deep.estimators import from_parts

        network = None
        if facts["network"] is not None:
            tensors = {n.removeprefix("network/"): v for n, v in arrays.items() if n.startswith("network/")}
            network = from_parts(facts["network"], tensors)
        return cls(arrays["decision"], **{name: facts[name] for name in _FACTS}, network=network)


def side_by_side(family: ImageFamily, device: str, folds: int) -> int:
    """How many folds of a family run at once."""
    return 1 if device == "cuda" and family.view is None else min(cores(), folds)


def made(family: ImageFamily, settings: Settings, cases: ImageCases, seed: int) -> Any:
    """An unfitted model that takes the images as they were given, or their view."""
    model = family.make(settings, cases.outcome.task, seed)
    if family.view is not None:
        return model
    return model.set_params(axes=cases.axes, device=cases.device, augment=cases.augment)


def fold_runs(
    trial: Trial,
    family: ImageFamily,
    cases: ImageCases,
    fold: Ints,
    which: Sequence[int],
    *,
    seed: int,
    ends: Callable[[int, Progress], Ending] | None = None,
) -> dict[int, FoldRun]:
    """Some folds, each by a model fitted on all others.

    Parameters
    ----------
    trial : Trial
    family : ImageFamily
    cases : ImageCases
        With the family's view computed.
    fold : (N,) int array
    which : sequence of int
        Folds to run.
    seed : int
    ends : callable, optional
        (fold, progress) -> whether its training goes on after an epoch, ends with the weights that it has, or is given
        up with all that run at once.

    Raises
    ------
    OutOfTimeError
        When `ends` said "give up".
    """

    def one(k: int) -> FoldRun:
        return _fold_run(trial, family, cases, fold, k, seed, ends)

    at_once = max(1, side_by_side(family, cases.device, len(which)))
    with warnings.catch_warnings(), ThreadPoolExecutor(at_once) as pool:
        if family.view is not None:  # warnings are caught for the whole process, so not by each thread
            warnings.simplefilter("ignore")
        return dict(zip(which, pool.map(one, which), strict=True))


def _fold_run(
    trial: Trial, family: ImageFamily, cases: ImageCases, fold: Ints, k: int, seed: int,
    ends: Callable[[int, Progress], Ending] | None,
) -> FoldRun:  # fmt: skip
    """One fold."""

    def watch(told: Progress) -> None:
        said = "go on" if ends is None else ends(k, told)
        if said == "give up":
            raise OutOfTimeError
        if said == "cut":
            raise EnoughError

    test, inputs, y = fold == k, cases.seen_by(family.view), cases.outcome.y
    model = made(family, trial.settings, cases, seed)
    network = family.view is None
    if network:
        model.set_params(progress=watch)
    started = time.perf_counter()
    model.fit(inputs[~test], y[~test])
    fitted = time.perf_counter()
    answer = decisions(model, inputs[test])
    ended = time.perf_counter()
    if network:
        model.set_params(progress=None, threads=None)  # it answers as one that was read from a bundle
    return FoldRun(
        answer, fitted - started, ended - fitted, len(pickle.dumps(model)) / 1e6, _numbers(model), _converged(model),
        model if network else None, len(model.history_.losses) if network else 0,
    )  # fmt: skip


def _numbers(model: Any) -> int:
    """How many numbers a model decides with."""
    network = getattr(model, "network_", None)
    return complexity(model.model_) if network is None else sum(p.numel() for p in network.parameters())


def _converged(model: Any) -> bool:
    """Whether the solver of a classical model ended before its last step."""
    inside = getattr(getattr(model, "model_", None), "steps", [(None, None)])[-1][1]
    most = getattr(inside, "max_iter", None) or -1
    return most < 0 or bool(np.max(getattr(inside, "n_iter_", 0)) < most)


def assembled(family: ImageFamily, cases: ImageCases, fold: Ints, runs: Mapping[int, FoldRun]) -> HeldOut:
    """Answers, scores and costs of the folds that have been run; NaN for the cases of the others.

    Parameters
    ----------
    family : ImageFamily
    cases : ImageCases
    fold : (N,) int array
    runs : mapping
        Fold number -> FoldRun; at least two, so that each can be calibrated by others.
    """
    outcome, whole = cases.outcome, int(fold.max()) + 1
    some = [runs[k] for k in sorted(runs)]
    decision = np.full((len(fold), some[0].decision.shape[1]), np.nan)
    for k, run in runs.items():
        decision[fold == k] = run.decision
    seen = np.isin(fold, list(runs))
    told = answers(family, outcome.part(seen), decision[seen], fold[seen])
    predicted = np.full((len(fold), told.shape[1]), np.nan)
    predicted[seen] = told
    scores = np.full(whole, np.nan)
    for k in runs:
        scores[k] = score(outcome.task, outcome.y[fold == k], predicted[fold == k])
    return HeldOut(
        decision, predicted, loss(outcome.part(seen), told), scores, float(np.mean([r.fit_s for r in some])),
        1000 * sum(r.predict_s for r in some) / int(seen.sum()), some[0].megabytes, some[0].complexity,
        sum(not r.converged for r in some),
    )  # fmt: skip


def final(trial: Trial, family: ImageFamily, cases: ImageCases, networks: list[Any], *, seed: int) -> Fitted:
    """The model that answers: a classical one fitted on all images, or the networks of the folds together.

    Parameters
    ----------
    trial : Trial
        That has been run.
    family : ImageFamily
    cases : ImageCases
    networks : list
        Of the folds; empty for a classical family.
    seed : int
    """
    from sklearn.pipeline import Pipeline

    outcome = cases.outcome
    decision, seen = _unseen(trial.runs if networks else trial.runs[:1])
    curve = calibrator(family, outcome, decision, seen)
    if networks:
        model: Any = Together(networks)
    else:
        inside = family.make(trial.settings, outcome.task, seed)
        fit_quietly(inside, cases.seen_by(family.view), outcome.y)
        features = ImageFeatures(str(family.view), axes=cases.axes)
        model = Pipeline([("features", features.fit(cases.raw)), ("model", inside)])
    return Fitted(trial.settings, model, curve, outcome.task, outcome.classes)


def _unseen(runs: Sequence[HeldOut]) -> tuple[Floats, Bools]:
    """Of each case the mean of what models said that had not seen it, and whether there is any."""
    said = np.stack([run.decision for run in runs])
    known: Bools = np.all(np.isfinite(said), axis=2)
    number = known.sum(axis=0)
    total = np.where(known[..., None], said, 0.0).sum(axis=0)
    return total / np.maximum(number, 1)[:, None], np.asarray(number > 0)

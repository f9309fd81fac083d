"""A Keras network trained with the care of every other model: folds by patient, a curve from held-out answers, a plan.

There is nothing to choose: the network is the one that was named. What is told of it is what it said about patients
that it had not seen.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle
from radlake.learn.calibration import answers, calibrator, loss
from radlake.learn.choice import Choice
from radlake.learn.clock import Clock, Plan, seconds
from radlake.learn.deep.cases import ImageCases, image_cases, image_fingerprint
from radlake.learn.deep.device import Device
from radlake.learn.expectation import what_it_can_show
from radlake.learn.families import Family, Task
from radlake.learn.images import are_images
from radlake.learn.keras_networks import CLASSIC, KerasClassifier
from radlake.learn.problem import Floats, Ints
from radlake.learn.reason import reason
from radlake.learn.search import Search
from radlake.learn.split import grouped_folds
from radlake.learn.trial import HeldOut, Trial, score
from radlake.learn.validate import Fitted, decisions
from radlake.learn.verdict import Prefer, figures, table

NAME = "keras-classic"
_EPOCHS = (2, 20)
_KEPT = 0.1  # of the budget for what is not training


def is_keras(models: Sequence[str] | None) -> bool:
    """Whether a Keras network is asked for: the classic one by name, or a file.

    Examples
    --------
    >>> is_keras(["keras-classic"]), is_keras(["my.keras"]), is_keras(["vgg-small"]), is_keras(None)
    (True, True, False, False)
    """
    return any(name == NAME or name.endswith(".keras") for name in models or ())


def choose(  # noqa: PLR0913 - the request, as `radlake.learn.select` takes it
    inputs: Any, y: Any, *, groups: Any = None, clusters: Any = None, task: Task | None = None,
    names: Sequence[str] | None = None, models: Sequence[str] | None = (NAME,), budget: str | float = "10m",
    prefer: Prefer = "balanced", folds: int = 5, repeats: int = 1, seed: int = 0, device: Device = "auto",
    outer: bool = True, replay: Plan | None = None, journal: Path | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Choice:  # fmt: skip
    """Train one Keras network, and once more for each fold.

    Parameters
    ----------
    inputs : images
        Flat ones, all of one size.
    y, groups, clusters, task, budget, folds, seed, device, replay
        As in `radlake.learn.select`. Near-duplicates are found and kept together. Epochs are as many as fit into the
        budget, 20 at most; the plan holds their number.
    names, prefer, repeats, outer, journal, progress
        Taken so that the request is the same; there are no features, nothing to prefer or to choose, one drawing of the
        folds, and nothing is kept on the way.
    models : sequence of str
        One: "keras-classic", or a `.keras` file.

    Raises
    ------
    UsageError
        When several models are asked for, the outcome is a value, the network does not fit the images and classes, or
        two epochs of all folds are more than the budget.
    """
    if models is None or len(models) != 1:
        raise UsageError("a Keras network is trained alone: give --models one network, and compare by `evaluate`")
    if not are_images(inputs):
        raise UsageError("a Keras network sees pictures and no measured numbers: give --inputs images")
    clock = Clock(seconds(budget), replay)
    cases = image_cases(inputs, y, groups=groups, clusters=clusters, task=task)
    outcome = cases.outcome
    if outcome.task == "regression":
        raise UsageError("a Keras network here tells classes; for values use the networks of --inputs images")
    if replay is not None and replay.digest != cases.digest:
        raise UsageError("the plan was made for other data; it can be replayed only on the same cases")
    found = image_fingerprint(cases)
    if found.fewest < folds:
        raise UsageError(
            f"the rarest class occurs in {found.fewest} patients; {folds} folds need as many: give fewer folds, or more"
            " patients"
        )
    network = CLASSIC if models[0] == NAME else models[0]
    fold = grouped_folds(outcome.strata, outcome.groups, folds=folds, rng=np.random.default_rng([seed, 1]))
    model = KerasClassifier(network, epochs=1, device=device, seed=seed)
    epochs = _epochs(model, cases, folds, clock) if replay is None else int(replay.design["epochs"])
    model.set_params(epochs=epochs)
    trial = Trial(NAME, _family(network), {"epochs": epochs}, 0)
    trial.runs.append(_held_out(trial, model, cases, fold))
    model.fit(cases.raw, outcome.y)
    fitted = Fitted(
        trial.settings, model, calibrator(trial.family, outcome, trial.runs[0].decision), outcome.task, outcome.classes
    )  # fmt: skip
    predictions = trial.runs[0].predicted[None]
    honest = figures(outcome, predictions, fold[None], seed=seed)
    lines = table(outcome, Search([trial], fold[None], {}), {NAME: trial.family}, {}, prefer=prefer, seed=seed)
    design = {"models": [NAME], "folds": folds, "seed": seed, "epochs": epochs}
    return Choice(
        model=fitted, table=tuple(lines), expectation=what_it_can_show(found, outcome.task), notes=(), honest=honest,
        reason=reason(lines, found, outcome.task, prefer=prefer, honest=honest, picks=[NAME] * folds),
        picks=(NAME,) * folds, predictions=predictions, folds=fold[None],
        tried=({"family": NAME, "settings": dict(trial.settings), "repeats": 1, "mean": trial.mean},),
        plan=Plan(cases.digest, design | _machine(), ()), inputs=(), data=found, contract=model.contract_,
    )  # fmt: skip


def _family(network: str | Path) -> Family:
    """What is told of the network in tables."""
    title = "Keras: the classic small network" if network == CLASSIC else "Keras: the network that was given"
    structure = "conv 32 - pool - conv 64 - pool - dense 128 - softmax" if network == CLASSIC else "as in its file"
    return Family(
        title, ("binary", "multiclass"), lambda settings, task, seed: None, ({"epochs": 1},), 0, False, "D", 1.0,
        False, structure, "thousands of images, or a network that was trained before", "comparison with other work",
    )  # fmt: skip


def _epochs(model: KerasClassifier, cases: ImageCases, folds: int, clock: Clock) -> int:
    """As many as the budget allows, by the time of one on all cases, the second one."""
    least, most = _EPOCHS
    model.fit(cases.raw, cases.outcome.y)  # the first call compiles
    began = time.monotonic()
    model.fit(cases.raw, cases.outcome.y)
    took = time.monotonic() - began
    left = (1 - _KEPT) * clock.budget - clock.elapsed
    epochs = int(left / ((folds + 1) * took))
    if epochs < least:
        raise UsageError(
            f"the budget is too short: an epoch takes about {took:.0f} s, and {least} for each of {folds} folds and"
            " all are the least; give more time, or fewer images"
        )
    return min(most, epochs)


def _held_out(trial: Trial, model: KerasClassifier, cases: ImageCases, fold: Ints) -> HeldOut:
    """Answers for every case by networks trained on the other folds."""
    outcome, parts, fit_s, predict_s = cases.outcome, [], 0.0, 0.0
    for k in range(int(fold.max()) + 1):
        test = fold == k
        began = time.perf_counter()
        model.fit(cases.raw[~test], outcome.y[~test])
        fitted = time.perf_counter()
        parts.append((test, decisions(model, cases.raw[test])))
        fit_s, predict_s = fit_s + fitted - began, predict_s + time.perf_counter() - fitted
    decision: Floats = np.empty((len(fold), parts[0][1].shape[1]))
    for test, said in parts:
        decision[test] = said
    predicted = answers(trial.family, outcome, decision, fold)
    scores = np.array([score(outcome.task, outcome.y[test], predicted[test]) for test, _ in parts])
    numbers = model.network_.count_params()
    cost = (fit_s / len(parts), 1000 * predict_s / len(fold), 4e-6 * numbers, int(numbers))
    return HeldOut(decision, predicted, loss(outcome, predicted), scores, *cost, 0)


def _machine() -> dict[str, Any]:
    """Versions on which equal bits depend."""
    from importlib.metadata import version

    return {"versions": {n: version(n) for n in ("keras", "torch", "numpy")}, "machine": platform.machine()}


def bare(path: Path, target: str) -> Bundle:
    """A network from a `.keras` file as a bundle of which nothing else is known.

    Parameters
    ----------
    path : Path
    target : str
        What its classes are of; may be empty for predictions.
    """
    network = KerasClassifier.of_file(path)
    classes = tuple(network.classes_.tolist())
    fitted = Fitted({}, network, None, "binary" if len(classes) == 2 else "multiclass", classes)
    return Bundle("Keras network", target, (), fitted)

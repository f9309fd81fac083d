"""Folds as models see them: what comes before the model in a pipeline is fitted once a fold, not once a trial."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from radlake.learn.problem import Bools, Floats, Problem

_MOST = 16_000_000  # bytes of features; of larger tables nothing is kept, since every fold would be in memory


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold after the steps before the model.

    Parameters
    ----------
    steps : scikit-learn pipeline or None
        Fitted on the training cases; None where the model is all there is.
    seen, unseen : arrays
        Training and test cases as the model gets them.
    fit_s, transform_s : float
        Seconds that this took.
    """

    steps: Any
    seen: NDArray[Any]
    unseen: NDArray[Any]
    fit_s: float
    transform_s: float


@dataclass(eq=False)
class Folds:
    """Prepared folds of one problem, kept while a search lasts."""

    kept: dict[tuple[str, bytes], Fold] = field(default_factory=dict)

    def prepare(self, steps: Any, given: Problem, test: Bools) -> Fold:
        """The training and test cases behind some steps, from memory where equal steps have been there before.

        Parameters
        ----------
        steps : scikit-learn pipeline or None
            Unfitted.
        given : Problem
        test : (N,) bool array
        """
        if steps is None:
            return Fold(None, given.inputs[~test], given.inputs[test], 0.0, 0.0)
        key = (_recipe(steps), test.tobytes())
        if key in self.kept:
            return self.kept[key]
        if given.looks is not None and len(steps.steps) > 1:  # what is made of images is dear, and shared by many
            fold = _after(self.prepare(steps[:1], given, test), steps, given.y[~test])
        else:
            fold = _prepared(steps, given.inputs[~test], given.inputs[test], given.y[~test])
        if given.features.nbytes <= _MOST:
            self.kept[key] = fold
        return fold


def _prepared(steps: Any, seen: Floats, unseen: Floats, y: NDArray[Any]) -> Fold:
    """Fit the steps on the training cases. Features that are constant in a fold are no reason to warn."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = steps.fit_transform(seen, y)
        between = time.perf_counter()
        changed = steps.transform(unseen)
    return Fold(steps, fitted, changed, between - started, time.perf_counter() - between)


def _after(first: Fold, steps: Any, y: NDArray[Any]) -> Fold:
    """The fold behind all steps, of which the first has been fitted."""
    rest = _prepared(steps[1:], first.seen, first.unseen, y)
    whole = type(steps)([*first.steps.steps, *rest.steps.steps])
    return Fold(whole, rest.seen, rest.unseen, first.fit_s + rest.fit_s, first.transform_s + rest.transform_s)


def _recipe(steps: Any) -> str:
    """What decides the result of unfitted steps: their kinds and parameters."""
    return repr([(type(step).__qualname__, sorted(step.get_params().items())) for _, step in steps.steps])

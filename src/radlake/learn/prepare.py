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
        seen, unseen = given.features[~test], given.features[test]
        if steps is None:
            return Fold(None, seen, unseen, 0.0, 0.0)
        key = (_recipe(steps), test.tobytes())
        if key in self.kept:
            return self.kept[key]
        fold = _prepared(steps, seen, unseen, given.y[~test])
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


def _recipe(steps: Any) -> str:
    """What decides the result of unfitted steps: their kinds and parameters."""
    return repr([(type(step).__qualname__, sorted(step.get_params().items())) for _, step in steps.steps])

"""Where to act: a threshold that was chosen without the cases it is tested on, and what acting there means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radlake.core.errors import UsageError
from radlake.learn import metrics

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Goal = Literal["sens", "spec", "youden", "p"]


@dataclass(frozen=True)
class Operating:
    """What a threshold is asked for.

    Parameters
    ----------
    goal : {"sens", "spec", "youden", "p"}
        At least this sensitivity, at least this specificity, the largest sum of both, or the probability itself.
    value : float
        Share or probability; not used by "youden".
    """

    goal: Goal = "youden"
    value: float = 0.0

    @property
    def words(self) -> str:
        """For people."""
        return {
            "sens": f"sensitivity of {self.value:.0%} at least",
            "spec": f"specificity of {self.value:.0%} at least",
            "youden": "largest sum of sensitivity and specificity",
            "p": f"probability of {self.value:.0%} at least",
        }[self.goal]


def parse(text: str) -> Operating:
    """An operating point from "sens=0.95", "spec=0.9", "p=0.2" or "youden".

    Raises
    ------
    UsageError
        When it is none of these.

    Examples
    --------
    >>> parse("sens=0.95")
    Operating(goal='sens', value=0.95)
    """
    if text.strip() == "youden":
        return Operating()
    found = re.fullmatch(r"\s*(sens|spec|p)\s*=\s*(0?\.\d+)\s*", text)
    if not found:
        raise UsageError("the operating point must be sens=0.95, spec=0.9, p=0.2 or youden, with a share below 1")
    return Operating(found[1], float(found[2]))  # type: ignore[arg-type]


def threshold(y: ArrayLike, p: ArrayLike, wanted: Operating) -> float:
    """The probability from which on to act, so that these cases meet the goal.

    Thresholds lie between neighbouring probabilities. For a sensitivity the highest that reaches it is taken (the most
    specific), for a specificity the lowest.

    Parameters
    ----------
    y, p : (N,) arrays
        Outcomes 0 or 1 and probabilities, of cases that the model did not see and that will not be tested.
    wanted : Operating

    Raises
    ------
    UsageError
        When one class is missing.

    References
    ----------
    Youden (1950), Index for rating diagnostic tests, Cancer 3, 32-35.

    Examples
    --------
    >>> threshold([0, 0, 1, 1], [0.125, 0.5, 0.25, 0.75], Operating("sens", 0.5))
    0.625
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if wanted.goal == "p":
        return wanted.value
    if not 0 < y.sum() < len(y):
        raise UsageError("an operating point needs cases with both answers")
    values = np.unique(p)
    cuts = np.r_[0.0, (values[:-1] + values[1:]) / 2, 1.0] if len(values) > 1 else np.array([0.0, 1.0])
    acts = p >= cuts[:, None]
    sensitivity = acts @ y / y.sum()
    specificity = 1 - acts @ (1 - y) / (1 - y).sum()
    if wanted.goal == "sens":
        return float(cuts[sensitivity >= wanted.value][-1])
    if wanted.goal == "spec":
        enough = cuts[specificity >= wanted.value]
        return float(enough[0]) if len(enough) else 1.0
    return float(cuts[np.argmax(np.round(sensitivity + specificity, 12))])


def crossed(y: ArrayLike, p: ArrayLike, fold: Ints, wanted: Operating) -> Floats:
    """For each case the threshold chosen on the cases of the other folds, so that no case decides about itself.

    Parameters
    ----------
    y, p : (N,) arrays
    fold : (N,) int array
    wanted : Operating
    """
    y, p = np.asarray(y), np.asarray(p, dtype=np.float64)
    found = np.empty(len(p))
    for k in np.unique(fold):
        found[fold == k] = threshold(y[fold != k], p[fold != k], wanted)
    return found


def predictive_values(sensitivity: ArrayLike, specificity: ArrayLike, prevalence: ArrayLike) -> tuple[Floats, Floats]:
    """Positive and negative predictive value where so many are ill; NaN where nobody is called, or everybody.

    References
    ----------
    Altman and Bland (1994), Diagnostic tests 2: predictive values, BMJ 309, 102 (Bayes' theorem).

    Examples
    --------
    >>> [round(float(v), 4) for v in predictive_values(0.9, 0.8, 0.1)]
    [0.3333, 0.9863]
    """
    sens, spec = np.asarray(sensitivity, dtype=np.float64), np.asarray(specificity, dtype=np.float64)
    share = np.asarray(prevalence, dtype=np.float64)
    ill, well = sens * share, (1 - spec) * (1 - share)
    missed, cleared = (1 - sens) * share, spec * (1 - share)
    return metrics.ratio(ill, ill + well), metrics.ratio(cleared, cleared + missed)


def confusion(y: ArrayLike, answer: ArrayLike, classes: int) -> Ints:
    """Counts of each true class (rows) by each answer (columns), shape (classes, classes).

    Examples
    --------
    >>> confusion([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (np.asarray(y, dtype=np.int64), np.asarray(answer, dtype=np.int64)), 1)
    return counts

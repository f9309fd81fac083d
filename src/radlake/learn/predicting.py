"""What a bundle says about cases: an answer each, how sure it is, and whether the case is of the kind it knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from radlake.learn.both import inputs_of
from radlake.learn.bundle import Bundle
from radlake.learn.cases import Cohort
from radlake.learn.contract import Judged, OutsideContract, outside, refuse, unlike
from radlake.learn.evaluation.conformal import cutoffs, margin, sets, venn_abers
from radlake.learn.problem import Bools, Floats
from radlake.learn.training import operating_threshold, predicted

COVERAGE = 0.9


def predictions(bundle: Bundle, cohort: Cohort, *, coverage: float = COVERAGE) -> list[dict[str, Any]]:
    """One row for each case, in plain JSON types.

    Parameters
    ----------
    bundle : Bundle
    cohort : Cohort
        Other cases than those it was trained on; labels are not looked at.
    coverage : float
        Share of the cases whose set of answers, or interval of values, should hold the truth.

    Returns
    -------
    list of dict
        unit_id, patient_id, answer, probability of the answer (for two classes: of the second class) or value, low,
        high, `possible` (classes that cannot be ruled out), `sure` (exactly one), outside, reason.

    Raises
    ------
    OutsideContract
        When the cases are of another kind than those of training.
    """
    p, judged = _answered(bundle, cohort)
    held = (bundle.evidence or {}).get("held_out")
    said = _values(p, held, coverage) if bundle.fitted.task == "regression" else _classes(bundle, p, held, coverage)
    return [
        {
            "unit_id": str(unit_id),
            "patient_id": str(patient) or None,
            **row,
            "outside": bool(judged.outside[i]),
            "reason": judged.reasons[i] or None,
        }
        for i, (unit_id, patient, row) in enumerate(zip(cohort.ids, cohort.patients, said, strict=True))
    ]


def _answered(bundle: Bundle, cohort: Cohort) -> tuple[Floats, Judged]:
    """What the model says, and how far the cases lie from those of training."""
    given, features = bundle.contract, bool(bundle.inputs)
    if features != bool(cohort.names):
        what = ("features of a lake, or images that its steps can measure", "pictures: a .npz, a folder or a file")
        raise OutsideContract(f"the model answers for {what[0 if features else 1]}; that is not what it was given")
    if given is None:
        p = predicted(bundle.fitted, inputs_of(bundle.fitted, cohort, bundle.inputs))
        return p, _unknown(len(p))
    if features:
        refuse(given, cohort)
    p = predicted(bundle.fitted, inputs_of(bundle.fitted, cohort, bundle.inputs))
    return p, outside(given, cohort) if features else unlike(given, cohort)


def _unknown(count: int) -> Judged:
    """Nothing is known of the training cases."""
    return Judged(np.zeros(count, dtype=np.bool_), ("",) * count)


def _classes(bundle: Bundle, p: Floats, held: Mapping[str, Any] | None, coverage: float) -> list[dict[str, Any]]:
    """Rows of a classifier."""
    labels, point = bundle.fitted.classes, operating_threshold(bundle.evidence)
    binary = len(labels) == 2
    answer = (p[:, 1] >= point).astype(int) if binary and point is not None else p.argmax(axis=1)
    low, high = _ends(p, held) if binary else (None, None)
    possible = _possible(p, held, coverage)
    return [
        {
            "answer": labels[answer[i]],
            "probability": float(p[i, 1] if binary else p[i, answer[i]]),
            "value": None,
            "low": None if low is None else float(low[i]),
            "high": None if high is None else float(high[i]),
            "possible": None if possible is None else [labels[c] for c in np.flatnonzero(possible[i])],
            "sure": None if possible is None else bool(possible[i].sum() == 1),
        }
        for i in range(len(p))
    ]


def _ends(p: Floats, held: Mapping[str, Any] | None) -> tuple[Floats | None, Floats | None]:
    """Interval of each probability, which holds the probability itself; None without held-out answers."""
    if held is None:
        return None, None
    low, high = venn_abers(np.array(held["p"])[:, 1], held["y"], p[:, 1])
    return np.minimum(low, p[:, 1]), np.maximum(high, p[:, 1])


def _possible(p: Floats, held: Mapping[str, Any] | None, coverage: float) -> Bools | None:
    """Classes that cannot be ruled out, None without held-out answers."""
    return None if held is None else sets(p, cutoffs(held["y"], held["p"], coverage=coverage))


def _values(p: Floats, held: Mapping[str, Any] | None, coverage: float) -> list[dict[str, Any]]:
    """Rows of a regression."""
    wide = float("inf") if held is None else margin(held["y"], np.array(held["p"])[:, 0], coverage=coverage)
    known = np.isfinite(wide)
    return [
        {
            "answer": None,
            "probability": None,
            "value": float(v),
            "low": float(v - wide) if known else None,
            "high": float(v + wide) if known else None,
            "possible": None,
            "sure": None,
        }
        for v in p[:, 0]
    ]

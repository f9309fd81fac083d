"""A model that was chosen among families: the table of the choice, the reason, scores, gaps and leaks, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from radlake.report.figures import Estimate, forest
from radlake.report.tables import Row
from radlake.report.wording import count, fixed, plural, words

SCORES: dict[str, tuple[str, str]] = {
    "auc": ("AUC", "chance to rank a case with the answer yes above one with no"),
    "macro_auc": ("mean AUC", "of each class against all others"),
    "average_precision": ("precision-recall area", "compare it with the share of cases with yes"),
    "accuracy": ("accuracy", "share of right answers"),
    "balanced_accuracy": ("balanced accuracy", "mean of the shares that are recognised in each class"),
    "matthews": ("Matthews correlation", "of answer and truth: 0 is guessing, 1 is perfect"),
    "sensitivity": ("sensitivity", "share of the cases with yes that are found"),
    "specificity": ("specificity", "share of the cases with no that are cleared"),
    "brier": ("Brier score", "squared error of the probabilities: 0 is perfect"),
    "calibration_intercept": ("calibration intercept", "0 is ideal; above 0: probabilities are too low"),
    "calibration_slope": ("calibration slope", "1 is ideal; below 1: probabilities are too extreme"),
    "calibration_error": ("calibration error", "mean distance of predicted and observed shares"),
    "r2": ("R²", "share of the differences that is explained"),
    "mean_absolute_error": ("mean error", "in the unit of the outcome"),
    "bias": ("bias", "mean difference of prediction and truth"),
    "limit_low": ("lower limit of agreement", "95% of the differences lie between the limits (Bland and Altman)"),
    "limit_high": ("upper limit of agreement", "95% of the differences lie between the limits (Bland and Altman)"),
}
PARTS: tuple[tuple[str, str], ...] = (
    ("evaluation", "On patients that were held out in turn"),
    ("test", "On the published test part, which took no part in any choice"),
    ("test_distinct", "On the test cases that resemble no training case"),
)


@dataclass(frozen=True)
class Chosen:
    """What the page tells about a choice.

    Parameters
    ----------
    reason, expectation, point : str
        Why this model; what so few cases can show; where it acts.
    notes : list of str
    lines : list of dict
        The table of families.
    left_out : list of str
        Families that were not tried, with the reason.
    parts : list of (title, rows)
        Scores with what they mean.
    gaps : str
        Forest plot of subgroups whose gap chance does not explain; empty when there are none.
    compared : int
        How many comparisons of subgroups there were.
    leaks : list of dict
        Level, name and message of each check.
    counted : str
        Right and wrong answers as a sentence; empty unless there are two classes.
    seconds : float
        Processor time.
    """

    reason: str
    expectation: str
    point: str
    notes: list[str]
    lines: list[Row]
    left_out: list[str]
    parts: list[tuple[str, list[Row]]]
    gaps: str
    compared: int
    leaks: list[Row]
    counted: str
    seconds: float


def chosen(evidence: Mapping[str, Any] | None) -> Chosen | None:
    """A choice from the evidence that a trained model leaves in `models`; None for other models."""
    if not evidence:
        return None
    tried = [line for line in evidence["table"] if line["mean"] is not None]
    untried = [line for line in evidence["table"] if line["mean"] is None]
    point, groups = evidence.get("operating"), evidence.get("subgroups", [])
    return Chosen(
        reason=evidence["reason"].split(" Not tried:")[0],
        expectation=evidence["expectation"],
        point=""
        if point is None
        else f"It acts from a probability of {fixed(point['threshold'])} on: {point['words']}.",
        notes=evidence["notes"],
        lines=tried,
        left_out=[f"{line['title']}: {line['why']}" for line in untried],
        parts=[(title, [_score(r) for r in evidence[key]]) for key, title in PARTS if evidence.get(key)],
        gaps=_gaps(groups),
        compared=len(groups),
        leaks=evidence.get("leakage", []),
        counted=_counted(evidence.get("confusion", [])),
        seconds=evidence["compute"]["cpu_seconds"],
    )


def _score(row: Mapping[str, Any]) -> Row:
    """A score with what it means."""
    name = row["metric"]
    kind, _, share = name.partition("_at_")
    if share:
        which = "yes" if kind == "ppv" else "no"
        return {
            **row,
            "title": f"predictive value of {which}",
            "words": f"where {100 * float(share):.3g}% of all are ill",
        }
    title, meaning = SCORES.get(name, (words(name), ""))
    return {**row, "title": title, "words": meaning}


def _counted(confusion: list[list[int]]) -> str:
    """A table of two classes as a sentence; empty for others."""
    if len(confusion) != 2:
        return ""
    (cleared, alarmed), (missed, found) = confusion
    return (
        f"Of {plural(found + missed, 'case')} with yes, {count(found)} were found and {count(missed)} missed; of"
        f" {plural(cleared + alarmed, 'case')} with no, {count(cleared)} were cleared and {count(alarmed)} were false"
        " alarms."
    )


def _gaps(groups: list[Row]) -> str:
    """Subgroups whose gap to all others excludes zero, the widest first."""
    sure = [g for g in groups if g["gap_low"] is not None and (g["gap_low"] > 0 or g["gap_high"] < 0)]
    if not sure:
        return ""
    sure.sort(key=lambda g: -abs(g["gap"]))
    rows = [
        Estimate(
            f"{words(g['by'])} {g['value']}: {words(g['metric'])} {fixed(g['score'])}",
            f"{g['cases']} cases, {fixed(g['gap'], signed=True)} against all others",
            g["gap"], g["gap_low"], g["gap_high"],
        )
        for g in sure[:8]
    ]  # fmt: skip
    ends = [v for r in rows for v in (r.low, r.high) if v is not None] + [0.0]
    room = 0.05 * (max(ends) - min(ends))
    return forest(rows, title="Gaps between subgroups", low=min(ends) - room, high=max(ends) + room, reference=0.0)

"""A model that was chosen among families: the table of the choice, the reason, scores, gaps and leaks, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from radlake.features.names import FEATURES
from radlake.report.account import Figure, alone, borne, compute, crossed, figures, mistakes, seeds, sets, table_one
from radlake.report.figures import Estimate, forest
from radlake.report.tables import Row
from radlake.report.wording import count, fixed, plural, words

SCORES: dict[str, tuple[str, str]] = {
    "auc": ("AUC", "chance to rank a case with the answer yes above one with no"),
    "macro_auc": ("mean AUC", "of each class against all others"),
    "average_precision": ("precision-recall area", "compare it with the share of cases with yes"),
    "accuracy": ("accuracy", "share of the cases whose likeliest answer is right"),
    "accuracy_of_likelier_answer": (
        "accuracy of the likelier answer",
        "share of the cases in which the answer above one half is right: what published tables call accuracy",
    ),
    "accuracy_at_operating_point": (
        "accuracy at the operating point",
        "share of right answers when a case is called yes from the operating point on, not from one half",
    ),
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
class Part:
    """Answers for one part of the cases: scores with what they mean, curves, mistakes.

    Parameters
    ----------
    title : str
    scores : list of dict
    figures : list of Figure
    counted : str
        Right and wrong answers of two classes as a sentence.
    crossed : dict or None
        Answers by truth, for more classes.
    mistakes : list of dict
        Worst cases.
    """

    title: str
    scores: list[Row]
    figures: list[Figure]
    counted: str
    crossed: Row | None
    mistakes: list[Row]


@dataclass(frozen=True)
class Chosen:
    """What the page tells about a choice.

    Parameters
    ----------
    reason, expectation, point : str
        Why this model; what so few cases can show; where it acts.
    notes : list of str
    flow : list of dict
        Cases on their way into training and test.
    table_one : (list of str, list of dict)
        Parts, and who is in them.
    columns : str
        What those parts are.
    lines : list of dict
        The table of families.
    left_out : list of str
        Families that were not tried, by reason.
    parts : list of Part
    gaps : str
        Forest plot of subgroups whose gap chance does not explain; empty when there are none.
    groups : list of dict
        Every score of every subgroup.
    leaks : list of dict
        Level, name and message of each check.
    yes, alone, seeds, sets, compute : str
        Which class "yes" is, whether it beats its best single measure, how much is luck, what answers that may say "I
        do not know" do, and what the choice cost.
    borne : (str, list of dict)
        How the model does on pictures that were made worse.
    """

    reason: str
    expectation: str
    point: str
    notes: list[str]
    flow: list[Row]
    table_one: tuple[list[str], list[Row]]
    columns: str
    lines: list[Row]
    left_out: list[str]
    parts: list[Part]
    gaps: str
    groups: list[Row]
    leaks: list[Row]
    yes: str
    alone: str
    seeds: str
    sets: str
    compute: str
    borne: tuple[str, list[Row]]


def chosen(evidence: Mapping[str, Any] | None) -> Chosen | None:
    """A choice from the evidence that a trained model leaves in `models`; None for other models."""
    if not evidence:
        return None
    tried = [line for line in evidence["table"] if line["mean"] is not None]
    untried = [line for line in evidence["table"] if line["mean"] is None]
    gaps, groups = by_group(evidence.get("subgroups", []))
    return Chosen(
        reason=evidence["reason"].split(" Not tried:")[0],
        expectation=evidence["expectation"].replace("+-", "±"),
        point=acts(evidence.get("operating")),
        notes=[_named(text) for text in evidence["notes"]],
        flow=evidence.get("flow", []),
        table_one=table_one(evidence.get("table_one", [])),
        columns="by part" if evidence.get("test") else "all" if evidence.get("task") == "regression" else "by answer",
        lines=tried,
        left_out=_left_out(untried),
        parts=[_part(key, title, evidence) for key, title in PARTS if evidence.get(key)],
        gaps=gaps,
        groups=groups,
        leaks=evidence.get("leakage", []),
        yes=yes(evidence.get("classes", [])),
        alone=alone(evidence.get("alone")),
        seeds=seeds(evidence.get("seeds", [])),
        sets=sets(evidence.get("conformal")),
        compute=compute(evidence["compute"]),
        borne=borne(evidence.get("robustness"), evidence.get("task", "binary")),
    )


def acts(point: Mapping[str, Any] | None) -> str:
    """From where on a model acts, as a sentence; empty where it does not."""
    return "" if point is None else f"It acts from a probability of {fixed(point['threshold'])} on: {point['words']}."


def _named(text: str) -> str:
    """A note with a capital first letter, and with the titles of features instead of their codes."""
    told = re.sub(r"\b[a-z]+_[a-z0-9_]+\b", lambda code: _feature(code[0]), text)
    return told[:1].upper() + told[1:]


def _feature(code: str) -> str:
    """Title of a feature; the code itself where there is none."""
    return FEATURES[code].title if code in FEATURES else code


def yes(classes: list[Any]) -> str:
    """Which of two classes is meant by "yes"; empty for others."""
    return f"“Yes” is the answer {classes[1]}, “no” the answer {classes[0]}." if len(classes) == 2 else ""


def _left_out(lines: list[Row]) -> list[str]:
    """Families that were not tried, those with one reason together."""
    reasons: dict[str, list[str]] = {}
    for line in lines:
        reasons.setdefault(line["why"], []).append(line["title"])
    return [f"{', '.join(titles)} ({why})" for why, titles in reasons.items()]


def _part(key: str, title: str, evidence: Mapping[str, Any]) -> Part:
    """Scores, curves and mistakes of one part of the cases."""
    drawn = dict(evidence.get("drawn", {}).get(key, {}))
    if not drawn.get("confusion") and key == "evaluation":
        drawn["confusion"] = evidence.get("confusion", [])
    return part(
        title, evidence[key], drawn, classes=evidence.get("classes", []), worst=evidence.get("worst", {}).get(key, [])
    )  # fmt: skip


def part(title: str, scores: list[Row], drawn: Mapping[str, Any], *, classes: list[Any], worst: list[Row]) -> Part:
    """Scores, curves and mistakes of some cases.

    Parameters
    ----------
    title : str
    scores : list of dict
        Measures as JSON values.
    drawn : mapping
        From `radlake.learn.evaluation.record.drawn`.
    classes : list
        Labels; empty for values.
    worst : list of dict
        From `radlake.learn.evaluation.record.worst`.
    """
    matrix = drawn.get("confusion") or []
    return Part(
        title, [_score(r) for r in scores], figures(drawn), _counted(matrix), crossed(matrix, classes), mistakes(worst)
    )  # fmt: skip


def by_group(groups: list[Row]) -> tuple[str, list[Row]]:
    """Forest plot of the gaps that chance does not explain (empty when there are none), and all subgroups in words."""
    return _gaps(groups), [{**g, "by": words(g["by"]), "title": _title(g["metric"])} for g in groups]


def _title(metric: str) -> str:
    """A score's name."""
    return SCORES[metric][0] if metric in SCORES else words(metric)


def _score(row: Mapping[str, Any]) -> Row:
    """A score with what it means."""
    name = row["metric"]
    kind, _, share = name.partition("_at_")
    if kind in ("ppv", "npv"):
        which = "yes" if kind == "ppv" else "no"
        return {
            **row,
            "title": f"predictive value of {which}",
            "words": f"where {100 * float(share):.3g}% of all are yes",
        }
    title, meaning = SCORES.get(name, (words(name), ""))
    return {**row, "title": title, "words": meaning}


def _counted(confusion: list[list[int]]) -> str:
    """A table of two classes as a sentence; empty for others."""
    if len(confusion) != 2:
        return ""
    (cleared, alarmed), (missed, found) = confusion
    return (
        f"At the operating point, of {plural(found + missed, 'case')} with yes, {count(found)} were found and"
        f" {count(missed)} missed; of {plural(cleared + alarmed, 'case')} with no, {count(cleared)} were cleared and"
        f" {count(alarmed)} were false alarms."
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

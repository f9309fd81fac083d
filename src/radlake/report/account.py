"""What is told of a chosen model beside its scores: curves, who is in it, seeds, sets of answers, mistakes, robustness.

Everything comes from the evidence that training left, in words and figures; nothing is computed on cases here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radlake.features.names import FEATURES
from radlake.learn.intervals import wilson
from radlake.report.figures import Line, agreement, calibration, decision, roc, scatter
from radlake.report.tables import Row
from radlake.report.wording import count, duration, fixed, number, plural, words

_BY_SCORE = {"auc": "AUC", "macro_auc": "mean AUC", "r2": "R²", "accuracy": "accuracy", "brier": "Brier score",
             "mean_absolute_error": "mean error"}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A figure with its title and what it shows."""

    svg: str
    title: str
    about: str


def figures(drawn: Mapping[str, Any]) -> list[Figure]:
    """Figures of one part of the answers.

    Parameters
    ----------
    drawn : mapping
        From `radlake.learn.evaluation.record.drawn`.
    """
    found = []
    if points := drawn.get("roc"):
        found.append(Figure(
            roc([Line("model", points)], title="ROC curve"), "ROC curve",
            "the nearer to the upper left, the better; the dotted diagonal is guessing",
        ))  # fmt: skip
    if bins := drawn.get("reliability"):
        ends = [wilson(round(b["observed"] * b["cases"]), b["cases"]) for b in bins]
        line = Line("model", [(b["predicted"], b["observed"]) for b in bins])
        found.append(Figure(
            calibration([line], [ends], title="Reliability"), "Reliability",
            "points on the diagonal: of the cases that were given 30%, 30% are so; bars are 95% intervals (Wilson)",
        ))  # fmt: skip
    if points := drawn.get("decision"):
        lines = [Line("model", points), Line("act on everybody", drawn["everybody"], 8, dashed=True)]
        found.append(Figure(
            decision(lines, title="Decision curve"), "Decision curve",
            "who acts from a probability on (across) gains this much (up): worth it only where the line is above both"
            " acting on everybody (dashed) and on nobody (dotted)",
        ))  # fmt: skip
    if points := drawn.get("values"):
        found += _of_values(points)
    return found


def _of_values(points: Sequence[Sequence[float]]) -> list[Figure]:
    """Prediction against truth, and the differences (Bland and Altman 1986)."""
    return [
        Figure(
            scatter(points, title="Prediction and truth", across="truth", up="prediction"), "Prediction and truth",
            "one point a case; on the dotted diagonal the prediction is right",
        ),
        Figure(
            agreement(points, title="Bland-Altman plot"), "Differences (Bland–Altman)",
            "prediction minus truth over their mean; the line is the mean difference, 95% of the differences lie"
            " between the dashed lines",
        ),
    ]  # fmt: skip


def table_one(lines: Sequence[Row]) -> tuple[list[str], list[Row]]:
    """Names of the parts, and a row for each line with its texts in that order.

    Parameters
    ----------
    lines : sequence
        From the evidence.
    """
    parts = sorted(
        {part for line in lines for part in line["parts"]}, key=lambda p: ({"train": 0, "test": 1}.get(p, 2), p)
    )
    rows = [
        {
            "name": words(line["name"]), "value": line["value"], "texts": [line["parts"].get(p, "0") for p in parts],
            "difference": line["difference"],
        }
        for line in lines
    ]  # fmt: skip
    return parts, rows


def seeds(rows: Sequence[Row]) -> str:
    """How much a score owes to how the folds were drawn; empty for one drawing alone."""
    if len(rows) < 2:
        return ""
    said = []
    for name in (n for n in rows[0] if n != "repeat"):
        values = [r[name] for r in rows if r[name] is not None]
        if values:
            said.append(f"{_BY_SCORE.get(name, words(name))} {', '.join(fixed(v) for v in values)}")
    return f"The folds were drawn {len(rows)} times: {'; '.join(said)}. So much is the luck of the draw."


def sets(found: Mapping[str, Any] | None) -> str:
    """How answers do that may say "I do not know"; empty where it was not counted."""
    if not found:
        return ""
    promised, held = f"{100 * found['coverage']:.0f}%", f"{100 * found['held']:.0f}%"
    if "sure" not in found:
        width = "without end: there are too few cases" if found["width"] is None else f"{number(found['width'])} wide"
        return (
            f"Each prediction comes with an interval that should hold the truth in {promised} of the cases; it held it"
            f" in {held}. The intervals are {width}."
        )
    right = "" if found["right"] is None else f", and {100 * found['right']:.0f}% of these were right"
    least = min(v for v in found["by_class"] if v is not None)
    return (
        f"Each answer comes with the classes that cannot be ruled out; they should hold the truth in {promised} of the"
        f" cases of each class. They held it in {held} ({100 * least:.0f}% in the class that did worst). In"
        f" {100 * found['sure']:.0f}% of the cases one class was left{right}; in all others the model says that it does"
        " not know, and somebody should look."
    )


def alone(found: Mapping[str, Any] | None) -> str:
    """Whether the model beats its best single measure; empty where it was not asked."""
    if not found:
        return ""
    title = FEATURES[found["feature"]].title if found["feature"] in FEATURES else words(found["feature"])
    if found["low"] is None:
        return ""
    verdict = (
        "the model is better" if found["low"] > 0 else "the model does not reach it" if found["high"] < 0
        else "the model is not shown to be better: the interval includes zero"
    )  # fmt: skip
    ends = f"[{fixed(found['low'], signed=True)}, {fixed(found['high'], signed=True)}]"
    return (
        f"The best single measure, {title}, reaches an AUC of {fixed(found['alone'])} alone (it was picked after the"
        f" fact, which favours it). On the same cases the model gains {fixed(found['value'], signed=True)} {ends}:"
        f" {verdict}."
    )


def mistakes(rows: Sequence[Row]) -> list[Row]:
    """Worst cases in words.

    Parameters
    ----------
    rows : sequence
        From `radlake.learn.evaluation.record.worst`.
    """
    return [
        {
            "id": r["unit_id"],
            "words": f"truth {r['truth']}, answered {r['answer']}; the truth got a probability of {fixed(r['said'], 2)}"
            if "answer" in r
            else f"truth {number(r['truth'])}, predicted {number(r['said'])}",
        }
        for r in rows
    ]


def borne(found: Mapping[str, Any] | None, task: str) -> tuple[str, list[Row]]:
    """How the model does on pictures that were made worse, as a sentence and rows; empty for models of features."""
    if not found:
        return "", []
    score = {"binary": "AUC", "multiclass": "mean AUC", "regression": "R²"}[task]
    rows = [
        {
            "kind": r["kind"], "level": _level(r["kind"], r["level"]), "score": r["score"],
            "change": r["change"],
        }
        for r in found["rows"] if r["level"]
    ]  # fmt: skip
    before = next(r["score"] for r in found["rows"])
    base = f"{score} {fixed(before)} as they are" if before is not None else (
        "no score is told, because the model was trained on them"
    )  # fmt: skip
    return f"{plural(found['pictures'], 'picture')} were made worse on purpose ({base}):", rows


def _level(kind: str, level: float) -> str:
    """How much worse, in words."""
    if kind == "noise":
        return f"{100 * level:.0f}% of the range of intensities"
    pixels = f"{level:g} pixel{'' if level == 1 else 's'}"
    return f"a Gaussian of {pixels}" if kind == "blur" else pixels


def compute(found: Mapping[str, Any]) -> str:
    """What the choice cost."""
    budget = f", of a budget of {found['budget']}" if found.get("budget") else ""
    where = f", on {plural(found['cores'], 'core')}" if found.get("cores") else ""
    if where and found.get("memory_bytes"):
        where += f" and {found['memory_bytes'] / 2**30:.0f} GiB of memory"
    return f"The choice and its evaluation took {duration(found['cpu_seconds'])} of processor time{budget}{where}."


def crossed(matrix: Sequence[Sequence[int]], classes: Sequence[Any]) -> Row | None:
    """A confusion matrix of more than two classes with its labels; None for two, which are told in words."""
    if len(matrix) < 3:
        return None
    right = int(np.trace(np.array(matrix)))
    total = int(np.sum(matrix))
    return {
        "classes": [str(c) for c in classes] or [str(i) for i in range(len(matrix))],
        "rows": [[int(v) for v in row] for row in matrix],
        "words": f"{count(right)} of {plural(total, 'case')} are on the diagonal: answered with their own class.",
    }

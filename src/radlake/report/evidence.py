"""Studies: what was asked, who was in it, how good the answers are, and whether that beats one feature alone.

Everything is read from the tables that a study left; nothing is fitted or scored again here.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.features.names import FEATURES
from radlake.learn.intervals import wilson
from radlake.report.chosen import Chosen, chosen
from radlake.report.failures import failures
from radlake.report.figures import Estimate, Line, calibration, decision, forest, roc
from radlake.report.tables import Row, Tables
from radlake.report.wording import count, fixed, plural, words

ALL = "all"
_BINS = 10  # of `radlake.learn.curves.calibration`
_CALIBRATION_LINES = 2  # baselines would hide the models
_AGAINST = "auc_minus:"  # metric of a paired difference, before the name of the baseline
_COUNTS = {
    "nodules": "regions outlined by at least one reader",
    "rated": "outlined by enough readers to have a label",
    "left_out": "left out: the readers' opinions lie between the two answers",
    "left_out_at_3": "of these, exactly in the middle",
    "used": "cases of this study",
    "malignant": "of these, with the answer yes",
}

Points = dict[tuple[str | None, str], list[tuple[float, float]]]


@dataclass(frozen=True)
class Contender:
    """A model of a study in the order and colour in which all figures show it."""

    model_id: str
    name: str
    inputs: int
    baseline: bool
    colour: int
    seconds: float | None


@dataclass(frozen=True)
class Scored:
    """A contender's scores by metric."""

    contender: Contender
    values: Mapping[str, Row]


@dataclass(frozen=True)
class Test:
    """A paired difference of AUC between a contender and a baseline."""

    contender: Contender
    against: str
    score: Row


@dataclass(frozen=True)
class Stratum:
    """Cases that are scored together: a table of scores, and forest plots of AUCs and of paired differences."""

    title: str
    name: str
    cases: int
    patients: int
    scores: list[Scored]
    aucs: str
    differences: str
    tests: list[Test]


@dataclass(frozen=True)
class Study:
    """One target."""

    target: str
    question: str
    positives: int | None
    cases: int
    patients: int
    flow: list[Row]
    findings: list[str]
    conclusion: str
    contenders: list[Contender]
    strata: list[Stratum]
    roc: str
    calibration: str
    decision: str
    intervals: bool
    method: str
    chosen: Chosen | None
    failures: list[Row]


def studies(tables: Tables, read: Callable[[str], bytes]) -> list[Study]:
    """Every study in the lake, in the order of their owners.

    Parameters
    ----------
    tables : Tables
    read : callable
        Bytes of an object by its reference, for previews.
    """
    models: dict[str, list[Row]] = defaultdict(list)
    for row in tables.rows("SELECT * FROM models WHERE target IS NOT NULL ORDER BY owner, name, model_id"):
        models[row["owner"]].append(row)
    return [_study(tables, read, owner, rows) for owner, rows in models.items()]


def _study(tables: Tables, read: Callable[[str], bytes], owner: str, models: list[Row]) -> Study:
    """Everything about the models of one owner."""
    contenders = _contenders(models)
    settings = json.loads(models[0]["settings"] or "{}")
    target, design = models[0]["target"], settings.get("design", {})
    scores = tables.rows(f"SELECT * FROM scores WHERE owner = {_quoted(owner)} AND model_id IS NOT NULL ORDER BY ALL")
    strata = [_stratum(name, scores, contenders) for name in _stratum_names(scores)]
    first = next((s for s in strata if s.name == ALL), None)
    points = _curves(tables, owner)
    calibrated, intervals = _calibration(tables, contenders, points, target)
    flow, conclusion = _notes(tables, target)
    choice = chosen(settings.get("evidence"))
    return Study(
        target=target,
        question=_question(target, design, contenders),
        positives=_positives(points, first.cases) if first else None,
        cases=first.cases if first else 0,
        patients=first.patients if first else 0,
        flow=flow,
        findings=_findings(first),
        conclusion=conclusion,
        contenders=contenders,
        strata=strata,
        roc=_roc(contenders, points, target),
        calibration=calibrated,
        decision=_decision(contenders, points, target),
        intervals=intervals,
        method=_method(design),
        chosen=choice,
        failures=failures(tables, read, choice, str(design.get("unit"))),
    )


def _contenders(models: Sequence[Row]) -> list[Contender]:
    """Models on many features first, then those on one; colours follow that order."""
    read = [(m, json.loads(m["settings"] or "{}"), json.loads(m["inputs"] or "[]")) for m in models]
    read.sort(key=lambda r: (bool(r[1].get("baseline")), r[0]["name"].casefold()))
    return [
        Contender(m["model_id"], _name(m["name"]), len(inputs), bool(settings.get("baseline")), k % 8, m["seconds"])
        for k, (m, settings, inputs) in enumerate(read)
    ]


def _name(name: str) -> str:
    """A model's name; a single feature in words."""
    return f"{FEATURES[name].title} alone" if name in FEATURES else name


def _question(target: str, design: Mapping[str, Any], contenders: Sequence[Contender]) -> str:
    """What was asked, for somebody who does not build models."""
    unit = {"mask": "region", "image": "image"}.get(str(design.get("unit")), "case")
    most = max((c.inputs for c in contenders), default=0)
    if not any(c.baseline for c in contenders):
        numbers = plural(most, "measured number") if most else "the pixels"
        return f"What do {numbers} of each {unit} tell about “{words(target)}”, and by which model?"
    return (
        f"Can {plural(most, 'measured number')} of each {unit} tell those labelled “{words(target)}” from "
        "the others, and do they tell it better than one measure alone that was fixed before any result was seen?"
    )


def _method(design: Mapping[str, Any]) -> str:
    """How the numbers came about."""
    if not design:
        return ""
    return (
        f"Nested cross-validation: {design.get('folds')} folds, drawn {design.get('repeats')} times, seed "
        f"{design.get('seed')}. All cases of a patient are in one fold, so no patient is learned from and tested on at "
        "once; settings are chosen inside the training folds. Intervals hold 95% of the values when patients are drawn "
        "anew with replacement."
    )


def _notes(tables: Tables, target: str) -> tuple[list[Row], str]:
    """Counts on the way to the cases, and the study's own conclusion."""
    rows = tables.rows(
        f"SELECT metric, value, note FROM scores WHERE model_id IS NULL AND target = {_quoted(target)} ORDER BY ALL"
    )
    values = {r["metric"]: r["value"] for r in rows if r["value"] is not None}
    people = {"nodules": values.get("patients")} | {
        n.removesuffix("_patients"): v for n, v in values.items() if n.endswith("_patients")
    }
    flow = [{"n": values[n], "patients": people.get(n), "words": w} for n, w in _COUNTS.items() if n in values]
    return flow, next((r["note"] for r in rows if r["metric"] == "conclusion" and r["note"]), "")


def _stratum_names(scores: Sequence[Row]) -> list[str]:
    """All cases first."""
    return sorted({r["stratum"] for r in scores}, key=lambda name: (name != ALL, name))


def _stratum(name: str, scores: Sequence[Row], contenders: Sequence[Contender]) -> Stratum:
    """Scores of one stratum."""
    inside = [r for r in scores if r["stratum"] == name]
    table = [Scored(c, {r["metric"]: r for r in inside if r["model_id"] == c.model_id}) for c in contenders]
    tests = [
        Test(row.contender, _name(metric.removeprefix(_AGAINST)), score)
        for row in table
        for metric, score in row.values.items()
        if metric.startswith(_AGAINST)
    ]
    aucs = [
        Estimate(row.contender.name, _brief(auc), auc["value"], auc["low"], auc["high"], row.contender.colour)
        for row in table
        if (auc := row.values.get("auc")) and auc["value"] is not None
    ]
    gaps = [
        Estimate(
            f"against {t.against}", f"{t.contender.name}: {_brief(gap, signed=True)}",
            gap["value"], gap["low"], gap["high"], t.contender.colour,
        )
        for t in tests
        if (gap := t.score)["value"] is not None
    ]  # fmt: skip
    size = inside[0] if inside else {"cases": 0, "patients": 0}
    return Stratum(
        title=_stratum_title(name),
        name=name,
        cases=size["cases"],
        patients=size["patients"],
        scores=table,
        aucs=_forest(aucs, f"AUC with 95% interval: {_stratum_title(name)}", reference=0.5),
        differences=_forest(gaps, f"Difference of AUC with 95% interval: {_stratum_title(name)}", reference=0.0),
        tests=tests,
    )


def _stratum_title(name: str) -> str:
    """Which cases; a feature that bounds them in words."""
    if name == ALL:
        return "All cases"
    feature, _, bounds = name.partition(" ")
    return f"Only cases with a {FEATURES[feature].title if feature in FEATURES else words(feature)} of {bounds}".strip()


def _brief(score: Row, *, signed: bool = False) -> str:
    """A value with its interval, as a table writes it."""
    if score["low"] is None:
        return fixed(score["value"], signed=signed)
    ends = ", ".join(fixed(score[end], signed=signed) for end in ("low", "high"))
    return f"{fixed(score['value'], signed=signed)} [{ends}]"


def _forest(rows: Sequence[Estimate], title: str, *, reference: float) -> str:
    """A forest plot whose axis holds every interval and the value of no effect; empty without rows."""
    if not rows:
        return ""
    ends = [v for r in rows for v in (r.value, r.low, r.high) if v is not None]
    low, high = min([reference, *ends]), max([reference, *ends])
    if reference == 0.5:
        high = max(high, 1.0)
    margin = 0.04 * (high - low) or 0.05
    return forest(rows, title=title, low=low - margin, high=high + margin, reference=reference)


def _findings(first: Stratum | None) -> list[str]:
    """One sentence for each model on many features."""
    if first is None:
        return []
    said = []
    for row in first.scores:
        auc = row.values.get("auc")
        if row.contender.baseline or auc is None or auc["value"] is None:
            continue
        name, inputs = row.contender.name, plural(row.contender.inputs, "feature")
        text = f"{name[:1].upper()}{name[1:]} on {inputs} reaches an AUC of {_brief(auc)}."
        tests = [t for t in first.tests if t.contender is row.contender and t.score["low"] is not None]
        said.append(f"{text} {_verdict(tests)}".strip())
    return said


def _verdict(tests: Sequence[Test]) -> str:
    """Whether a model beats every baseline, some or none: decided by the intervals of the paired differences."""
    if not tests:
        return ""
    better = [t for t in tests if t.score["low"] > 0]
    worse = [t for t in tests if t.score["high"] < 0]
    closest = min(tests, key=lambda t: float(t.score["value"]))
    gap = f"its smallest gain is {_brief(closest.score, signed=True)}, over {closest.against}"
    if worse:
        return f"It is worse than {count(len(worse))} of {count(len(tests))} single measures; {gap}."
    if len(better) == len(tests):
        return f"It is better than each single measure; {gap}."
    if better:
        return f"It is better than {count(len(better))} of {count(len(tests))} single measures; {gap}."
    return f"It is not shown to be better than a single measure: {gap}; the interval includes zero."


def _curves(tables: Tables, owner: str) -> Points:
    """Points of the curves over all cases by model and kind. Order by x, then y, is drawing order for all of them."""
    rows = tables.rows(f"""
        SELECT model_id, curve, x, y FROM curves WHERE owner = {_quoted(owner)} AND stratum = '{ALL}'
        ORDER BY model_id, curve, x, y""")
    points: Points = defaultdict(list)
    for row in rows:
        points[row["model_id"], row["curve"]].append((row["x"], row["y"]))
    return dict(points)


def _lines(contenders: Sequence[Contender], points: Points, kind: str) -> list[Line]:
    """Curves of the contenders that have one."""
    drawn = [(c, points.get((c.model_id, kind), [])) for c in contenders]
    return [Line(c.name, found, c.colour, dashed=c.baseline) for c, found in drawn if found]


def _roc(contenders: Sequence[Contender], points: Points, target: str) -> str:
    """ROC curves; empty when there are none."""
    lines = _lines(contenders, points, "roc")
    return roc(lines, title=f"ROC curves for {words(target)}") if lines else ""


def _calibration(tables: Tables, contenders: Sequence[Contender], points: Points, target: str) -> tuple[str, bool]:
    """Calibration of the first models, and whether intervals are drawn; empty when there are no curves."""
    shown = [c for c in contenders if not c.baseline and (c.model_id, "calibration") in points][:_CALIBRATION_LINES]
    if not shown:
        return "", False
    ends = [_intervals(tables, c, points) for c in shown]
    lines = _lines(shown, points, "calibration")
    return calibration(lines, ends, title=f"Calibration for {words(target)}"), any(ends)


def _decision(contenders: Sequence[Contender], points: Points, target: str) -> str:
    """Decision curves, and that of acting on everybody."""
    lines = _lines(contenders, points, "decision")
    if not lines:
        return ""
    everybody = Line("act on everybody", points.get((None, "decision"), []), 8, dashed=True)
    return decision([*lines, everybody], title=f"Decision curves for {words(target)}")


def _positives(points: Points, cases: int) -> int | None:
    """Positive cases, from the net benefit of acting on everybody: at the threshold 1/2 it is 2 p - 1 for share p."""
    found = [v for u, v in points.get((None, "decision"), []) if math.isclose(u, 0.5)]
    return round((found[0] + 1) / 2 * cases) if found else None


def _intervals(tables: Tables, c: Contender, points: Points) -> list[tuple[float, float]] | None:
    """Wilson intervals of a calibration curve's points, from how many cases each bin holds; None where that is unknown.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.
    """
    drawn = points[c.model_id, "calibration"]
    rows = tables.rows(f"""
        SELECT unit_id, list(probability ORDER BY repeat) AS p FROM predictions
        WHERE model_id = {_quoted(c.model_id)} AND probability IS NOT NULL GROUP BY 1 ORDER BY 1""")
    sizes, means = _bins(np.array([np.mean(r["p"]) for r in rows], dtype=np.float64))
    same = len(means) == len(drawn) and np.allclose(means, [u for u, _ in drawn], atol=1e-9)
    return [wilson(v * n, int(n)) for (_, v), n in zip(drawn, sizes, strict=True)] if same else None


def _bins(p: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number and mean of probabilities in bins that hold equally many, as `radlake.learn.curves.calibration` does."""
    if not len(p):
        return np.zeros(0, np.int64), np.zeros(0)
    borders = np.unique(np.quantile(p, np.linspace(0, 1, _BINS + 1)[1:-1]))
    _, place = np.unique(np.searchsorted(borders, p, side="right"), return_inverse=True)
    sizes = np.bincount(place)
    return sizes, np.bincount(place, weights=p) / sizes


def _quoted(value: str) -> str:
    """A literal in SQL."""
    return "'" + value.replace("'", "''") + "'"

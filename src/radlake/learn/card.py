"""The model card: what a model is for, how good it is, for whom, and what not to do with it, in plain words.

References
----------
Mitchell et al. (2019), Model cards for model reporting, FAT*; Collins et al. (2024), TRIPOD+AI statement, BMJ 385,
e078378.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from radlake.learn.families import FAMILIES, GRADES
from radlake.learn.verdict import SCORES


def card(name: str, target: str, evidence: Mapping[str, Any], contract: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Parameters
    ----------
    name, target : str
        Model and label.
    evidence, contract : mapping
        Of the bundle.
    """
    parts = [
        f"# {name} for {target}",
        "Research software: not a medical device, and not to be used for decisions about patients.",
        "## Why this model",
        str(evidence["reason"]),
        "## What it was trained on",
        *_training(evidence, contract),
        "## How good it is",
        *_scores(evidence),
        "## For whom",
        *_subgroups(evidence),
        "## What to watch",
        *_warnings(evidence),
    ]
    return "\n\n".join(parts) + "\n"


def _training(evidence: Mapping[str, Any], contract: Mapping[str, Any]) -> list[str]:
    """Cases, inputs, and whether they are still in the model."""
    data, family = evidence["data"], evidence["table"][0]["family"]
    grade = evidence["table"][0]["grade"]
    modalities = ", ".join(contract["modalities"]) or "modality not known"
    lines = [
        f"{data['cases']} cases of {data['groups']} patients, {data['features']} features each ({modalities}).",
        str(evidence["expectation"]),
        f"Readability {grade}: {GRADES[grade]}.",
    ]
    if family in FAMILIES:
        lines.append(f"What it computes: {FAMILIES[family].formula}. It assumes: {FAMILIES[family].assumes}.")
    lines.append(
        "**It holds rows of training cases.** Whoever gets the model gets their features: `radlake release` asks for"
        " `--allow-rows`."
        if evidence["holds_rows"]
        else "It holds no rows of training cases."
    )
    return lines


def _scores(evidence: Mapping[str, Any]) -> list[str]:
    """Tables of scores: on patients held out in turn, and on the published test part where there is one."""
    lines = []
    for key, title in (
        ("evaluation", "On patients that were held out in turn"),
        ("test", "On the published test part, which took no part in any choice"),
        ("test_distinct", "On the test cases that resemble no training case"),
    ):
        if rows := evidence.get(key):
            lines += [f"{title}:", _table(rows)]
    point = evidence.get("operating")
    if point:
        lines.append(
            f"It acts from a probability of {point['threshold']:.3f} ({point['words']}), chosen on held-out training"
            " cases."
        )
    return lines or ["There was no time to test it."]


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Scores with intervals."""
    lines = ["| score | value | 95% interval | interval by |", "|---|---|---|---|"]
    for row in rows:
        ends = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
        value = "not defined" if row["value"] is None else f"{row['value']:.3f}"
        lines.append(f"| {row['metric'].replace('_', ' ')} | {value} | {ends} | {row['method']} |")
    return "\n".join(lines)


def _subgroups(evidence: Mapping[str, Any]) -> list[str]:
    """Gaps whose interval excludes zero, or that there are none."""
    rows = evidence.get("subgroups") or []
    if not rows:
        return ["No subgroup is known that holds twenty cases and more."]
    sure = [r for r in rows if r["gap_low"] is not None and (r["gap_low"] > 0 or r["gap_high"] < 0)]
    if not sure:
        return [f"{len(rows)} comparisons of subgroups show no gap that chance would not make."]
    return [
        f"- {r['by']} {r['value']} ({r['cases']} cases): {r['metric']} {r['score']:.3f}, {r['gap']:+.3f} against the"
        f" others [{r['gap_low']:+.3f}, {r['gap_high']:+.3f}]"
        for r in sure
    ]


def _warnings(evidence: Mapping[str, Any]) -> list[str]:
    """Leaks, notes, and the limits that every such model has."""
    leaks = [f"- {c['name']}: {c['message']}" for c in evidence.get("leakage", []) if c["level"] != "good"]
    notes = [f"- {text}" for text in evidence["notes"]]
    return [
        *leaks,
        *notes,
        f"- The {SCORES[evidence['task']]} above is of cases like those it was trained on; other scanners, hospitals or"
        " readers may give another one: `radlake evaluate` measures it there.",
    ]

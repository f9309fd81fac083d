"""A page that explains one model: what it weighs, how its answers move, single cases, and whether to believe it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radlake.features.names import FEATURES
from radlake.lake.durable import write_bytes
from radlake.report.figures import Estimate, Line, dependence, forest
from radlake.report.page import render_page
from radlake.report.wording import fixed, number, words

_SHOWN = 12


def write(found: Mapping[str, Any], folder: Path) -> Path:
    """Write index.html and explanation.json, and return the page's path.

    Parameters
    ----------
    found : mapping
        From `radlake.learn.explain.model.explain`.
    folder : Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "explanation.json", json.dumps(found, indent=1, sort_keys=True).encode())
    page = folder / "index.html"
    write_bytes(page, render_page("explanation.html", contents(found)).encode())
    return page


def contents(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows."""
    return {
        "model": found["model"],
        "target": found["target"],
        "cases": found["cases"],
        "features": found["features"],
        "score": found["score"],
        "checks": found["checks"],
        "importance": _importance(found["importance"], found["score"]),
        "coefficients": [{**w, "title": title(w["feature"])} for w in found["coefficients"][:_SHOWN]],
        "left": max(0, len(found["coefficients"]) - _SHOWN),
        "rules": [_in_words(line) for line in found["rules"]],
        "curves": [_curve(row) for row in found.get("curves", [])],
        "shapley": _average(found["shapley"]),
        "dependence": [_dependence(row) for row in found["dependence"] if row["values"]],
        "each": [_case(row) for row in found["each"]],
    }


def title(name: str) -> str:
    """A feature in words."""
    return FEATURES[name].title if name in FEATURES else words(name)


def _in_words(rule: str) -> str:
    """A rule with its features in words."""
    return " ".join(title(w) if w in FEATURES else w for w in rule.split(" ")).replace("<=", "≤")


def _importance(rows: list[dict[str, Any]], score: str) -> str:
    """Loss of the score by feature."""
    shown = [
        Estimate(title(r["feature"]), fixed(r["drop"]), r["drop"], r["drop"] - r["spread"], r["drop"] + r["spread"])
        for r in rows[:_SHOWN]
    ]
    ends = [v for e in shown for v in (e.low, e.high) if v is not None] + [0.0]
    room = 0.05 * (max(ends) - min(ends)) or 0.05
    return forest(shown, title=f"Importance: {score}", low=min(ends) - room, high=max(ends) + room, reference=0.0)


def _average(rows: list[dict[str, Any]]) -> str:
    """Mean size of the contributions by feature; empty for models without."""
    if not rows:
        return ""
    shown = [Estimate(title(r["feature"]), fixed(r["mean"]), r["mean"], None, None) for r in rows[:_SHOWN]]
    top = max(r["mean"] for r in rows) or 1.0
    return forest(shown, title="Mean size of contributions", low=-0.03 * top, high=1.05 * top, reference=0.0)


def _dependence(row: Mapping[str, Any]) -> dict[str, str]:
    """Mean answer over one feature's values."""
    line = Line(row["feature"], list(zip(row["values"], row["answers"], strict=True)))
    name = title(row["feature"])
    return {"title": name, "figure": dependence(line, title=f"Mean answer over {name}", across=name)}


def _curve(row: Mapping[str, Any]) -> dict[str, str]:
    """What one feature adds, as a staircase."""
    name = title(row["feature"])
    line = Line(row["feature"], [(u, v) for u, v in row["points"]])
    return {"title": name, "figure": dependence(line, title=f"What {name} adds", across=name, up="adds")}


def _case(row: Mapping[str, Any]) -> dict[str, Any]:
    """One case in words."""
    parts = [f"{title(p['feature'])} {fixed(p['value'], 2, signed=True)}" for p in row["parts"]]
    change = row["change"]
    moves = "" if change is None else " and ".join(
        f"{title(name)} from {number(before)} to {number(after)}"
        for name, before, after in zip(change["features"], change["before"], change["after"], strict=True)
    )  # fmt: skip
    return {"id": row["unit_id"], "answer": row["answer"], "parts": parts, "change": moves}

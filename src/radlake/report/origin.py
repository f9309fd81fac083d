"""Where the page comes from: privacy settings, steps with their versions, and what the work cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from radlake.lake.manifest import Manifest
from radlake.report.tables import Row, Tables
from radlake.report.wording import ACTIONS, PIXEL_TEXT

_MOST_RUNS = 10


@dataclass(frozen=True)
class Privacy:
    """How identities were treated."""

    deidentified: bool
    fingerprint: str
    profiles: list[str]
    actions: list[Row]
    pixel_text: list[Row]
    withheld: int


@dataclass(frozen=True)
class Compute:
    """Runs, latest first, the steps of each chain, and the versions of the last run."""

    runs: list[Row]
    more_runs: int
    chains: list[Row]
    versions: list[tuple[str, str]]


def privacy(tables: Tables, facts: Manifest) -> Privacy:
    """Profile, key and counts; never a value."""
    profiles = tables.rows("SELECT DISTINCT profile FROM audit WHERE profile IS NOT NULL ORDER BY 1")
    actions = tables.rows("SELECT action, cast(sum(count) AS BIGINT) AS n FROM audit GROUP BY 1 ORDER BY n DESC, 1")
    states = tables.rows("""
        SELECT coalesce(t.state, pixel_text, 'unchecked') AS state, count(*) AS n, count(p.object) AS shown
        FROM images LEFT JOIN previews p USING (image_id) LEFT JOIN pixel_texts t USING (image_id)
        GROUP BY 1 ORDER BY n DESC, 1""")
    for row in actions:
        row["words"] = ACTIONS.get(row["action"], "")
    for row in states:
        row["words"] = PIXEL_TEXT.get(row["state"], "")
    withheld = sum(r["n"] for r in states if r["state"] not in ("clean", "redacted"))
    names = [r["profile"] for r in profiles]
    return Privacy(facts.deidentified, facts.key_fingerprint, names, actions, states, withheld)


def compute(tables: Tables) -> Compute:
    """Runs, chains and versions."""
    runs = tables.rows("""
        SELECT started, ended, status, engine, workers, cpu_seconds, wall_seconds, peak_mib, pipeline, versions
        FROM runs ORDER BY started DESC, run_id DESC""")
    chains = tables.rows("""
        SELECT c.unit, c.chain_key, any_value(c.steps) AS steps, count(w.owner) AS items
        FROM chains c LEFT JOIN work w USING (chain_key) GROUP BY 1, 2
        HAVING count(w.owner) > 0 OR c.unit = 'lake'
        ORDER BY CASE c.unit WHEN 'files' THEN 0 WHEN 'series' THEN 1 WHEN 'images' THEN 2 ELSE 3 END, 2""")
    for row in chains:
        row["steps"] = [_step(s) for s in json.loads(row["steps"] or "[]")]
    versions = json.loads(runs[0]["versions"] or "{}") if runs else {}
    return Compute(runs[:_MOST_RUNS], max(0, len(runs) - _MOST_RUNS), chains, list(versions.items()))


def _step(step: dict[str, Any]) -> Row:
    """Name, version and parameters of a step."""
    others = {k: v for k, v in step.items() if k not in ("stage", "version") and v is not None}
    settings = ", ".join(f"{k} {_setting(v)}" for k, v in sorted(others.items()))
    return {"name": step.get("stage", "?"), "version": step.get("version", "?"), "settings": settings}


def _setting(value: Any) -> str:
    """A parameter as a person writes it."""
    if isinstance(value, list):
        return " + ".join(str(v) for v in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

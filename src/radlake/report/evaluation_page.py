"""The page of one evaluation: how a finished model did on cases that it had not seen, for whom, and where it failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radlake.lake.durable import write_bytes
from radlake.report.account import sets
from radlake.report.chosen import acts, by_group, part, yes
from radlake.report.page import render_page
from radlake.report.wording import plural


def write(found: Mapping[str, Any], folder: Path) -> Path:
    """Write index.html and evaluation.json, and return the page's path. Cases are named by their ids.

    Parameters
    ----------
    found : mapping
        From `radlake.learn.model_stages.scored`.
    folder : Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "evaluation.json", json.dumps(found, indent=1, sort_keys=True).encode())
    page = folder / "index.html"
    write_bytes(page, render_page("evaluation.html", contents(found)).encode("utf-8"))
    return page


def contents(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows."""
    gaps, groups = by_group(found["subgroups"])
    return {
        "model": found["model"], "target": found["target"], "who": _who(found), "yes": yes(found["classes"]),
        "point": acts(found.get("operating")),
        "sets": sets(found["sets"]), "gaps": gaps, "groups": groups,
        "part": part(
            _title(found["split"]), found["scores"], found["drawn"], classes=found["classes"], worst=found["worst"]
        ),
    }  # fmt: skip


def _title(split: str) -> str:
    """Which cases they are."""
    return "On all cases that it was not trained on" if split == "external" else f"On the part “{split}”"


def _who(found: Mapping[str, Any]) -> str:
    """On whom the model was tried."""
    left, outside = found["left_out"], found["outside"]
    text = f"Tried on {plural(found['cases'], 'case')} of {plural(found['patients'], 'patient')}."
    if found.get("unknown"):
        text += f" The patient is not known of {found['unknown']:,}: each counts as one."
    if left:
        text += f" {plural(left, 'case')} of the training {'was' if left == 1 else 'were'} left out."
    if outside:
        text += f" {plural(outside, 'case')} {'is' if outside == 1 else 'are'} unlike those of training."
    return text

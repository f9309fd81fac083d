"""The page of one model, written beside its files: why it was chosen, how good it is, for whom, and where it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radlake.core.place import Place
from radlake.lake.durable import write_bytes
from radlake.report.chosen import chosen
from radlake.report.page import render_page
from radlake.report.tables import Row

NAME = "report.html"
_MOST = 12


def write(folder: Place, *, name: str, target: str, evidence: Mapping[str, Any]) -> Place:
    """Write report.html into the folder of a model, and return its path.

    Pictures are not on it: who shares a model does not want to share patients. Cases are named by their ids.

    Parameters
    ----------
    folder : Place
    name, target : str
        Model and label.
    evidence : mapping
        Of the bundle.
    """
    page = folder / NAME
    write_bytes(page, render_page("model.html", contents(name, target, evidence)).encode("utf-8"))
    return page


def contents(name: str, target: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows."""
    told = chosen(evidence)
    worst: list[Row] = next((p.mistakes for p in reversed(told.parts) if p.mistakes), []) if told else []
    return {
        "name": name, "target": target, "choice_made": told, "worst": worst[:_MOST],
        "holds_rows": evidence.get("holds_rows", False),
    }  # fmt: skip

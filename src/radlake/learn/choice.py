"""What a choice among models comes to: the model, the evidence for it, and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radlake.learn.bundle import Bundle, save
from radlake.learn.clock import Plan
from radlake.learn.probe import Cost
from radlake.learn.problem import Fingerprint, Floats, Ints
from radlake.learn.validate import Fitted, holds_rows
from radlake.learn.verdict import Figures, Line


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen model and the evidence for it.

    Parameters
    ----------
    model : Fitted
        Fitted on all cases; `predict_proba` and `predict` take an (N, D) array, or images.
    table : tuple of Line
        Every family, the chosen one first.
    reason : str
        Why this one, in plain words.
    expectation : str
        What so many cases can show; known before anything was fitted.
    notes : tuple of str
        What is odd about the data.
    honest : Figures or None
        The whole procedure on held-out patients; None when the budget was too short.
    picks : tuple of str
        Family that each outer fold chose.
    predictions : (R, N, K) float array
        Of each repeat of the outer loop; NaN where its fold was not reached.
    folds : (R, N) int array
        Fold in which each case was held out.
    tried : tuple of mapping
        Every family and settings that were tried in the main search, with the mean score.
    plan : Plan
        Give it as `replay` to get the same model again.
    inputs : tuple of str
        Names of the features; empty for images.
    data : Fingerprint
    contract : mapping, optional
        What images the model accepts.
    own : (N, K) float array, optional
        Answers of the chosen kind of model in the first cross-validation, each by one that had not seen the case; NaN
        for folds that there was no time for. They were looked at for the choice, so that their score is optimistic.
    costs : mapping
        What one fit of each family on all cases was expected to take (networks: one epoch), before any was tried.
    """

    model: Fitted
    table: tuple[Line, ...]
    reason: str
    expectation: str
    notes: tuple[str, ...]
    honest: Figures | None
    picks: tuple[str, ...]
    predictions: Floats
    folds: Ints
    tried: tuple[Mapping[str, Any], ...]
    plan: Plan
    inputs: tuple[str, ...]
    data: Fingerprint
    contract: Mapping[str, Any] | None = None
    own: Floats | None = None
    costs: Mapping[str, Cost] = field(default_factory=dict)

    def save(self, folder: str | Path, *, target: str = "outcome") -> None:
        """Write a bundle with the model and the evidence; `radlake.learn.bundle.load` reads it.

        Parameters
        ----------
        folder : path
            Replaced if it is there.
        target : str
            Name of the outcome.
        """
        save(Bundle(self.table[0].title, target, self.inputs, self.model, self.evidence(), self.contract), Path(folder))

    def evidence(self) -> dict[str, Any]:
        """Why this model, in plain JSON types."""
        return {
            "table": [line.as_dict() for line in self.table],
            "reason": self.reason,
            "expectation": self.expectation,
            "notes": list(self.notes),
            "honest": None if self.honest is None else vars(self.honest),
            "picks": list(self.picks),
            "tried": [dict(row) for row in self.tried],
            "plan": self.plan.as_dict(),
            "data": self.data.as_dict(),
            "costs": {n: {"seconds": c.seconds, "megabytes": c.bytes / 1e6} for n, c in self.costs.items()},
            "holds_rows": holds_rows(self.model.pipeline),
        }

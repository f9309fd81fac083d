"""The step groups: cases of a lake that nobody labelled, as points and in clusters, kept in the lake's tables."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, cast, get_args

import numpy as np

from radlake.core.errors import UsageError
from radlake.core.ids import derived_id
from radlake.core.stage import Row, Stage
from radlake.learn.cases import UNITS, Cohort, measured
from radlake.learn.clustering import METHODS, Clustering, cluster
from radlake.learn.tables import Tables, write
from radlake.learn.view import Method, View, thinned, view

OWNER = "groups:"
_EACH = 10  # cases for each cluster
_MOST = 2000  # cases whose pairs fit into memory, and that are clustered; the rest is as they are


def groups(lake: Tables, *, unit: str | None = None, clusters: int = 6, by: str = "pca", seed: int = 0) -> None:
    """Look for clusters among the cases of a lake, and draw all cases as points.

    Fills `models` (what was tried and the answer), `predictions` (the cluster of each case) and `curves` (its point)
    with rows of its own.

    Parameters
    ----------
    lake : Tables
        With `features`.
    unit : {"mask", "image"}, optional
        What a case is; by default what features are about.
    clusters : int
        The largest number to try.
    by : {"pca", "umap"}
        How points are found.
    seed : int
    """
    found(lake, unit=unit, clusters=clusters, by=by, seed=seed)


def found(lake: Tables, *, unit: str | None, clusters: int, by: str, seed: int) -> dict[str, Any]:
    """The same; returns what was written into `models` as JSON values.

    Raises
    ------
    UsageError
        When the unit or view does not exist, or there are too few cases or features.
    """
    if unit is not None and unit not in UNITS:
        raise UsageError(f"unit must be one of {', '.join(UNITS)}; got {unit!r}")
    if by not in get_args(Method):
        raise UsageError(f"by must be one of {', '.join(get_args(Method))}; got {by!r}")
    started = time.process_time()
    cohort = measured(lake, next((u for u in UNITS if u == unit), None))
    if len(cohort.ids) < 2 * _EACH or clusters < 2:
        raise UsageError(
            f"{len(cohort.ids)} cases are too few to look for clusters: ten for each, and two clusters at least"
        )
    drawn = view(cohort.features, cohort.names, method=cast(Method, by), seed=seed)
    some = thinned(len(cohort.ids), _MOST)
    grouped = _grouped(cohort.part(np.isin(np.arange(len(cohort.ids)), some)), clusters, seed)
    settings = _settings(cohort, drawn, grouped, {"clusters": clusters, "by": by, "seed": seed})
    owner = f"{OWNER}{cohort.unit}"
    text = json.dumps(settings, sort_keys=True)
    model_id = derived_id("model", owner, text)
    name = METHODS[grouped.method].title if grouped.method else "no clusters"
    row: Row = {
        "owner": owner, "model_id": model_id, "name": name,
        "target": None, "inputs": json.dumps(cohort.names), "settings": text, "seconds": time.process_time() - started,
    }  # fmt: skip
    write(lake, "models", owner, [row])
    write(lake, "curves", owner, list(_points(cohort, drawn, owner, model_id)))
    write(lake, "predictions", owner, list(_labels(cohort, some.tolist(), grouped, owner, model_id)))
    return settings


def _grouped(cohort: Cohort, most: int, seed: int) -> Clustering:
    """The clustering of features that differ between cases."""
    known = np.array([len(np.unique(c[~np.isnan(c)])) > 1 for c in cohort.features.T])
    ks = tuple(range(2, min(most, len(cohort.ids) // _EACH) + 1))
    return cluster(cohort.features[:, known], ks=ks, seed=seed)


def _settings(cohort: Cohort, drawn: View, grouped: Clustering, asked: dict[str, Any]) -> dict[str, Any]:
    """What the report tells."""
    return {
        "kind": "groups", "unit": cohort.unit, "cases": len(cohort.ids), "features": len(cohort.names), "asked": asked,
        "clustered": len(grouped.labels), "k": grouped.k, "method": grouped.method, "p": grouped.p,
        "reason": grouped.reason, "table": [asdict(row) for row in grouped.table],
        "view": {"method": drawn.method, "explained": drawn.explained, "made_of": drawn.made_of},
    }  # fmt: skip


def _points(cohort: Cohort, drawn: View, owner: str, model_id: str) -> Iterator[Row]:
    """Rows of `curves`: a point for each case, whose id is its stratum."""
    for unit_id, (x, y) in zip(cohort.ids.tolist(), drawn.points.tolist(), strict=True):
        yield {
            "owner": owner, "model_id": model_id, "target": None, "stratum": unit_id, "curve": "view", "x": x, "y": y,
        }  # fmt: skip


def _labels(cohort: Cohort, some: list[int], grouped: Clustering, owner: str, model_id: str) -> Iterator[Row]:
    """Rows of `predictions`: the cluster of each case that was clustered, 0 being the largest."""
    for i, label in zip(some, grouped.labels.tolist(), strict=True):
        unit_id = str(cohort.ids[i])
        yield {
            "owner": owner, "prediction_id": derived_id("prediction", model_id, unit_id), "model_id": model_id,
            "unit": cohort.unit, "unit_id": unit_id, "patient_id": str(cohort.patients[i]) or None, "target": "cluster",
            "value": float(label),
        }  # fmt: skip


STAGES: dict[str, Stage] = {
    "groups": Stage(
        name="groups", version=1, shape="whole", over="lake", reads=("features",),
        adds=("models", "predictions", "curves"), function=groups,
    ),
}  # fmt: skip

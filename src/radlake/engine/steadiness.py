"""Stability of the features of a lake's masks: measured under small changes, judged, and kept in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from radlake.engine.measure import step_of
from radlake.engine.options import Options
from radlake.engine.remeasure import Source, measured_chain, work
from radlake.engine.rois import Aliases
from radlake.features.stability_stages import Retest, stability
from radlake.lake.store import Lake

_PERTURBED = {"features": "features.perturbed", "features.pyradiomics": "features.pyradiomics_perturbed"}


class Bounds(NamedTuple):
    """When a feature is reliable, when two say the same, and which series are scans of the same."""

    least: float = 0.75
    by_lower_bound: bool = True
    redundancy: float = 0.9
    retest: Retest = "none"


def steadiness(
    lake: Lake,
    key: bytes,
    parameters: Mapping[str, Any],
    *,
    source: Source,
    rois: Sequence[str] = (),
    aliases: Aliases | None = None,
    bounds: Bounds | None = None,
    options: Options | None = None,
) -> pa.Table:
    """Measure masks under small changes, and say which features stay the same.

    Parameters
    ----------
    lake : Lake
    key : bytes
        The owner's secret.
    parameters : mapping
        Of the step `features.perturbed` or `features.pyradiomics_perturbed`: those of `features` or
        `features.pyradiomics`, and `grow_mm`, `shift_mm`, `turn_degrees`.
    source, rois, aliases, options
        As for `radlake.engine.remeasure.remeasure`.
    bounds : Bounds, optional

    Returns
    -------
    pyarrow.Table
        The lake's table `stability`: a row a kind of repetition and feature, those that are kept first.

    Raises
    ------
    NoMasks, KeyMismatchError
        As `remeasure`.
    """
    chain = measured_chain(
        lake, _PERTURBED[step_of(parameters)], parameters, source=source, rois=rois, aliases=aliases or {}
    )
    work(lake, key, chain, source, options or Options())
    stability(lake, **(bounds or Bounds())._asdict())
    return lake.sql(
        """SELECT * EXCLUDE owner FROM stability
        ORDER BY kind, settings_id, kept DESC, reliable DESC, icc DESC NULLS LAST, family, name"""
    )

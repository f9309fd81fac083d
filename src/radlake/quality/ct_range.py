"""Check: CT values that cannot be Hounsfield units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.planes import percentiles, sample

AIR_HU = -500.0  # every scan of a person shows air around or inside; half of a voxel of air is enough
LOWEST_HU = -1100.0  # air is -1000, plus noise; lower values are padding
SOFT_TISSUE_HU = (-200.0, 300.0)  # fat to contrast-filled vessels
LEAST_TISSUE = 0.01  # share of samples
LEAST_SIDE = 64  # pixels: smaller pictures are cut-outs, which need not show air or soft tissue


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Warnings: unit is not HU, no air, no soft tissue, values below air; info for an undeclared padding value.

    References
    ----------
    DICOM PS3.3 C.8.2.1.1.8 (rescale to HU); Hounsfield (1973) scale: water 0, air -1000.
    """
    if image.kind != "ct" or min(image.array.shape[-2:]) < LEAST_SIDE or any(m.get("localizer") for m in members):
        return []
    if image.unit != "HU":
        message = "CT values are not in Hounsfield units"
        return [_finding(message, "export original images with their rescale", None)]
    values = sample(image)
    values = values[values != image.padding] if image.padding is not None else values
    if values.size == 0:
        return []
    return [*_no_air(values), *_no_tissue(values), *_below_air(values)]


def _no_air(values: np.ndarray) -> list[Finding]:
    """Nothing as thin as air."""
    low = percentiles(values, 0.1)[0]
    if low <= AIR_HU:
        return []
    return [_finding(f"lowest values are {low:.0f} HU, expected air near -1000 HU", "check the rescale intercept", low)]


def _no_tissue(values: np.ndarray) -> list[Finding]:
    """Nothing like soft tissue."""
    share = float(np.mean((values >= SOFT_TISSUE_HU[0]) & (values <= SOFT_TISSUE_HU[1])))
    if share >= LEAST_TISSUE:
        return []
    message = f"{share:.2%} of the samples lie between -200 and 300 HU, expected above {LEAST_TISSUE:.0%}"
    return [_finding(message, "check rescale slope and intercept", share)]


def _below_air(values: np.ndarray) -> list[Finding]:
    """Many samples below air: an undeclared padding value or a wrong rescale."""
    share = float(np.mean(values < LOWEST_HU))
    if share <= 0.001:  # photon starvation leaves a few
        return []
    message = f"{share:.1%} of the samples lie below {LOWEST_HU:.0f} HU; air is -1000 HU"
    if np.ptp(values[values < LOWEST_HU]) == 0:  # one value only: the corners that a scanner fills
        return [Finding("ct_range", "info", f"{message}; padding is not declared", "leave that value out", share)]
    return [_finding(message, "check the rescale", share)]


def _finding(message: str, fix: str, value: float | None) -> Finding:
    """A warning of this check."""
    return Finding("ct_range", "warning", message, fix, value)

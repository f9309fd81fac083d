"""From an image and a mask to a table of features: one row a number, with code, unit and what it was computed with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, overload

import pyarrow as pa

from radlake.core.fault import Term
from radlake.core.image import Array, Image
from radlake.features.autocorrelation import autocorrelation
from radlake.features.morphology import shape
from radlake.features.names import FEATURES
from radlake.features.roi import Roi, Values, region_of_interest
from radlake.features.statistics import intensity


class Family(NamedTuple):
    """A set of features that are computed together; version rises whenever a value would change."""

    function: Callable[[Roi], Values]
    needs_image: bool
    version: int


FAMILIES: dict[str, Family] = {
    "shape": Family(shape, needs_image=False, version=1),
    "intensity": Family(intensity, needs_image=True, version=1),
    "autocorrelation": Family(autocorrelation, needs_image=True, version=1),
}
DEFAULT_FAMILIES = ("shape", "intensity")

SCHEMA = pa.schema(
    [
        ("family", pa.string()),
        ("code", pa.string()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("reason", pa.string()),
        ("settings_id", pa.string()),
    ]
)


@overload
def extract(
    image: Image | Array | None, mask: Image | Array, *, families: Sequence[str] = ...,
    intensity_range: tuple[float, float] | None = ..., spacing: Sequence[float] | None = ...,
    as_dict: Literal[False] = ...,
) -> pa.Table: ...  # fmt: skip
@overload
def extract(
    image: Image | Array | None, mask: Image | Array, *, families: Sequence[str] = ...,
    intensity_range: tuple[float, float] | None = ..., spacing: Sequence[float] | None = ...,
    as_dict: Literal[True],
) -> dict[str, float | None]: ...  # fmt: skip
def extract(
    image: Image | Array | None,
    mask: Image | Array,
    *,
    families: Sequence[str] = DEFAULT_FAMILIES,
    intensity_range: tuple[float, float] | None = None,
    spacing: Sequence[float] | None = None,
    as_dict: bool = False,
) -> pa.Table | dict[str, float | None]:
    """Features of a region: a table with one row a feature, or a dict of values by name.

    Parameters
    ----------
    image : Image, (z, y, x) or (y, x) array, or None
        None when only shape is asked for. Of a colour image the brightness is used, of a cine the middle time point.
    mask : Image or array
        On the image's spatial grid; non-zero is inside.
    families : sequence of {"shape", "intensity", "autocorrelation"}
        What to compute, in this order; the last takes sums over all pairs of voxels and is not computed unasked.
    intensity_range : (low, high), optional
        Voxels outside it do not count for intensities but do for shape (IBSI re-segmentation; bounds included).
    spacing : floats, optional
        For arrays: millimetres along each axis; without it lengths are in pixels.
    as_dict : bool
        Values by name instead of a table; None where a feature does not exist.

    Returns
    -------
    pyarrow.Table or dict
        Columns family, code (IBSI), name, value, unit, reason (why value is null), settings_id.

    Raises
    ------
    ItemError
        `empty_mask`, `misaligned_mask` (shapes differ), or `not_finite` (NaN or infinity among the intensities).
    ValueError
        For an unknown family, a family that needs an image without one, or contradictory spacing.

    References
    ----------
    Zwanenburg et al. (2020), The Image Biomarker Standardization Initiative, Radiology 295:328-338.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.ones((2, 2, 2), bool)
    >>> extract(None, mask, families=("shape",), spacing=(2.0, 1.0, 1.0), as_dict=True)["morph_vol_approx"]
    16.0
    """
    roi = region_of_interest(image, mask, spacing=spacing, intensity_range=intensity_range)
    rows = [row for name in families for row in _family_rows(name, roi)]
    if as_dict:
        return {row["name"]: row["value"] for row in rows}
    identity = settings_id(families=tuple(families), intensity_range=intensity_range)
    return pa.Table.from_pylist([row | {"settings_id": identity} for row in rows], schema=SCHEMA)


def settings_id(*, families: Sequence[str], intensity_range: Sequence[float] | None, **more: object) -> str:
    """Short name of a set of parameters and of the versions of the families: equal ones give comparable numbers.

    Examples
    --------
    >>> len(settings_id(families=("shape",), intensity_range=None))
    12
    """
    known = {
        "families": {name: family(name).version for name in families},
        "intensity_range": intensity_range and [float(v) for v in intensity_range],
        **more,
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]


def family(name: str) -> Family:
    """The family of that name.

    Raises
    ------
    ValueError
        When there is none; the message lists all.
    """
    if name not in FAMILIES:
        raise ValueError(f"unknown feature family {name!r}; known: {', '.join(FAMILIES)}")
    return FAMILIES[name]


def _family_rows(name: str, roi: Roi) -> list[dict[str, Any]]:
    """Rows of one family, without settings."""
    entry = family(name)
    if entry.needs_image and roi.intensity is None:
        raise ValueError(f"feature family {name!r} needs an image")
    rows = []
    for tag, value in entry.function(roi).items():
        feature = FEATURES[tag]
        rows.append(
            {
                "family": name,
                "code": feature.code,
                "name": tag,
                "value": None if isinstance(value, Term) else float(value),
                "unit": feature.unit(roi.unit, calibrated=roi.calibrated),
                "reason": str(value) if isinstance(value, Term) else None,
            }
        )
    return rows

"""From an image and a mask to a table of features: one row a number, with code, unit and what it was computed with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, Unpack, overload

import numpy as np
import pyarrow as pa

from radlake.core.fault import Term
from radlake.core.image import Array, Image, Unit
from radlake.features import pyradiomics
from radlake.features.aspects import Aspect, shown
from radlake.features.families import chosen_families, families_on, family
from radlake.features.filtered import Filter
from radlake.features.names import FEATURES
from radlake.features.presets import PYRADIOMICS, Options, Settings, resampled, settings_of
from radlake.features.roi import Roi, Values, region_of_interest
from radlake.features.texture import Aggregation, aggregation_of

SCHEMA = pa.schema(
    [
        ("family", pa.string()),
        ("aggregation", pa.string()),
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
    image: Image | Array | None, mask: Image | Array, *, families: Sequence[str] | None = ...,
    preset: str | None = ..., spacing: Sequence[float] | None = ..., as_dict: Literal[False] = ...,
    **options: Unpack[Options],
) -> pa.Table: ...  # fmt: skip
@overload
def extract(
    image: Image | Array | None, mask: Image | Array, *, families: Sequence[str] | None = ...,
    preset: str | None = ..., spacing: Sequence[float] | None = ..., as_dict: Literal[True],
    **options: Unpack[Options],
) -> dict[str, float | None]: ...  # fmt: skip
def extract(
    image: Image | Array | None,
    mask: Image | Array,
    *,
    families: Sequence[str] | None = None,
    preset: str | None = None,
    spacing: Sequence[float] | None = None,
    as_dict: bool = False,
    **options: Unpack[Options],
) -> pa.Table | dict[str, float | None]:
    """Features of a region: a table with one row a feature, or a dict of values by name.

    Parameters
    ----------
    image : Image, (z, y, x) or (y, x) array, or None
        None when only shape is asked for. Of a colour image the brightness is used, of a cine the middle time point.
    mask : Image or array
        On the image's spatial grid; non-zero is inside.
    families : sequence of str, optional
        What to compute, in this order: any of `FAMILIES`. Absent: shape and intensity; with a preset all, those of
        planes for planes only.
    preset : str, optional
        All settings at once, instead of single options: "default", "ibsi-phantom", "ibsi-a" to "ibsi-e", "ibsi2-a",
        "ibsi2-b", "pyradiomics"; see `radlake.features.presets`.
    spacing : floats, optional
        For arrays: millimetres along each axis; without it lengths are in pixels.
    as_dict : bool
        Values by name instead of a table; None where a feature does not exist.
    aggregations : sequence of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        How the texture families put directions and slices together; planes know the first two. Default: "3D_comb".
    bin_width, bin_count : numbers, optional
        Grey levels of the histogram and the texture families: of one width (for HU, SUV), or so many over the range of
        the region (32 without either).
    ivh_bin_width, ivh_bin_count : numbers, optional
        The same for the intensity-volume histogram, which otherwise takes whole numbers one by one.
    intensity_range : (low, high), optional
        Voxels outside it do not count for intensities but do for shape (IBSI re-segmentation; bounds included).
    outlier_sigma : float, optional
        Neither do voxels farther from the mean of those left than so many standard deviations.
    spacing_mm, interpolation, rounded : optional
        Resample first: distance of samples (0 leaves an axis), "linear" or "cubic", to integers.
    filters : sequence of str, optional
        Features of the responses too: filters in words, such as "log sigma_mm=1.5" or "wavelet bands=LLH"; see
        `radlake.features.filtered.KNOWN`. Their names begin with those words: "log-sigma_mm-1.5_stat_mean".
    shells_mm : floats, optional
        First-order features of the shells between these distances from the border too, inside negative: (-5, 0, 5)
        gives "shell_-5_0_stat_mean" and "shell_0_5_stat_mean".
    habitats : int, optional
        First-order features of so many groups of like intensity too: "habitat_1_of_3_stat_mean", darkest first.

    Returns
    -------
    pyarrow.Table or dict
        Columns family, aggregation (of texture), code (IBSI), name, value, unit, reason (why value is null),
        settings_id.

    Raises
    ------
    ItemError
        `empty_mask`, `misaligned_mask` (shapes differ), `not_finite` (NaN or infinity among the intensities), or
        `too_many_levels` (the bins are too narrow).
    ValueError
        For an unknown family, preset or aggregation, a family that needs an image without one, an option out of range,
        or contradictory spacing.

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
    if preset == PYRADIOMICS:
        if options or families is not None or image is None:
            raise ValueError("preset 'pyradiomics' needs an image and takes no other option; see features.pyradiomics")
        theirs = pyradiomics.rows(image, mask, spacing=spacing)
        if as_dict:
            return {row["name"]: row["value"] for row in theirs}
        return pa.Table.from_pylist(theirs, schema=SCHEMA)
    settings = settings_of(preset, options)
    chosen = chosen_families(families, preset, axes_of(mask))
    roi = prepared(image, mask, settings, spacing)
    rows: list[dict[str, Any]] = []
    values: dict[str, float | None] = {}
    for one in (None, *settings.aspects):
        part = shown(roi, one)
        identity = settings_id(
            families=chosen, intensity_range=settings.intensity_range, **unusual(settings, chosen, one)
        )
        for name in families_on(one, chosen):
            if as_dict:
                found = family_values(name, part, settings.aggregations)
                values |= {named(tag, one): None if isinstance(v, Term) else float(v) for tag, v in found.items()}
            else:
                measured = family_rows(name, part, settings.aggregations, one)
                rows += [row | {"settings_id": identity} for row in measured]
    return values if as_dict else pa.Table.from_pylist(rows, schema=SCHEMA)


def named(tag: str, one: Aspect | None) -> str:
    """Name of a feature, which begins with the words of the filter or part that it belongs to.

    Examples
    --------
    >>> named("stat_mean", Filter("log sigma_mm=1.5")), named("stat_mean", None)
    ('log-sigma_mm-1.5_stat_mean', 'stat_mean')
    """
    return tag if one is None else f"{one.label}_{tag}"


def axes_of(mask: Image | Array) -> int:
    """Number of a mask's axes.

    Examples
    --------
    >>> axes_of(np.ones((2, 3)))
    2
    """
    return mask.array.ndim if isinstance(mask, Image) else np.ndim(mask)


def prepared(
    image: Image | Array | None, mask: Image | Array, settings: Settings, spacing: Sequence[float] | None = None
) -> Roi:
    """The region as settings want it: resampled, cropped, re-segmented.

    Parameters
    ----------
    image, mask, spacing
        As `extract` takes them.
    settings : Settings

    Raises
    ------
    ItemError
        `empty_mask` or `misaligned_mask`.
    ValueError
        When lengths are needed and not known, or spacing is contradictory.
    """
    image, mask, spacing = resampled(image, mask, settings, spacing)
    return region_of_interest(image, mask, spacing=spacing, **settings.of_region)


def unusual(settings: Settings, families: Sequence[str], one: Aspect | None = None) -> dict[str, object]:
    """What belongs to the identity of settings besides families and range; nothing where it changes no value.

    Examples
    --------
    >>> from radlake.features.discretise import Binning
    >>> unusual(Settings(binning=Binning(bin_count=16)), ["shape", "ngtdm"])
    {'aggregations': ['3D_comb'], 'bin_count': 16}
    """
    found: dict[str, object] = {}
    texture = any(family(name).texture for name in families)
    if texture:
        found["aggregations"] = list(settings.aggregations)
    if texture or {"histogram", "ivh"} & set(families):
        found |= settings.binning.known
    if settings.outlier_sigma is not None:
        found["outlier_sigma"] = float(settings.outlier_sigma)
    if settings.spacing_mm is not None:
        found["spacing_mm"] = [float(step) for step in settings.spacing_mm]
        found |= {"interpolation": settings.interpolation, "rounded": settings.rounded}
    if one is not None:
        found["filter" if isinstance(one, Filter) else "part"] = one.label
    return found


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


def family_rows(
    name: str, roi: Roi, aggregations: Sequence[Aggregation], one: Aspect | None = None
) -> list[dict[str, Any]]:
    """Rows of one family of a region, without settings; named after the aspect that the region is seen in.

    Raises
    ------
    ItemError
        What the family cannot measure.
    ValueError
        For an unknown family, or one that needs an image without one.
    """
    values = family_values(name, roi, aggregations)
    known = described(name, tuple(values), roi, one)
    return [
        {**fixed, "value": None, "reason": str(value)}
        if isinstance(value, Term)
        else {**fixed, "value": float(value), "reason": None}
        for fixed, value in zip(known, values.values(), strict=True)
    ]


def family_values(name: str, roi: Roi, aggregations: Sequence[Aggregation]) -> Values:
    """Values of one family of a region by name; a Term where there is none.

    Raises
    ------
    ItemError
        What the family cannot measure.
    ValueError
        For an unknown family, or one that needs an image without one.
    """
    entry = family(name)
    if entry.needs_image and roi.intensity is None:
        raise ValueError(f"feature family {name!r} needs an image")
    return entry.function(roi, aggregations=aggregations) if entry.texture else entry.function(roi)


def described(
    family_name: str, names: tuple[str, ...], roi: Roi, one: Aspect | None = None
) -> tuple[dict[str, str | None], ...]:
    """Family, aggregation, code, name and unit of each feature of a region."""
    # Bin numbers have no unit, and neither have the fractions of this family.
    binned = family_name == "ivh" and roi.binning.ivh_bin_count is not None
    return _described(family_name, names, "" if binned else roi.unit, roi.calibrated, one)


@lru_cache(maxsize=256)
def _described(
    family_name: str, names: tuple[str, ...], unit: Unit | Literal[""], calibrated: bool, one: Aspect | None
) -> tuple[dict[str, str | None], ...]:
    """Family, aggregation, code, name and unit of each feature; without an intensity unit all are pure numbers."""
    texture = family(family_name).texture
    return tuple(
        {
            "family": family_name,
            "aggregation": aggregation_of(name) if texture else None,
            "code": FEATURES[name].code,
            "name": named(name, one),
            "unit": FEATURES[name].unit(unit, calibrated=calibrated) if unit else "1",
        }
        for name in names
    )

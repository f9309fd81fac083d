"""Whole sets of settings by name: resampling, re-segmentation, grey levels and aggregations that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypedDict

import numpy as np

from radlake.core.image import Array, Image
from radlake.features.aspects import Aspect
from radlake.features.discretise import Binning
from radlake.features.filtered import Filter
from radlake.features.subregions import habitats_of, shells_of
from radlake.features.texture import AGGREGATIONS, DEFAULT_AGGREGATIONS, Aggregation
from radlake.imaging.arguments import Spacing
from radlake.imaging.resample import Interpolation, to_spacing

_IN_PLANE = AGGREGATIONS[:4]
_IN_VOLUME = AGGREGATIONS[4:]


@dataclass(frozen=True)
class Settings:
    """Everything that decides the value of a feature, besides image and mask.

    Parameters
    ----------
    aggregations : tuple of aggregations
        Of the texture families.
    binning : Binning
        Grey levels.
    intensity_range : (low, high) or None
        Re-segmentation in the image's unit, bounds included.
    outlier_sigma : float or None
        Voxels farther from the region's mean than so many standard deviations do not count for intensities.
    spacing_mm : (z, y, x) or None
        Distance of the samples that features are computed on, millimetres; 0 leaves an axis as it is.
    interpolation : {"nearest", "linear", "cubic"}
        Of intensities; masks are always interpolated linearly and cut at one half.
    rounded : bool
        Whether interpolated intensities are rounded to the nearest integer, as IBSI does for HU.
    filters : tuple of Filter
        Features of the responses too, after those of the image.
    shells_mm : tuple of floats, or None
        First-order features of the shells between these distances from the border too.
    habitats : int or None
        First-order features of so many groups of like intensity too.
    """

    aggregations: tuple[Aggregation, ...] = DEFAULT_AGGREGATIONS
    binning: Binning = field(default_factory=Binning)
    intensity_range: tuple[float, float] | None = None
    outlier_sigma: float | None = None
    spacing_mm: Spacing | None = None
    interpolation: Interpolation = "linear"
    rounded: bool = False
    filters: tuple[Filter, ...] = ()
    shells_mm: tuple[float, ...] | None = None
    habitats: int | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.aggregations) - set(AGGREGATIONS))
        if unknown:
            raise ValueError(f"unknown aggregation {unknown[0]!r}; known: {', '.join(AGGREGATIONS)}")
        _ = self.aspects  # out of range: said at once

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """What is measured besides the region itself: responses, shells, habitats."""
        shells = () if self.shells_mm is None else shells_of(self.shells_mm)
        habitats = () if self.habitats is None else habitats_of(self.habitats)
        return (*self.filters, *shells, *habitats)

    @property
    def of_region(self) -> OfRegion:
        """What of them decides which voxels count, and as which grey levels."""
        return {
            "intensity_range": self.intensity_range,
            "outlier_sigma": self.outlier_sigma,
            "binning": self.binning,
        }


class OfRegion(TypedDict):
    """Settings that `radlake.features.roi.region_of_interest` takes."""

    intensity_range: tuple[float, float] | None
    outlier_sigma: float | None
    binning: Binning


class Options(TypedDict, total=False):
    """Single settings by keyword, as in `Settings` and `Binning`."""

    aggregations: Sequence[Aggregation]
    intensity_range: tuple[float, float] | None
    outlier_sigma: float | None
    spacing_mm: Sequence[float] | None
    interpolation: Interpolation
    rounded: bool
    filters: Sequence[str]
    shells_mm: Sequence[float] | None
    habitats: int | None
    bin_width: float | None
    bin_count: int | None
    ivh_bin_width: float | None
    ivh_bin_count: int | None


DEFAULT = "default"

# IBSI reference manual, reference data sets: the digital phantom, and configurations A to E for the CT phantom.
PRESETS: dict[str, Settings] = {
    DEFAULT: Settings(),
    "ibsi-phantom": Settings(AGGREGATIONS, Binning(bin_width=1)),
    "ibsi-a": Settings(_IN_PLANE, Binning(bin_width=25), intensity_range=(-500, 400)),
    "ibsi-b": Settings(
        _IN_PLANE, Binning(bin_count=32), intensity_range=(-500, 400), spacing_mm=(0, 2, 2), rounded=True
    ),
    "ibsi-c": Settings(
        _IN_VOLUME,
        Binning(bin_width=25, ivh_bin_width=2.5),
        intensity_range=(-1000, 400),
        spacing_mm=(2, 2, 2),
        rounded=True,
    ),
    "ibsi-d": Settings(_IN_VOLUME, Binning(bin_count=32), outlier_sigma=3, spacing_mm=(2, 2, 2), rounded=True),
    "ibsi-e": Settings(
        _IN_VOLUME,
        Binning(bin_count=32, ivh_bin_count=1000),
        intensity_range=(-1000, 400),
        outlier_sigma=3,
        spacing_mm=(2, 2, 2),
        interpolation="cubic",
        rounded=True,
    ),
    # IBSI reference manual 2, phase 2: what its filters are applied to, plane by plane (A) and in three axes (B).
    "ibsi2-a": Settings(_IN_PLANE, Binning(bin_width=25), intensity_range=(-1000, 400)),
    "ibsi2-b": Settings(
        _IN_VOLUME,
        Binning(bin_width=25),
        intensity_range=(-1000, 400),
        spacing_mm=(1, 1, 1),
        interpolation="cubic",
        rounded=True,
    ),
}

# Has names and settings of its own: `radlake.features.pyradiomics`.
PYRADIOMICS = "pyradiomics"


def settings_of(preset: str | None, options: Options) -> Settings:
    """Settings of a preset, or of single options; filters, shells and habitats go with either.

    Raises
    ------
    ValueError
        For an unknown preset (the message lists all), for one together with other options, or for an option out of
        range.

    Examples
    --------
    >>> settings_of("ibsi-b", {}).spacing_mm
    (0, 2, 2)
    """
    given: dict[str, Any] = {**options}
    more: dict[str, Any] = {name: given.pop(name) for name in ("shells_mm", "habitats") if name in given}
    more["filters"] = tuple(Filter(text) for text in given.pop("filters", ()))
    if more.get("shells_mm") is not None:
        more["shells_mm"] = tuple(map(float, more["shells_mm"]))
    if preset is None:
        binning = Binning(**{f.name: given.pop(f.name) for f in fields(Binning) if f.name in given})
        if "aggregations" in given:
            given["aggregations"] = tuple(given["aggregations"])
        return Settings(binning=binning, **more, **given)
    if given:
        raise ValueError(f"preset {preset!r} brings its own {', '.join(given)}; give one or the other")
    if preset == PYRADIOMICS:
        raise ValueError(f"preset {preset!r} measures one region at a time: use extract or features.pyradiomics")
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; known: {', '.join((*PRESETS, PYRADIOMICS))}")
    return replace(PRESETS[preset], **more)


def resampled(
    image: Image | Array | None, mask: Image | Array, settings: Settings, spacing: Sequence[float] | None
) -> tuple[Image | Array | None, Image | Array, Sequence[float] | None]:
    """Image (its unit kept), mask and spacing (mm, for arrays) as the settings want them.

    Parameters
    ----------
    image, mask : Images, or (z, y, x) or (y, x) arrays
        On one grid; non-zero is inside the mask.
    settings : Settings
        Of which spacing, interpolation and rounding count. Of a plane's spacing the last two axes.
    spacing : floats or None
        For arrays: millimetres along each axis.

    Raises
    ------
    ValueError
        When lengths are not known in millimetres.
    """
    if settings.spacing_mm is None:
        return image, mask, spacing
    geometry = next((i.geometry for i in (image, mask) if isinstance(i, Image)), None)
    if not (geometry.calibrated if geometry else spacing is not None):
        raise ValueError("resampling to millimetres needs spacing")
    steps = geometry.spacing if geometry else tuple(spacing or ())
    target = tuple(settings.spacing_mm)[-len(steps) :]
    inside = mask.with_array(mask.array != 0) if isinstance(mask, Image) else np.asarray(mask) != 0
    finer = None
    if image is not None:
        dtype = np.int32 if settings.rounded else None
        finer = _on(image, target, steps, interpolation=settings.interpolation, out_dtype=dtype)
    # An array beside an Image lies on the Image's grid, and the Image still brings the spacing.
    after = None if geometry else tuple(t or s for t, s in zip(target, steps, strict=True))
    return finer, _on(inside, target, steps), after


def _on(image: Image | Array, target: Spacing, steps: Spacing, **how: Any) -> Image | Array:
    """An Image or array with another spacing."""
    if isinstance(image, Image):
        return to_spacing(image, spacing_mm=target, **how)
    return to_spacing(image, spacing_mm=target, spacing=steps, **how)

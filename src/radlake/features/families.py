"""The list of feature families, and which of them are computed when: data, no formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from radlake.features.aspects import FIRST_ORDER, Aspect
from radlake.features.autocorrelation import autocorrelation
from radlake.features.enclosure import enclosure
from radlake.features.filtered import Filter
from radlake.features.glcm import glcm
from radlake.features.gldzm import gldzm
from radlake.features.glrlm import glrlm
from radlake.features.glszm import glszm
from radlake.features.intensity_histogram import intensity_histogram
from radlake.features.ivh import ivh
from radlake.features.morphology import shape
from radlake.features.ngldm import ngldm
from radlake.features.ngtdm import ngtdm
from radlake.features.outline import fourier, invariant_moments
from radlake.features.patterns import hog, lbp
from radlake.features.peak import peak
from radlake.features.presets import DEFAULT
from radlake.features.props import props
from radlake.features.roi import Values
from radlake.features.statistics import intensity
from radlake.features.subregions import fraction


class Family(NamedTuple):
    """A set of features that are computed together; version rises whenever a value would change.

    Texture families take `aggregations`; `looks_around` marks those that use the image outside the region too, `plane`
    those of planes: of a volume they measure slices, and only where asked for by name; `part` what is measured of
    shells and habitats alone.
    """

    function: Callable[..., Values]
    needs_image: bool
    version: int
    texture: bool = False
    looks_around: bool = False
    plane: bool = False
    part: bool = False


FAMILIES: dict[str, Family] = {
    "shape": Family(shape, needs_image=False, version=2),
    "intensity": Family(intensity, needs_image=True, version=2),
    "autocorrelation": Family(autocorrelation, needs_image=True, version=2),
    "enclosure": Family(enclosure, needs_image=False, version=1),
    "peak": Family(peak, needs_image=True, version=1, looks_around=True),
    "histogram": Family(intensity_histogram, needs_image=True, version=2),
    "ivh": Family(ivh, needs_image=True, version=2),
    "glcm": Family(glcm, needs_image=True, version=2, texture=True),
    "glrlm": Family(glrlm, needs_image=True, version=2, texture=True),
    "glszm": Family(glszm, needs_image=True, version=2, texture=True),
    "gldzm": Family(gldzm, needs_image=True, version=2, texture=True),
    "ngtdm": Family(ngtdm, needs_image=True, version=2, texture=True),
    "ngldm": Family(ngldm, needs_image=True, version=2, texture=True),
    "props": Family(props, needs_image=False, version=1, plane=True),
    "moments": Family(invariant_moments, needs_image=False, version=1, plane=True),
    "fourier": Family(fourier, needs_image=False, version=1, plane=True),
    "lbp": Family(lbp, needs_image=True, version=1, looks_around=True, plane=True),
    "hog": Family(hog, needs_image=True, version=1, looks_around=True, plane=True),
    "fraction": Family(fraction, needs_image=False, version=1, part=True),
}
DEFAULT_FAMILIES = ("shape", "intensity")


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


def chosen_families(families: Sequence[str] | None, preset: str | None, axes: int) -> tuple[str, ...]:
    """The families asked for; without a choice all of them with a preset, otherwise the usual ones.

    Those of planes, which IBSI does not know, belong to the preset "default" for images of two axes.

    Examples
    --------
    >>> chosen_families(None, None, 3)
    ('shape', 'intensity')
    >>> [len(chosen_families(None, preset, axes)) for preset, axes in (("ibsi-c", 2), ("default", 3), ("default", 2))]
    [13, 13, 18]
    """
    if families is not None:
        return tuple(families)
    if preset is None:
        return DEFAULT_FAMILIES
    planes = preset == DEFAULT and axes == 2
    return tuple(name for name, entry in FAMILIES.items() if not entry.part and (planes or not entry.plane))


def families_on(one: Aspect | None, families: Sequence[str]) -> list[str]:
    """Of these families those that an aspect changes: first order for parts of a region, all of them without an aspect.

    Examples
    --------
    >>> families_on(Filter("log sigma_mm=1.5"), ["shape", "intensity"])
    ['intensity']
    >>> from radlake.features.subregions import Shell
    >>> families_on(Shell(0, 5), ["shape", "intensity", "glcm"])
    ['fraction', 'intensity']
    """
    if one is None:
        return [*families]
    if isinstance(one, Filter):
        return [name for name in families if family(name).needs_image]
    return [name for name in FIRST_ORDER if name in families or name == "fraction"]

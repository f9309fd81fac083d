"""The door between pixel chains and this room: the steps `features` and `features.pyradiomics`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from radlake.core.fault import ItemError
from radlake.core.image import Image, Region
from radlake.core.stage import Item, Row, Rows, Stage
from radlake.features import pyradiomics
from radlake.features.aspects import Aspect, aspects_of
from radlake.features.extract import axes_of, family_rows, prepared, settings_id, unusual
from radlake.features.families import chosen_families, families_on
from radlake.features.memory import features_bytes, pyradiomics_bytes
from radlake.features.presets import PYRADIOMICS, Options, Settings, settings_of
from radlake.features.pyradiomics_settings import Parameters, parameters_of
from radlake.features.roi import Roi
from radlake.features.texture import DEFAULT_AGGREGATIONS, Aggregation
from radlake.imaging.resample import Interpolation

EVERY_REGION = "*"


def features(  # noqa: PLR0913 - the signature is the schema of the step
    item: Item,
    *,
    image: str = "original",
    mask: str = "foreground",
    families: tuple[str, ...] | None = None,
    preset: str | None = None,
    aggregations: tuple[Aggregation, ...] = DEFAULT_AGGREGATIONS,
    bin_width: float | None = None,
    bin_count: int | None = None,
    ivh_bin_width: float | None = None,
    ivh_bin_count: int | None = None,
    intensity_range: tuple[float, ...] | None = None,
    outlier_sigma: float | None = None,
    spacing_mm: tuple[float, ...] | None = None,
    interpolation: Interpolation = "linear",
    rounded: bool = False,
    filters: tuple[str, ...] = (),
    shells_mm: tuple[float, ...] | None = None,
    habitats: int | None = None,
) -> Rows:
    """Measure the regions of one name, or all of them ("*"), on an image.

    A region that a family cannot measure costs the rows of that family only: one row without a value says why.

    Parameters
    ----------
    item : Item
        An image with its regions.
    image : str
        Name of the image to measure.
    mask : str
        Name of the region: what a step named it, "seg", "rtstruct", "label", or "*" for all there are.
    families : tuple of str, optional
        Keys of `radlake.features.FAMILIES`; absent: shape and intensity, with a preset all.
    preset : str, optional
        All settings at once, instead of the following: a key of `radlake.features.presets.PRESETS`.
    aggregations : tuple of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        How the texture families put directions and slices together.
    bin_width, bin_count : numbers, optional
        Grey levels of one width in the image's unit, or so many over a region's range; 32 without either.
    ivh_bin_width, ivh_bin_count : numbers, optional
        The same for the intensity-volume histogram.
    intensity_range : tuple of float, optional
        Voxels outside it do not count for intensities but do for shape, in the image's unit.
    outlier_sigma : float, optional
        Neither do voxels farther from the mean than so many standard deviations.
    spacing_mm : tuple of float, optional
        Resample first, to this distance of samples along (z, y, x), millimetres; 0 leaves an axis.
    interpolation : {"nearest", "linear", "cubic"}
        Of intensities.
    rounded : bool
        Whether interpolated intensities are rounded to integers.
    filters : tuple of str
        Features of the responses too: filters in words, such as "log sigma_mm=1.5" or "wavelet bands=LLH".
    shells_mm : tuple of float, optional
        First-order features of the shells between these distances from the border too, inside negative.
    habitats : int, optional
        First-order features of so many groups of like intensity too, 2 to 9.
    """
    settings = settings_from(
        {
            "preset": preset, "aggregations": aggregations, "bin_width": bin_width, "bin_count": bin_count,
            "ivh_bin_width": ivh_bin_width, "ivh_bin_count": ivh_bin_count, "intensity_range": intensity_range,
            "outlier_sigma": outlier_sigma, "spacing_mm": spacing_mm, "interpolation": interpolation,
            "rounded": rounded, "filters": filters, "shells_mm": shells_mm, "habitats": habitats,
            "families": families,
        }
    )  # fmt: skip
    if preset == PYRADIOMICS:
        return pyradiomics_rows(item, image, mask)
    rows: Rows = []
    for region in regions_named(item, mask):
        chosen = chosen_families(families, preset, axes_of(region.mask))
        key = {"owner": item.id, "image_id": item.row.get("image_id", item.id), "mask_id": region.id}
        for one, row in _measured(item.images[image], region, chosen, settings):
            rows.append(("features", row | key | {"settings_id": _identity(settings, chosen, image, one)}))
    return rows


@lru_cache(maxsize=256)
def _identity(settings: Settings, families: tuple[str, ...], image: str, one: Aspect | None) -> str:
    """Id of settings, families and the name of the image, and of the aspect it is measured in."""
    return settings_id(
        families=families, intensity_range=settings.intensity_range, image=image, **unusual(settings, families, one)
    )


def pyradiomics_features(
    item: Item, *, image: str = "original", mask: str = "foreground", parameters: str = "{}"
) -> Rows:
    """Measure the regions of one name, or all of them ("*"), under PyRadiomics' names by its own settings.

    Parameters
    ----------
    item : Item
        An image with its regions.
    image, mask : str
        As for the step `features`.
    parameters : str
        The content of a PyRadiomics parameter file as JSON, such as '{"setting": {"binWidth": 10}}'.
    """
    return pyradiomics_rows(item, image, mask, parameters_of(json.loads(parameters)))


def pyradiomics_rows(item: Item, image: str, mask: str, parameters: Parameters | None = None) -> Rows:
    """Rows of the regions under PyRadiomics' names; a single one with a reason for a region it cannot measure.

    Parameters
    ----------
    item : Item
    image, mask : str
        As for `features`.
    parameters : Parameters, optional
        PyRadiomics' defaults without; the label is not looked at, because regions are masks already.
    """
    chosen = parameters or Parameters()
    found: Rows = []
    for region in regions_named(item, mask):
        key = {"owner": item.id, "image_id": item.row.get("image_id", item.id), "mask_id": region.id}
        try:
            measured = pyradiomics.rows(item.images[image], region.mask, chosen)
        except ItemError as problem:
            measured = [{"family": name, "reason": str(problem), "settings_id": chosen.identity} for name, _ in
                        chosen.classes]  # fmt: skip
        found += [("features", row | key) for row in measured]
    return found


def settings_from(parameters: Mapping[str, Any]) -> Settings:
    """Settings from parameters of the step; those left at their defaults do not contradict a preset.

    Raises
    ------
    ValueError
        For a value out of its range, an unknown preset, or one beside other options.
    """
    usual = STAGES["features"].parameters
    given = {n: _tuple(parameters[n]) for n in Options.__annotations__ if n in parameters}
    given = {n: value for n, value in given.items() if value != usual[n].default}
    if parameters.get("preset") == PYRADIOMICS:
        if given or parameters.get("families"):
            raise ValueError(
                f"preset {PYRADIOMICS!r} brings its own settings; change them in a parameter file of its own"
            )
        return Settings()
    bounds = given.get("intensity_range")
    if bounds is not None and len(bounds) != 2:
        raise ValueError(f"intensity_range must be two numbers, least and greatest, got {len(bounds)}")
    return settings_of(parameters.get("preset"), cast(Options, given))


def _tuple(value: Any) -> Any:
    """Lists of YAML as tuples."""
    return tuple(value) if isinstance(value, list) else value


def _measured(
    image: Image, region: Region, families: Sequence[str], settings: Settings
) -> Iterator[tuple[Aspect | None, Row]]:
    """Rows on the image and in each aspect; one with a reason for each family that cannot measure the region."""
    try:
        roi: Roi | ItemError = prepared(image, region.mask, settings)
    except ItemError as problem:
        roi = problem
    for one, part in aspects_of(roi, settings.aspects):
        for family in families_on(one, families):
            try:
                if isinstance(part, ItemError):
                    raise part
                yield from ((one, row) for row in family_rows(family, part, settings.aggregations, one))
            except ItemError as problem:
                yield one, {"family": family, "reason": str(problem)}


def regions_named(item: Item, mask: str) -> list[Region]:
    """Regions under a name; all of them, each once, for "*"."""
    if mask != EVERY_REGION:
        return item.regions[mask]
    return [region for name in sorted(item.regions) for region in item.regions[name]]


STAGES: dict[str, Stage] = {
    "features": Stage(
        "features",
        2,
        "each",
        "images",
        ("image:{image}", "mask:{mask}"),
        ("features",),
        features,
        working_bytes=features_bytes,
    ),
    "features.pyradiomics": Stage(
        "features.pyradiomics",
        2,
        "each",
        "images",
        ("image:{image}", "mask:{mask}"),
        ("features",),
        pyradiomics_features,
        working_bytes=pyradiomics_bytes,
    ),
}

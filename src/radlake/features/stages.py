"""The door between pixel chains and this room: the step `features`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from radlake.core.fault import ItemError
from radlake.core.image import Image, Region
from radlake.core.stage import Item, Row, Rows, Stage
from radlake.features.discretise import Binning
from radlake.features.extract import DEFAULT_FAMILIES, family_rows, settings_id, unusual
from radlake.features.presets import Settings
from radlake.features.roi import region_of_interest
from radlake.features.texture import DEFAULT_AGGREGATIONS, Aggregation

EVERY_REGION = "*"


def features(
    item: Item,
    *,
    image: str = "original",
    mask: str = "foreground",
    families: tuple[str, ...] = DEFAULT_FAMILIES,
    aggregations: tuple[Aggregation, ...] = DEFAULT_AGGREGATIONS,
    bin_width: float | None = None,
    bin_count: int | None = None,
    intensity_range: tuple[float, ...] | None = None,
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
    families : tuple of str
        Keys of `radlake.features.FAMILIES`.
    aggregations : tuple of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        How the texture families put directions and slices together.
    bin_width, bin_count : numbers, optional
        Grey levels of one width in the image's unit, or so many over a region's range; 32 without either.
    intensity_range : tuple of float, optional
        Voxels outside it do not count for intensities but do for shape, in the image's unit.
    """
    limits = None if intensity_range is None else (float(intensity_range[0]), float(intensity_range[1]))
    chosen = Settings(tuple(aggregations), Binning(bin_width=bin_width, bin_count=bin_count), limits)
    settings = settings_id(families=families, intensity_range=limits, image=image, **unusual(chosen, families))
    rows: Rows = []
    for region in _regions(item, mask):
        key = {"owner": item.id, "image_id": item.id, "mask_id": region.id, "settings_id": settings}
        rows += [("features", row | key) for row in _measured(item.images[image], region, families, chosen)]
    return rows


def _measured(image: Image, region: Region, families: Sequence[str], settings: Settings) -> Iterator[Row]:
    """Rows of the families; a single one with a reason for a family that cannot measure the region."""
    try:
        roi = region_of_interest(image, region.mask, intensity_range=settings.intensity_range, binning=settings.binning)
    except ItemError as problem:
        yield from ({"family": family, "reason": str(problem)} for family in families)
        return
    for family in families:
        try:
            yield from family_rows(family, roi, settings.aggregations)
        except ItemError as problem:
            yield {"family": family, "reason": str(problem)}


def _regions(item: Item, mask: str) -> list[Region]:
    """Regions under a name; all of them, each once, for "*"."""
    if mask != EVERY_REGION:
        return item.regions[mask]
    return [region for name in sorted(item.regions) for region in item.regions[name]]


STAGES: dict[str, Stage] = {
    "features": Stage(
        "features",
        1,
        "each",
        "images",
        ("image:{image}", "mask:{mask}"),
        ("features",),
        features,
        megabytes_per_megavoxel=6,
    )
}

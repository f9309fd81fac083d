"""The door between pixel chains and this room: all its steps.

Those of one family are in a module of their own (`filter_stages`, `response_stages`, `morphology_stages`,
`edge_stages`, `enhance_stages`, `segment_stages`); here are the first filters, Otsu, morphology of masks and the
preview.
"""

from __future__ import annotations

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.ids import derived_id
from radlake.core.image import Image, Region
from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import (
    edge_stages,
    enhance_stages,
    filter_stages,
    morphology_stages,
    response_stages,
    segment_stages,
)
from radlake.imaging.arguments import Border
from radlake.imaging.filters import gaussian, mean, median
from radlake.imaging.masks import distance_map, fill_holes, remove_small
from radlake.imaging.preview import png_bytes, thumbnail
from radlake.imaging.regions import mask_row
from radlake.imaging.segment import foreground, otsu

_SHOWABLE = ("clean", "redacted")  # states of images.pixel_text in which no text can be seen


def filter_gaussian(
    item: Item, *, image: str = "original", sigma_mm: float = 1.0, border: Border = "reflect", to: str = "smooth"
) -> Rows:
    """Smooth an image by a Gaussian and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    sigma_mm : float
        Standard deviation in mm; in pixels where the spacing is unknown.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = gaussian(item.images[image], sigma_mm=sigma_mm, border=border)
    return []


def filter_mean(
    item: Item, *, image: str = "original", radius_mm: float = 1.0, border: Border = "reflect", to: str = "mean"
) -> Rows:
    """Average an image over boxes and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    radius_mm : float
        Half the side of the box in mm; in pixels where the spacing is unknown.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = mean(item.images[image], radius_mm=radius_mm, border=border)
    return []


def filter_median(
    item: Item, *, image: str = "original", radius_mm: float = 1.0, border: Border = "reflect", to: str = "median"
) -> Rows:
    """Take the median over boxes and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    radius_mm : float
        Half the side of the box in mm; in pixels where the spacing is unknown.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = median(item.images[image], radius_mm=radius_mm, border=border)
    return []


def segment_otsu(item: Item, *, image: str = "original", largest: bool = True, to: str = "foreground") -> Rows:
    """Separate the imaged object by Otsu's threshold; keep the mask as a region and as an object.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    largest : bool
        Only the largest connected part.
    to : str
        Name of the region.
    """
    source = item.images[image]
    mask = foreground(source) if largest else otsu(source)
    region = Region(mask, roi="foreground", source="auto", id=derived_id("mask", item.id, to))
    item.regions[to] = [region]
    return [("masks", mask_row(item, region))]


def mask_fill_holes(item: Item, *, mask: str = "foreground", to: str = "filled") -> Rows:
    """Fill what masks enclose and keep the results as regions under a new name.

    Parameters
    ----------
    item : Item
        An image with its masks.
    mask : str
        Name of the masks to use.
    to : str
        Name of the result.
    """
    return _keep(item, to, [(region, fill_holes(region.mask)) for region in item.regions[mask]])


def mask_remove_small(item: Item, *, mask: str = "foreground", least_mm: float = 10.0, to: str = "cleaned") -> Rows:
    """Remove small connected parts of masks and keep the results as regions under a new name.

    Parameters
    ----------
    item : Item
        An image with its masks.
    mask : str
        Name of the masks to use.
    least_mm : float
        Volume in mm3 (area in mm2 of plane images) from which parts stay; in voxels where the spacing is unknown.
    to : str
        Name of the result.
    """
    return _keep(item, to, [(region, remove_small(region.mask, least_mm=least_mm)) for region in item.regions[mask]])


def mask_distance_map(item: Item, *, mask: str = "foreground", to: str = "distance") -> Rows:
    """Measure how deep each voxel lies inside masks, in mm, and keep that as an image under a new name.

    Parameters
    ----------
    item : Item
        An image with its masks.
    mask : str
        Name of the masks to use, all together.
    to : str
        Name of the result.
    """
    found = [region.mask for region in item.regions[mask]]
    if not found:
        raise ItemError("empty_mask")
    inside = np.logical_or.reduce([one.array != 0 for one in found])
    item.images[to] = distance_map(found[0].with_array(inside))
    return []


def preview(item: Item, *, image: str = "original", longest: int = 256) -> Rows:
    """Keep a small picture, unless text in the pixels could identify somebody.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    longest : int
        Longer side in pixels.
    """
    if item.row.get("pixel_text") not in _SHOWABLE:
        return []
    picture = thumbnail(item.images[image], longest=longest)
    reference = item.context.objects.put(png_bytes(picture), ".png")
    height, width = picture.shape[:2]
    return [
        ("previews", {"owner": item.id, "image_id": item.id, "object": reference, "width": width, "height": height})
    ]


def _keep(item: Item, to: str, made: list[tuple[Region, Image]]) -> Rows:
    """Regions made from others, kept under a name, and their rows of `masks`."""
    item.regions[to] = [
        Region(mask, roi=source.roi, source="auto", id=derived_id("mask", item.id, to, source.id))
        for source, mask in made
    ]
    return [("masks", mask_row(item, region)) for region in item.regions[to]]


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "filter.gaussian", 1, "each", "images", ("image:{image}",), ("image:{to}",), filter_gaussian,
            megabytes_per_megavoxel=6,
        ),
        Stage(
            "filter.mean", 2, "each", "images", ("image:{image}",), ("image:{to}",), filter_mean,
            megabytes_per_megavoxel=8,
        ),
        Stage(
            "filter.median", 1, "each", "images", ("image:{image}",), ("image:{to}",), filter_median,
            megabytes_per_megavoxel=18,
        ),
        Stage(
            "segment.otsu", 2, "each", "images", ("image:{image}",), ("mask:{to}", "masks"), segment_otsu,
            megabytes_per_megavoxel=7,
        ),
        Stage(
            "morphology.fill_holes", 1, "each", "images", ("mask:{mask}",), ("mask:{to}", "masks"), mask_fill_holes,
            megabytes_per_megavoxel=10,
        ),
        Stage(
            "morphology.remove_small", 1, "each", "images", ("mask:{mask}",), ("mask:{to}", "masks"), mask_remove_small,
            megabytes_per_megavoxel=10,
        ),
        Stage(
            "morphology.distance_map", 1, "each", "images", ("mask:{mask}",), ("image:{to}",), mask_distance_map,
            megabytes_per_megavoxel=8,
        ),
        *filter_stages.STAGES.values(),
        *response_stages.STAGES.values(),
        *morphology_stages.STAGES.values(),
        *edge_stages.STAGES.values(),
        *enhance_stages.STAGES.values(),
        *segment_stages.STAGES.values(),
        Stage("preview", 1, "each", "images", ("image:{image}",), ("previews",), preview, megabytes_per_megavoxel=1),
    )
}  # fmt: skip

"""Steps `segment.*` beyond Otsu: other thresholds, tissue classes, body and lungs, kept as regions and objects."""

from __future__ import annotations

from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import segment_body, segment_thresholds, segment_tissue
from radlake.imaging.regions import keep_regions
from radlake.imaging.segment import as_mask


def li(item: Item, *, image: str = "original", to: str = "foreground") -> Rows:
    """Separate the imaged object by the threshold of least cross entropy; keep the mask as a region and as an object.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    to : str
        Name of the region.
    """
    return keep_regions(item, to, [("foreground", segment_thresholds.li(item.images[image]))])


def triangle(item: Item, *, image: str = "original", to: str = "foreground") -> Rows:
    """Separate little foreground from much background by the triangle method; keep the mask as a region and an object.

    `image` and `to` as in `li`.
    """
    return keep_regions(item, to, [("foreground", segment_thresholds.triangle(item.images[image]))])


def multi_otsu(item: Item, *, image: str = "original", classes: int = 3, to: str = "classes") -> Rows:
    """Separate classes of brightness by the best thresholds; keep each as a region and as an object.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    classes : int
        How many, from 2 to 255.
    to : str
        Name of the regions, the darkest first.
    """
    return _keep_classes(item, to, segment_thresholds.multi_otsu(item.images[image], classes=classes), classes)


def gaussian_mixture(item: Item, *, image: str = "original", classes: int = 3, to: str = "classes") -> Rows:
    """Separate classes of brightness by a mixture of Gaussians; keep each as a region and as an object.

    `image`, `classes` and `to` as in `multi_otsu`.
    """
    return _keep_classes(item, to, segment_tissue.gaussian_mixture(item.images[image], classes=classes), classes)


def body(item: Item, *, image: str = "original", to: str = "body") -> Rows:
    """Find the body on CT and keep it as a region and as an object; no region on other images.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    to : str
        Name of the region.
    """
    source = item.images[image]
    return keep_regions(item, to, [("body", segment_body.body(source))] if source.unit == "HU" else [])


def lungs(item: Item, *, image: str = "original", to: str = "lungs") -> Rows:
    """Find the lungs on CT and keep them as a region and as an object; no region where there are none.

    `image` and `to` as in `body`.
    """
    source = item.images[image]
    if source.unit != "HU":
        return keep_regions(item, to, [])
    try:
        return keep_regions(item, to, [("lungs", segment_body.lungs(source))])
    except ItemError as error:  # a CT of the head is no faulty CT of the chest
        if error.code != "empty_mask":
            raise
        return keep_regions(item, to, [])


def _keep_classes(item: Item, to: str, labels: Image, classes: int) -> Rows:
    """Every class that holds a voxel as a region."""
    masks = ((f"class_{number}", labels.array == number) for number in range(1, classes + 1))
    return keep_regions(item, to, [(name, as_mask(labels, mask)) for name, mask in masks if mask.any()])


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "segment.li", 1, "each", "images", ("image:{image}",), ("mask:{to}", "masks"), li,
            megabytes_per_megavoxel=8,
        ),
        Stage(
            "segment.triangle", 1, "each", "images", ("image:{image}",), ("mask:{to}", "masks"), triangle,
            megabytes_per_megavoxel=8,
        ),
        Stage(
            "segment.multi_otsu", 1, "each", "images", ("image:{image}",), ("mask:{to}", "masks"), multi_otsu,
            megabytes_per_megavoxel=12,
        ),
        Stage(
            "segment.gaussian_mixture", 1, "each", "images", ("image:{image}",), ("mask:{to}", "masks"),
            gaussian_mixture, megabytes_per_megavoxel=40,
        ),
        Stage(
            "segment.body", 1, "each", "images", ("image:{image}",), ("mask:{to}", "masks"), body,
            megabytes_per_megavoxel=12,
        ),
        Stage(
            "segment.lungs", 1, "each", "images", ("image:{image}",), ("mask:{to}", "masks"), lungs,
            megabytes_per_megavoxel=24,
        ),
    )
}  # fmt: skip

"""Steps `morphology.*` on grey images; those on masks are in `stages`."""

from __future__ import annotations

from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import morphology
from radlake.imaging.arguments import Border, Footprint


def dilate(
    item: Item,
    *,
    image: str = "original",
    radius_mm: float = 1.0,
    footprint: Footprint = "ball",
    border: Border = "reflect",
    to: str = "dilated",
) -> Rows:
    """Take the greatest value around each sample and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    radius_mm : float
        Radius of the ball, or half the side of the box, in mm; in pixels where the spacing is unknown.
    footprint : {"box", "ball"}
        What "around" means; a ball is a disc in two dimensions.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    source = item.images[image]
    item.images[to] = morphology.dilate(source, radius_mm=radius_mm, footprint=footprint, border=border)
    return []


def erode(
    item: Item,
    *,
    image: str = "original",
    radius_mm: float = 1.0,
    footprint: Footprint = "ball",
    border: Border = "reflect",
    to: str = "eroded",
) -> Rows:
    """Take the least value around each sample and keep the result under a new name.

    `image`, `radius_mm`, `footprint`, `border` and `to` as in `dilate`.
    """
    source = item.images[image]
    item.images[to] = morphology.erode(source, radius_mm=radius_mm, footprint=footprint, border=border)
    return []


def opening(
    item: Item,
    *,
    image: str = "original",
    radius_mm: float = 1.0,
    footprint: Footprint = "ball",
    border: Border = "reflect",
    to: str = "opened",
) -> Rows:
    """Remove bright parts that the footprint does not fit into; keep the result under a new name.

    `image`, `radius_mm`, `footprint`, `border` and `to` as in `dilate`.
    """
    source = item.images[image]
    item.images[to] = morphology.opening(source, radius_mm=radius_mm, footprint=footprint, border=border)
    return []


def closing(
    item: Item,
    *,
    image: str = "original",
    radius_mm: float = 1.0,
    footprint: Footprint = "ball",
    border: Border = "reflect",
    to: str = "closed",
) -> Rows:
    """Remove dark parts that the footprint does not fit into; keep the result under a new name.

    `image`, `radius_mm`, `footprint`, `border` and `to` as in `dilate`.
    """
    source = item.images[image]
    item.images[to] = morphology.closing(source, radius_mm=radius_mm, footprint=footprint, border=border)
    return []


def gradient(
    item: Item,
    *,
    image: str = "original",
    radius_mm: float = 1.0,
    footprint: Footprint = "ball",
    border: Border = "reflect",
    to: str = "gradient",
) -> Rows:
    """Take the greatest less the least value around each sample; keep the result under a new name.

    `image`, `radius_mm`, `footprint`, `border` and `to` as in `dilate`.
    """
    source = item.images[image]
    item.images[to] = morphology.gradient(source, radius_mm=radius_mm, footprint=footprint, border=border)
    return []


def top_hat(
    item: Item,
    *,
    image: str = "original",
    radius_mm: float = 1.0,
    footprint: Footprint = "ball",
    border: Border = "reflect",
    to: str = "top_hat",
) -> Rows:
    """Keep only bright parts that the footprint does not fit into, under a new name.

    `image`, `radius_mm`, `footprint`, `border` and `to` as in `dilate`.
    """
    source = item.images[image]
    item.images[to] = morphology.top_hat(source, radius_mm=radius_mm, footprint=footprint, border=border)
    return []


def black_hat(
    item: Item,
    *,
    image: str = "original",
    radius_mm: float = 1.0,
    footprint: Footprint = "ball",
    border: Border = "reflect",
    to: str = "black_hat",
) -> Rows:
    """Keep only dark parts that the footprint does not fit into, under a new name.

    `image`, `radius_mm`, `footprint`, `border` and `to` as in `dilate`.
    """
    source = item.images[image]
    item.images[to] = morphology.black_hat(source, radius_mm=radius_mm, footprint=footprint, border=border)
    return []


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "morphology.dilate", 1, "each", "images", ("image:{image}",), ("image:{to}",), dilate,
            megabytes_per_megavoxel=18,
        ),
        Stage(
            "morphology.erode", 1, "each", "images", ("image:{image}",), ("image:{to}",), erode,
            megabytes_per_megavoxel=18,
        ),
        Stage(
            "morphology.opening", 1, "each", "images", ("image:{image}",), ("image:{to}",), opening,
            megabytes_per_megavoxel=22,
        ),
        Stage(
            "morphology.closing", 1, "each", "images", ("image:{image}",), ("image:{to}",), closing,
            megabytes_per_megavoxel=22,
        ),
        Stage(
            "morphology.gradient", 1, "each", "images", ("image:{image}",), ("image:{to}",), gradient,
            megabytes_per_megavoxel=24,
        ),
        Stage(
            "morphology.top_hat", 1, "each", "images", ("image:{image}",), ("image:{to}",), top_hat,
            megabytes_per_megavoxel=24,
        ),
        Stage(
            "morphology.black_hat", 1, "each", "images", ("image:{image}",), ("image:{to}",), black_hat,
            megabytes_per_megavoxel=24,
        ),
    )
}  # fmt: skip

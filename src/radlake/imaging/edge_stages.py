"""Steps `edges.*`: derivatives per millimetre under new names, and Canny's edges as a region."""

from __future__ import annotations

from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import edges
from radlake.imaging.arguments import Border
from radlake.imaging.canny import canny as find_edges
from radlake.imaging.regions import keep_regions


def gradient(item: Item, *, image: str = "original", border: Border = "reflect", to: str = "slope") -> Rows:
    """Keep the length of the gradient by central differences, per mm, under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = edges.gradient_magnitude(item.images[image], border=border)
    return []


def sobel(item: Item, *, image: str = "original", border: Border = "reflect", to: str = "sobel") -> Rows:
    """Keep the length of Sobel's gradient, per mm, under a new name.

    `image`, `border` and `to` as in `gradient`.
    """
    item.images[to] = edges.sobel(item.images[image], border=border)
    return []


def prewitt(item: Item, *, image: str = "original", border: Border = "reflect", to: str = "prewitt") -> Rows:
    """Keep the length of Prewitt's gradient, per mm, under a new name.

    `image`, `border` and `to` as in `gradient`.
    """
    item.images[to] = edges.prewitt(item.images[image], border=border)
    return []


def scharr(item: Item, *, image: str = "original", border: Border = "reflect", to: str = "scharr") -> Rows:
    """Keep the length of Scharr's gradient, per mm, under a new name.

    `image`, `border` and `to` as in `gradient`.
    """
    item.images[to] = edges.scharr(item.images[image], border=border)
    return []


def laplacian(item: Item, *, image: str = "original", border: Border = "reflect", to: str = "laplacian") -> Rows:
    """Keep the sum of second derivatives, per square mm, under a new name.

    `image`, `border` and `to` as in `gradient`.
    """
    item.images[to] = edges.laplacian(item.images[image], border=border)
    return []


def laplacian_of_gaussian(
    item: Item,
    *,
    image: str = "original",
    sigma_mm: float = 1.0,
    border: Border = "reflect",
    to: str = "laplacian_of_gaussian",
) -> Rows:
    """Keep the Laplacian of the smoothed image, per square mm, under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    sigma_mm : float
        Standard deviation of the smoothing in mm; in pixels where the spacing is unknown.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = edges.laplacian_of_gaussian(item.images[image], sigma_mm=sigma_mm, border=border)
    return []


def canny(
    item: Item,
    *,
    image: str = "original",
    low: float = 20.0,
    high: float = 50.0,
    sigma_mm: float = 1.0,
    to: str = "edges",
) -> Rows:
    """Find thin edges and keep them as a region and as an object; no region where there are none.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    low, high : float
        Least gradients of edges beside strong ones and of strong ones, in the unit of the image per mm.
    sigma_mm : float
        Standard deviation of the smoothing in mm; in pixels where the spacing is unknown.
    to : str
        Name of the region.
    """
    found = find_edges(item.images[image], low=low, high=high, sigma_mm=sigma_mm)
    return keep_regions(item, to, [("edges", found)] if found.array.any() else [])


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "edges.gradient", 1, "each", "images", ("image:{image}",), ("image:{to}",), gradient,
            megabytes_per_megavoxel=32,
        ),
        Stage(
            "edges.sobel", 1, "each", "images", ("image:{image}",), ("image:{to}",), sobel,
            megabytes_per_megavoxel=32,
        ),
        Stage(
            "edges.prewitt", 1, "each", "images", ("image:{image}",), ("image:{to}",), prewitt,
            megabytes_per_megavoxel=32,
        ),
        Stage(
            "edges.scharr", 1, "each", "images", ("image:{image}",), ("image:{to}",), scharr,
            megabytes_per_megavoxel=32,
        ),
        Stage(
            "edges.laplacian", 1, "each", "images", ("image:{image}",), ("image:{to}",), laplacian,
            megabytes_per_megavoxel=32,
        ),
        Stage(
            "edges.laplacian_of_gaussian", 1, "each", "images", ("image:{image}",), ("image:{to}",),
            laplacian_of_gaussian, megabytes_per_megavoxel=24,
        ),
        Stage(
            "edges.canny", 1, "each", "images", ("image:{image}",), ("mask:{to}", "masks"), canny,
            megabytes_per_megavoxel=60,
        ),
    )
}  # fmt: skip

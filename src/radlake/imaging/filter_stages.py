"""Steps `filter.*` against noise and for sharpness: results under new names, lengths in millimetres."""

from __future__ import annotations

from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import denoise, filters
from radlake.imaging.arguments import Border


def unsharp(
    item: Item,
    *,
    image: str = "original",
    sigma_mm: float = 1.0,
    amount: float = 1.0,
    border: Border = "reflect",
    to: str = "sharp",
) -> Rows:
    """Sharpen an image by what a Gaussian takes from it and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    sigma_mm : float
        Standard deviation in mm; in pixels where the spacing is unknown.
    amount : float
        How much of it is added; 0 leaves the image as it is.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = filters.unsharp(item.images[image], sigma_mm=sigma_mm, amount=amount, border=border)
    return []


def bilateral(
    item: Item,
    *,
    image: str = "original",
    sigma_mm: float = 1.0,
    sigma_value: float = 30.0,
    border: Border = "reflect",
    to: str = "bilateral",
) -> Rows:
    """Smooth an image but not across edges, by a bilateral filter, and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    sigma_mm : float
        Standard deviation of distances in mm; in pixels where the spacing is unknown.
    sigma_value : float
        Standard deviation of differences in the unit of the image.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = denoise.bilateral(item.images[image], sigma_mm=sigma_mm, sigma_value=sigma_value, border=border)
    return []


def non_local_means(
    item: Item,
    *,
    image: str = "original",
    strength: float = 30.0,
    patch_radius_mm: float = 1.0,
    search_radius_mm: float = 4.0,
    border: Border = "reflect",
    to: str = "non_local_means",
) -> Rows:
    """Average each voxel with those nearby whose surroundings are alike and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    strength : float
        Differences up to about this size are smoothed, in the unit of the image.
    patch_radius_mm, search_radius_mm : float
        Half the sides of the boxes that are compared and searched, in mm; in pixels where the spacing is unknown.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = denoise.non_local_means(
        item.images[image],
        strength=strength,
        patch_radius_mm=patch_radius_mm,
        search_radius_mm=search_radius_mm,
        border=border,
    )
    return []


def anisotropic_diffusion(
    item: Item, *, image: str = "original", slope: float = 20.0, iterations: int = 10, to: str = "diffused"
) -> Rows:
    """Smooth an image by diffusion that is slow across steep slopes and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    slope : float
        Slope at which diffusion is half as fast as on flat ground, in the unit of the image per mm.
    iterations : int
        Explicit steps, each half as long as the grid allows.
    to : str
        Name of the result.
    """
    item.images[to] = denoise.anisotropic_diffusion(item.images[image], slope=slope, iterations=iterations)
    return []


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "filter.unsharp", 1, "each", "images", ("image:{image}",), ("image:{to}",), unsharp,
            megabytes_per_megavoxel=16,
        ),
        Stage(
            "filter.bilateral", 1, "each", "images", ("image:{image}",), ("image:{to}",), bilateral,
            megabytes_per_megavoxel=16,
        ),
        Stage(
            "filter.non_local_means", 1, "each", "images", ("image:{image}",), ("image:{to}",), non_local_means,
            megabytes_per_megavoxel=20,
        ),
        Stage(
            "filter.anisotropic_diffusion", 1, "each", "images", ("image:{image}",), ("image:{to}",),
            anisotropic_diffusion, megabytes_per_megavoxel=16,
        ),
    )
}  # fmt: skip

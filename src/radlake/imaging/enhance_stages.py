"""Steps `enhance.*` and `resample.*`: images with other contrast, on a comparable scale, or on another grid."""

from __future__ import annotations

from radlake.core.fault import ItemError
from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import crop, enhance, normalise, resample
from radlake.imaging.channels import scalar
from radlake.imaging.resample import Interpolation


def equalize(item: Item, *, image: str = "original", to: str = "equalized") -> Rows:
    """Make all levels equally frequent and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    to : str
        Name of the result.
    """
    item.images[to] = enhance.equalize(item.images[image])
    return []


def clahe(item: Item, *, image: str = "original", tile_mm: float = 40.0, clip: float = 4.0, to: str = "clahe") -> Rows:
    """Equalise tile by tile with limited contrast and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels, all finite.
    image : str
        Name of the image to use.
    tile_mm : float
        Side of a tile in mm; in pixels where the spacing is unknown.
    clip : float
        Most that contrast may grow, from 1.
    to : str
        Name of the result.
    """
    item.images[to] = enhance.clahe(item.images[image], tile_mm=tile_mm, clip=clip)
    return []


def z_score(item: Item, *, image: str = "original", mask: str = "foreground", to: str = "z_score") -> Rows:
    """Shift and scale to mean 0 and standard deviation 1 inside a mask and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use; of colours the brightness is used, of a cine the middle time point.
    mask : str
        Name of the region in which mean and deviation are taken, the first of several.
    to : str
        Name of the result.
    """
    regions = item.regions[mask]
    if not regions:
        raise ItemError("empty_mask")
    item.images[to] = normalise.z_score(scalar(item.images[image]), mask=regions[0].mask)
    return []


def n4(item: Item, *, image: str = "original", shrink: int = 4, to: str = "n4") -> Rows:
    """Correct the slowly changing brightness of MR and keep the result under a new name; other kinds stay as they are.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    shrink : int
        Factor along each axis at which the field is estimated, from 1.
    to : str
        Name of the result.
    """
    source = item.images[image]
    item.images[to] = normalise.n4(source, shrink=shrink) if source.kind == "mr" else source
    return []


def to_spacing(
    item: Item,
    *,
    image: str = "original",
    spacing_mm: float | list[float] = 1.0,
    interpolation: Interpolation = "linear",
    to: str = "resampled",
) -> Rows:
    """Resample to another distance between samples and keep the result under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    spacing_mm : float or one per axis
        New distance in mm, in pixels where the spacing is unknown; 0 leaves an axis as it is.
    interpolation : {"nearest", "linear", "cubic"}
        How values between samples are found.
    to : str
        Name of the result.
    """
    source = item.images[image]
    item.images[to] = resample.to_spacing(
        source, spacing_mm=spacing_mm, interpolation=interpolation, memory_bytes=item.context.memory_bytes
    )
    return []


def reorient(item: Item, *, image: str = "original", axes: str = "SPL", to: str = "reoriented") -> Rows:
    """Flip and exchange the axes of a volume and keep the result under a new name; a single slice stays as it is.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    axes : str
        Where the axes shall grow to: one each of S or I, P or A, L or R.
    to : str
        Name of the result.
    """
    source = item.images[image]
    item.images[to] = crop.reorient(source, axes=axes) if source.geometry.ndim == 3 else source
    return []


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "enhance.equalize", 1, "each", "images", ("image:{image}",), ("image:{to}",), equalize,
            megabytes_per_megavoxel=24,
        ),
        Stage(
            "enhance.clahe", 1, "each", "images", ("image:{image}",), ("image:{to}",), clahe,
            megabytes_per_megavoxel=40,
        ),
        Stage(
            "enhance.z_score", 1, "each", "images", ("image:{image}", "mask:{mask}"), ("image:{to}",), z_score,
            megabytes_per_megavoxel=24,
        ),
        Stage(
            "enhance.n4", 1, "each", "images", ("image:{image}",), ("image:{to}",), n4,
            megabytes_per_megavoxel=48,
        ),
        Stage(
            "resample.to_spacing", 1, "each", "images", ("image:{image}",), ("image:{to}",), to_spacing,
            megabytes_per_megavoxel=24,
        ),
        Stage(
            "resample.reorient", 1, "each", "images", ("image:{image}",), ("image:{to}",), reorient,
            megabytes_per_megavoxel=8,
        ),
    )
}  # fmt: skip

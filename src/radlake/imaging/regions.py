"""Masks that a step of a pipeline found: kept as regions of the item, as objects, and as rows of `masks`."""

from __future__ import annotations

from radlake.core.ids import derived_id
from radlake.core.image import Image, Region
from radlake.core.stage import Item, Row, Rows


def keep_regions(item: Item, to: str, found: list[tuple[str, Image]]) -> Rows:
    """Masks kept as regions under a name, and their rows of `masks`.

    Parameters
    ----------
    item : Item
        The image they lie on.
    to : str
        Name of the regions inside the chain.
    found : list of (name, mask)
        Names from our own vocabulary, each once.

    Returns
    -------
    rows : one per mask
    """
    item.regions[to] = [
        Region(mask, roi=roi, source="auto", id=derived_id("mask", item.id, to, roi)) for roi, mask in found
    ]
    return [("masks", mask_row(item, region)) for region in item.regions[to]]


def mask_row(item: Item, region: Region) -> Row:
    """The row of `masks` for a region, whose voxels go to the object store.

    Parameters
    ----------
    item : Item
        The image it lies on.
    region : Region
        With its id.
    """
    from radlake.formats.nifti import mask_bytes

    mask: Image = region.mask
    voxels = int(mask.array.sum())
    return {
        "owner": item.id,
        "mask_id": region.id,
        "image_id": item.id,
        "source": region.source,
        "roi": region.roi,
        "voxels": voxels,
        "volume_mm3": voxels * mask.geometry.voxel_volume if mask.geometry.calibrated else None,
        "object": item.context.objects.put(mask_bytes(mask), ".nii.gz"),
    }

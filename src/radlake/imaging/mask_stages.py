"""Steps `mask.*` that compare and join several masks of one image: agreement, majority, STAPLE."""

from __future__ import annotations

from dataclasses import asdict

from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import agreement as measures
from radlake.imaging import consensus
from radlake.imaging.regions import keep_regions


def agreement(item: Item, *, mask: str = "foreground", reference: str = "regions") -> Rows:
    """Measure how well each mask of one name agrees with each of another, in millimetres.

    Parameters
    ----------
    item : Item
        An image with its masks.
    mask : str
        Name of the masks to judge.
    reference : str
        Name of the masks to judge them by.
    """
    rows: Rows = []
    for ours in item.regions[mask]:
        for theirs in item.regions[reference]:
            try:
                found = asdict(measures.agreement(ours.mask, theirs.mask))
            except ItemError:  # both empty: nothing to compare
                continue
            key = {"owner": item.id, "image_id": item.id, "mask_id": ours.id, "reference_id": theirs.id}
            rows.append(("agreement", key | found))
    return rows


def majority(item: Item, *, mask: str = "foreground", to: str = "consensus") -> Rows:
    """Keep what more than half of the masks of a name hold, as a region and as an object.

    Parameters
    ----------
    item : Item
        An image with its masks.
    mask : str
        Name of the masks.
    to : str
        Name of the region.
    """
    return _consensus(item, to, consensus.majority(_masks(item, mask)))


def staple(item: Item, *, mask: str = "foreground", to: str = "consensus") -> Rows:
    """Keep what the masks of a name hold by STAPLE, each weighed by how reliable it seems, as a region and an object.

    `mask` and `to` as in `majority`.
    """
    masks = _masks(item, mask)
    return _consensus(item, to, consensus.likely(masks))


def _masks(item: Item, name: str) -> list[Image]:
    """All masks of a name, of which there is one at least."""
    if not item.regions[name]:
        raise ItemError("empty_mask")
    return [region.mask for region in item.regions[name]]


def _consensus(item: Item, to: str, mask: Image) -> Rows:
    """The joint mask as a region; none where it is empty."""
    return keep_regions(item, to, [("consensus", mask)] if mask.array.any() else [])


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "mask.agreement", 1, "each", "images", ("mask:{mask}", "mask:{reference}"), ("agreement",), agreement,
            megabytes_per_megavoxel=60,
        ),
        Stage(
            "mask.majority", 1, "each", "images", ("mask:{mask}",), ("mask:{to}", "masks"), majority,
            megabytes_per_megavoxel=8,
        ),
        Stage(
            "mask.staple", 1, "each", "images", ("mask:{mask}",), ("mask:{to}", "masks"), staple,
            megabytes_per_megavoxel=40,
        ),
    )
}  # fmt: skip

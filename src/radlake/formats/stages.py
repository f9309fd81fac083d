"""The door between formats and pipelines: files to headers, instances to images, images to pixels and masks."""

from __future__ import annotations

from radlake.core.fault import BrokenMembers, Fault, ItemError
from radlake.core.ids import derived_id
from radlake.core.image import BoolArray, Image, Region, RegionSource
from radlake.core.stage import Item, Row, Rows, Stage
from radlake.formats import Source, find_reader, load_image, load_regions, scan_file

_SOURCES: dict[str, RegionSource] = {"segmentation": "seg", "structures": "rtstruct", "label": "label"}


def scan(item: Item) -> Rows:
    """Read what a file holds into `item.headers`; identifying, so no row is made of them here.

    Members of an archive that cannot be read become faults of the unit "member"; the others go on.
    """
    problems: list[ItemError] = []
    source = Source(item.row["uri"])
    item.row["format"] = find_reader(source).name
    item.headers = scan_file(source, faults=problems)
    rows = [_fault_row(item.id, item.id, problem.fault("scan")) for problem in problems]
    return [("faults", r | {"unit": "member", "unit_id": f"{item.id}#unread{n}"}) for n, r in enumerate(rows)]


def series(item: Item) -> Rows:
    """Build the images of one series from its instances."""
    from radlake.formats.series import build

    built = build(item.members)
    rows: Rows = [("images", row) for row in built.images]
    rows += [("file_images", row) for row in built.file_images]
    rows.append(("series", built.series))
    return rows + [("faults", _fault_row(item.id, file_id, fault)) for file_id, fault in built.faults]


def load(item: Item) -> Rows:
    """Decode the pixels of an image into `item.images["original"]`.

    Raises
    ------
    BrokenMembers
        When some slices cannot be read: the image is built again without them.
    """
    try:
        item.images["original"] = load_image(item.members, item.row, memory_bytes=item.context.memory_bytes)
    except ItemError:
        _raise_for_members(item)
        raise
    return []


def _raise_for_members(item: Item) -> None:
    """Name the members at fault, when it is some and not all."""
    if len(item.members) < 2 or item.row["format"] != "dicom":
        return
    from radlake.formats.dicom.pixels import broken

    found = broken(item.members, item.row)
    if 0 < len(found) < len(item.members):  # copies that gave no pixels so far can take the place of a broken one
        raise BrokenMembers([(m["file_id"], m.get("member") or 0, error) for m, error in found])


def regions(item: Item) -> Rows:
    """Put the regions that refer to an image on its grid: `item.regions` by source, and rows of `masks`.

    A region file that cannot be used becomes a fault of that file; the image goes on.
    """
    image = item.images["original"]
    free = item.context.memory_bytes - image.array.nbytes
    rows: Rows = []
    for member in item.masks:
        try:
            found = load_regions(member, image, memory_bytes=free)
        except ItemError as error:
            rows.append(("faults", _fault_row(item.id, member["file_id"], error.fault("regions"))))
            continue
        free -= sum(mask.nbytes for _, mask in found)
        source = _SOURCES[member["role"]]
        for index, (roi, mask) in enumerate(found):
            region = _region(item, member, source, index, roi, mask)
            item.regions.setdefault(source, []).append(region)
            rows.append(("masks", _mask_row(item, member, region)))
    return rows


def _region(item: Item, member: Row, source: RegionSource, index: int, roi: str, mask: BoolArray) -> Region:
    """A mask with its name and id."""
    image = item.images["original"]
    number = member.get("member") or 0
    mask_id = derived_id("mask", item.id, member["file_id"], str(number), str(index))
    return Region(Image(mask, image.geometry, "label", "label"), roi, source, mask_id)


def _mask_row(item: Item, member: Row, region: Region) -> Row:
    """Row of `masks`; the mask itself goes to the object store, cropped and compressed."""
    from radlake.formats.nifti import mask_bytes

    voxels = int(region.mask.array.sum())
    geometry = region.mask.geometry
    return {
        "owner": item.id,
        "mask_id": region.id,
        "image_id": item.id,
        "file_id": member["file_id"],
        "source": region.source,
        "roi": region.roi,
        "voxels": voxels,
        "volume_mm3": voxels * geometry.voxel_volume if geometry.calibrated else None,
        "object": item.context.objects.put(mask_bytes(region.mask), ".nii.gz"),
    }


def _fault_row(owner: str, file_id: str, fault: Fault) -> Row:
    """Row of `faults` for one file."""
    return {
        "owner": owner,
        "unit": "file",
        "unit_id": file_id,
        "file_id": file_id,
        "stage": fault.stage,
        "code": fault.code,
        "message": fault.message,
        "hint": fault.hint,
        "ignored": fault.ignored,
    }


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("scan", 1, "each", "files", reads=(), adds=("headers",), function=scan),
        Stage("series", 1, "group", "series", ("instances",), ("images", "file_images", "series"), series),
        Stage("load", 1, "each", "images", ("images",), ("image:original",), load),
        Stage(
            "regions",
            1,
            "each",
            "images",
            reads=("image:original",),
            adds=("masks", "mask:seg", "mask:rtstruct", "mask:label"),
            function=regions,
            megabytes_per_megavoxel=1.0,
        ),
    )
}

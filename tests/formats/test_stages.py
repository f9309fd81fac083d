"""The stages in the order in which a run calls them, on a small series with a segmentation and a broken one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from radlake.core.schema import to_table
from radlake.core.stage import Context, Item, Row
from radlake.formats.nifti import read_mask
from radlake.formats.stages import STAGES

ReadRows = Callable[[Path], list[Row]]
WriteDicom = Callable[..., Path]


@dataclass
class _Objects:
    """Objects in memory."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def put(self, data: bytes, suffix: str) -> str:
        reference = f"object-{len(self.kept)}{suffix}"
        self.kept[reference] = data
        return reference

    def get(self, reference: str) -> bytes:
        return self.kept[reference]


@pytest.fixture
def context() -> Context:
    return Context(key=b"k" * 32, objects=_Objects())


@pytest.fixture
def image_item(context: Context, write_dicom: WriteDicom, read_rows: ReadRows) -> Item:
    """An image of three slices, loaded."""
    members = []
    for z in range(3):
        path = write_dicom(np.full((4, 5), z, np.uint16), name=f"{z}.dcm", ImagePositionPatient=[0.0, 0.0, 2.0 * z])
        members += read_rows(path)
    series = Item("series", "se-1", {}, context, members=[m | {"series_id": "se-1"} for m in members])
    rows = STAGES["series"].function(series)
    (image,) = [row for table, row in rows if table == "images"]
    joined = {r["file_id"]: r for table, r in rows if table == "file_images"}
    item = Item("images", image["image_id"], image, context)
    item.members = [m | {"frames": joined[m["file_id"]]["frames"]} for m in members]
    assert STAGES["load"].function(item) == []
    return item


def test_scan_leaves_headers_and_no_row(context: Context, write_dicom: WriteDicom) -> None:
    item = Item("files", "fi-1", {"uri": str(write_dicom(np.zeros((2, 2), np.uint8)))}, context)
    assert STAGES["scan"].function(item) == []
    assert [h.role for h in item.headers] == ["image"]


def test_series_makes_rows_that_fit_their_tables(
    context: Context, write_dicom: WriteDicom, read_rows: ReadRows
) -> None:
    members = [m | {"series_id": "se-1"} for m in read_rows(write_dicom(np.zeros((2, 2), np.uint8)))]
    broken = members[0] | {"file_id": "fi-2", "rows": 0}
    rows = STAGES["series"].function(Item("series", "se-1", {}, context, members=[*members, broken]))
    assert [table for table, _ in rows] == ["images", "file_images", "series", "faults"]
    assert all(to_table(table, [row]).num_rows == 1 for table, row in rows)
    assert rows[-1][1]["file_id"] == "fi-2"


def test_load_puts_the_original_into_the_item(image_item: Item) -> None:
    assert image_item.images["original"].array[:, 0, 0].tolist() == [0, 1, 2]


def _label(image_item: Item, path: Path, mask: np.ndarray) -> Row:
    """Row of a label map on the image's grid."""
    np.save(path, mask.astype(np.uint8))
    return {"uri": str(path), "file_id": "fi-label", "member": 0, "format": "npy", "role": "label", "rois": []}


def test_regions_are_kept_as_rows_objects_and_masks(image_item: Item, tmp_path: Path) -> None:
    mask = np.zeros((3, 4, 5), bool)
    mask[1, 1:3, 2:4] = True
    image_item.masks = [_label(image_item, tmp_path / "label.npy", mask)]
    ((table, row),) = STAGES["regions"].function(image_item)
    assert table == "masks"
    assert to_table("masks", [row]).num_rows == 1
    assert (row["source"], row["roi"], row["voxels"], row["volume_mm3"]) == ("label", "label_1", 4, 8.0)
    (region,) = image_item.regions["label"]
    assert region.id == row["mask_id"]
    assert (region.mask.array == mask).all()
    stored = read_mask(image_item.context.objects.get(row["object"]))
    assert stored.array.sum() == 4


def test_a_region_file_that_cannot_be_used_is_a_fault_of_that_file(image_item: Item, tmp_path: Path) -> None:
    broken = tmp_path / "seg.dcm"
    broken.write_bytes(b"\0" * 128 + b"DICM" + bytes(50))
    row = {"uri": str(broken), "file_id": "fi-seg", "member": 0, "format": "dicom", "role": "segmentation"}
    image_item.masks = [row | {"rois": ["liver"], "rows": 4, "columns": 5, "bits_allocated": 1}]
    ((table, fault),) = STAGES["regions"].function(image_item)
    assert table == "faults"
    assert to_table("faults", [fault]).num_rows == 1
    assert (fault["unit"], fault["file_id"], fault["stage"]) == ("file", "fi-seg", "regions")
    assert image_item.regions == {}


def test_ids_of_masks_do_not_depend_on_the_run(image_item: Item, tmp_path: Path) -> None:
    image_item.masks = [_label(image_item, tmp_path / "label.npy", np.ones((3, 4, 5)))]
    first, second = (STAGES["regions"].function(image_item)[0][1]["mask_id"] for _ in range(2))
    assert first == second

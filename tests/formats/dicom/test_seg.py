"""Segmentations on the grid of their image: placed by position, against highdicom's writer and dcmqi's files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.sr.codedict import codes

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.core.stage import Row
from radlake.formats.dicom.seg import load_regions

ReadRows = Callable[[Path], list[Row]]
WriteDicom = Callable[..., Path]
LoadImages = Callable[..., list[tuple[Row, Image]]]
GRID = Geometry((2.0, 0.5, 0.5), origin=(-3.0, 4.0, 10.0))
SHAPE = (4, 6, 8)


@pytest.fixture
def slices(write_dicom: WriteDicom) -> list[Path]:
    """A CT series of four slices on `GRID`."""
    return [
        write_dicom(
            np.full(SHAPE[1:], z, np.uint16),
            name=f"ct{z}.dcm",
            ImagePositionPatient=[-3.0, 4.0, 10.0 + 2.0 * z],
            PixelSpacing=[0.5, 0.5],
            SliceThickness=2.0,
            InstanceNumber=z + 1,
            PatientSex="O",
            PatientBirthDate="",
            StudyDate="",
            StudyTime="",
            StudyID="1",
            AccessionNumber="",
            Manufacturer="m",
            SeriesNumber=1,
        )
        for z in range(SHAPE[0])
    ]


@pytest.fixture
def image(slices: list[Path], read_rows: ReadRows, load_images: LoadImages) -> Image:
    ((_, image),) = load_images([r for p in slices for r in read_rows(p)])
    assert np.allclose(image.geometry.affine, GRID.affine)
    return image


@pytest.fixture
def write_seg(slices: list[Path], tmp_path: Path) -> Callable[..., Path]:
    """Function that writes a SEG object for the series with highdicom."""

    def write(masks: np.ndarray, kind: str, segments: int, **options: Any) -> Path:
        description = [
            hd.seg.SegmentDescription(
                segment_number=n + 1,
                segment_label=f"part {n + 1}",
                segmented_property_category=codes.SCT.Organ,
                segmented_property_type=codes.SCT.Liver,
                algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
            for n in range(segments)
        ]
        seg = hd.seg.Segmentation(
            source_images=[dcmread(p) for p in slices],
            pixel_array=masks,
            segmentation_type=kind,
            segment_descriptions=description,
            series_instance_uid=hd.UID(),
            series_number=2,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer="m",
            manufacturer_model_name="m",
            software_versions="1",
            device_serial_number="1",
            **options,
        )
        path = tmp_path / "seg.dcm"
        seg.save_as(path)
        return path

    return write


@pytest.fixture
def masks() -> np.ndarray:
    """Two overlapping segments, (z, y, x, segment); the first one leaves slices empty."""
    found = np.zeros((*SHAPE, 2), bool)
    found[2, 1:4, 2:7, 0] = True
    found[1:4, 2:5, 4:8, 1] = True
    return found


def test_overlapping_binary_segments_come_back(
    image: Image, write_seg: Callable[..., Path], read_rows: ReadRows, masks: np.ndarray
) -> None:
    (row,) = read_rows(write_seg(masks, "BINARY", 2))
    found = load_regions(row, image)
    assert [name for name, _ in found] == ["part 1", "part 2"]
    assert all((mask == masks[..., n]).all() for n, (_, mask) in enumerate(found))


def test_fractions_count_from_one_half(image: Image, write_seg: Callable[..., Path], read_rows: ReadRows) -> None:
    fractions = np.zeros(SHAPE)
    fractions[1, 2, 2:6] = [0.2, 0.49, 0.5, 0.9]
    (row,) = read_rows(write_seg(fractions[..., None], "FRACTIONAL", 1, max_fractional_value=200))
    ((_, mask),) = load_regions(row, image)
    assert np.argwhere(mask).tolist() == [[1, 2, 4], [1, 2, 5]]


def test_label_maps_give_a_mask_for_each_segment(
    image: Image, write_seg: Callable[..., Path], read_rows: ReadRows
) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, :2], labels[3, 4:] = 1, 2
    (row,) = read_rows(write_seg(labels, "LABELMAP", 2))
    found = dict(load_regions(row, image))
    assert (found["part 1"] == (labels == 1)).all()
    assert (found["part 2"] == (labels == 2)).all()


def test_a_part_of_the_field_is_placed_and_cut_at_the_border(
    image: Image, write_seg: Callable[..., Path], read_rows: ReadRows, masks: np.ndarray
) -> None:
    (row,) = read_rows(write_seg(masks, "BINARY", 2))
    cropped = Image(image.array[1:3, 2:, :6], Geometry((2.0, 0.5, 0.5), origin=(-3.0, 5.0, 12.0)), "ct", "HU")
    found = load_regions(row, cropped)
    assert (found[0][1] == masks[1:3, 2:, :6, 0]).all()
    assert (found[1][1] == masks[1:3, 2:, :6, 1]).all()


def test_another_grid_is_sampled_at_the_nearest_neighbour(
    image: Image, write_seg: Callable[..., Path], read_rows: ReadRows, masks: np.ndarray
) -> None:
    (row,) = read_rows(write_seg(masks, "BINARY", 2))
    fine = Image(np.zeros((8, 12, 16), np.int16), Geometry((1.0, 0.25, 0.25), origin=(-3.1, 3.9, 9.6)), "ct", "HU")
    found = dict(load_regions(row, fine))
    index = np.stack(np.meshgrid(*map(np.arange, fine.array.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    place = index * [1.0, 0.25, 0.25] + [9.6 - 10.0, 3.9 - 4.0, -3.1 + 3.0]
    nearest = np.rint(place / [2.0, 0.5, 0.5]).astype(int)
    inside = ((nearest >= 0) & (nearest < SHAPE)).all(axis=1)
    expected = np.zeros(len(index), bool)
    expected[inside] = masks[(*nearest[inside].T, 1)]
    assert (found["part 2"].reshape(-1) == expected).mean() > 0.99  # halves may round either way
    assert found["part 2"].sum() > 0


def test_a_segmentation_elsewhere_is_misaligned(
    image: Image, write_seg: Callable[..., Path], read_rows: ReadRows, masks: np.ndarray
) -> None:
    (row,) = read_rows(write_seg(masks, "BINARY", 2))
    elsewhere = Image(image.array, Geometry((2.0, 0.5, 0.5), origin=(500.0, 4.0, 10.0)), "ct", "HU")
    with pytest.raises(ItemError) as error:
        load_regions(row, elsewhere)
    assert error.value.code == "misaligned_mask"


def test_masks_beyond_the_memory_limit_are_refused(
    image: Image, write_seg: Callable[..., Path], read_rows: ReadRows, masks: np.ndarray
) -> None:
    (row,) = read_rows(write_seg(masks, "BINARY", 2))
    with pytest.raises(ItemError, match="needs about"):
        load_regions(row, image, memory_bytes=100)


def _regions(folder: Path, name: str, read_rows: ReadRows, load_images: LoadImages, images: Sequence[str]) -> dict:
    """Regions of a real SEG on the series that it refers to."""
    ((_, image),) = load_images([r for n in images for r in read_rows(folder / n)])
    return dict(load_regions(read_rows(folder / name)[0], image))


def test_a_real_liver_has_the_voxels_of_its_frames(shared: Path, read_rows: ReadRows, load_images: LoadImages) -> None:
    folder = shared / "dicom" / "dcmqi_seg_sr_pm"
    found = _regions(folder, "liver.dcm", read_rows, load_images, [f"ct-3slice_0{n}.dcm" for n in (1, 2, 3)])
    assert found["Liver"].sum() == dcmread(folder / "liver.dcm").pixel_array.sum()


def test_real_overlapping_segments_are_told_apart(shared: Path, read_rows: ReadRows, load_images: LoadImages) -> None:
    folder = shared / "dicom" / "dcmqi_seg_sr_pm"
    found = _regions(folder, "partial_overlaps.dcm", read_rows, load_images, [f"ct-3slice_0{n}.dcm" for n in (1, 2, 3)])
    ds = dcmread(folder / "partial_overlaps.dcm")
    counts: dict[int, int] = {}
    for frame, group in zip(ds.pixel_array, ds.PerFrameFunctionalGroupsSequence, strict=True):
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        counts[number] = counts.get(number, 0) + int(frame.sum())
    assert [int(m.sum()) for m in found.values()] == [counts[n] for n in sorted(counts)]


def test_a_tiled_slide_is_named_as_unsupported(shared: Path, read_rows: ReadRows) -> None:
    (row,) = read_rows(shared / "dicom" / "highdicom_seg_sr_sm" / "seg_image_sm_control.dcm")
    plane = Image(np.zeros((10, 10, 3), np.uint8), Geometry((1.0, 1.0)), "optical", channel_axis=2)
    with pytest.raises(ItemError, match="tiled whole-slide"):
        load_regions(row, plane)

"""Structure sets on the grid of their image, against the published masks of two reference data sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from radlake.core.fault import ItemError
from radlake.core.image import BoolArray, Geometry, Image
from radlake.core.stage import Row
from radlake.formats.dicom.rtstruct import load_regions

ReadRows = Callable[[Path], list[Row]]
LoadImages = Callable[..., list[tuple[Row, Image]]]
PLANE = Image(np.zeros((3, 8, 8), np.int16), Geometry((2.0, 1.0, 1.0)), "ct", "HU")


def _square(low: float, high: float, z: float) -> list[float]:
    """Corners of a square in one slice."""
    return [low, low, z, high, low, z, high, high, z, low, high, z]


@pytest.fixture
def write_structures(tmp_path: Path) -> Callable[..., Row]:
    """Function that writes structures, (name, [(type, coordinates), ...]), and gives the row of the file."""

    def write(structures: list[tuple[str, list[tuple[str, list[float]]]]]) -> Row:
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = RTStructureSetStorage, generate_uid()
        ds.Modality = "RTSTRUCT"
        ds.StructureSetROISequence, ds.ROIContourSequence = [], []
        for number, (name, contours) in enumerate(structures, 1):
            roi, outline = Dataset(), Dataset()
            roi.ROINumber, roi.ROIName = number, name
            outline.ReferencedROINumber, outline.ContourSequence = number, []
            for kind, points in contours:
                contour = Dataset()
                contour.ContourGeometricType, contour.ContourData = kind, points
                contour.NumberOfContourPoints = len(points) // 3
                outline.ContourSequence.append(contour)
            ds.StructureSetROISequence.append(roi)
            ds.ROIContourSequence.insert(0, outline)  # another order than the names: they are joined by number
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = tmp_path / "structures.dcm"
        ds.save_as(path, enforce_file_format=True)
        return {"uri": str(path), "rois": [name for name, _ in structures]}

    return write


def test_a_square_holds_the_voxels_whose_centres_it_encloses(write_structures: Callable[..., Row]) -> None:
    row = write_structures([("tumour", [("CLOSED_PLANAR", _square(1.5, 4.5, 2.0))])])
    ((name, mask),) = load_regions(row, PLANE)
    assert name == "tumour"
    assert mask.sum() == 9
    assert np.argwhere(mask).min(axis=0).tolist() == [1, 2, 2]


def test_an_outline_inside_another_is_a_hole(write_structures: Callable[..., Row]) -> None:
    outlines = [("CLOSED_PLANAR", _square(0.5, 6.5, 0.0)), ("CLOSED_PLANAR", _square(2.5, 4.5, 0.0))]
    ((_, mask),) = load_regions(write_structures([("ring", outlines)]), PLANE)
    assert mask.sum() == 36 - 4


def test_names_follow_the_numbers_and_points_are_left_out(write_structures: Callable[..., Row]) -> None:
    row = write_structures(
        [
            ("first", [("CLOSED_PLANAR", _square(0.5, 1.5, 0.0))]),
            ("isocentre", [("POINT", [1.0, 1.0, 0.0])]),
            ("second", [("CLOSED_PLANAR", _square(0.5, 2.5, 0.0))]),
        ]
    )
    assert [(name, int(mask.sum())) for name, mask in load_regions(row, PLANE)] == [("first", 1), ("second", 4)]


def test_only_points_are_unsupported(write_structures: Callable[..., Row]) -> None:
    row = write_structures([("isocentre", [("POINT", [1.0, 1.0, 0.0])])])
    with pytest.raises(ItemError, match="points or open lines"):
        load_regions(row, PLANE)


def test_structures_outside_the_image_are_empty(write_structures: Callable[..., Row]) -> None:
    row = write_structures([("far", [("CLOSED_PLANAR", _square(0.5, 1.5, 400.0))])])
    with pytest.raises(ItemError, match="holds no voxel"):
        load_regions(row, PLANE)


def test_coordinates_that_are_no_triples_are_contradictory(write_structures: Callable[..., Row]) -> None:
    row = write_structures([("odd", [("CLOSED_PLANAR", [1.0, 2.0, 3.0, 4.0])])])
    with pytest.raises(ItemError, match="coordinates of an outline"):
        load_regions(row, PLANE)


def test_a_single_slice_takes_the_outlines_of_its_plane(write_structures: Callable[..., Row]) -> None:
    row = write_structures([("tumour", [("CLOSED_PLANAR", _square(1.5, 4.5, 2.0))])])
    slice_ = Image(np.zeros((8, 8), np.int16), Geometry((1.0, 1.0), origin=(0.0, 0.0, 2.0)), "ct", "HU")
    ((_, mask),) = load_regions(row, slice_)
    assert mask.shape == (8, 8)
    assert mask.sum() == 9


def test_an_image_without_spacing_cannot_hold_structures(write_structures: Callable[..., Row]) -> None:
    row = write_structures([("tumour", [("CLOSED_PLANAR", _square(1.5, 4.5, 2.0))])])
    picture = Image(np.zeros((8, 8)), Geometry((1.0, 1.0), calibrated=False))
    with pytest.raises(ItemError, match="no physical spacing"):
        load_regions(row, picture)


def _mask(folder: Path, read_rows: ReadRows, load_images: LoadImages) -> BoolArray:
    """The only structure under a folder with `image` and `mask`."""
    ((_, image),) = load_images([r for f in sorted((folder / "image").iterdir()) for r in read_rows(f)])
    (path,) = (folder / "mask").iterdir()
    ((_, mask),) = load_regions(read_rows(path)[0], image)
    return mask


def _published(path: Path) -> BoolArray:
    """A published mask in our order of axes: z, y, x towards head, back and left."""
    canonical = nib.as_closest_canonical(nib.load(path))
    return np.asarray(canonical.dataobj).transpose(2, 1, 0)[:, ::-1, ::-1] > 0


@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
@pytest.mark.parametrize("patient", ["STS_002", "STS_008"])
def test_sarcoma_structures_equal_the_published_masks(
    shared: Path, read_rows: ReadRows, load_images: LoadImages, patient: str, modality: str
) -> None:
    ours = _mask(shared / "ibsi_sts" / "dicom" / patient / modality, read_rows, load_images)
    theirs = _published(shared / "ibsi_sts" / "nifti" / patient / f"{modality}_mask.nii.gz")
    assert np.array_equal(ours, theirs)


def test_the_lung_phantom_differs_in_three_of_125256_voxels(
    shared: Path, read_rows: ReadRows, load_images: LoadImages
) -> None:
    folder = shared / "ibsi" / "ibsi1_ct_phantom"
    ours = _mask(folder / "dicom", read_rows, load_images)
    theirs = _published(folder / "nifti" / "mask" / "mask.nii.gz")
    assert theirs.sum() == 125_256
    assert (ours ^ theirs).sum() <= 3  # voxel centres that lie on the outline

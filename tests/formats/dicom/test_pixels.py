"""Values of whole images: units, time, colour, mosaics of types, and what is refused before memory is taken."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from pydicom import data, dcmread

from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.formats.dicom.elements import silent_pydicom
from radlake.formats.dicom.pixels import load
from radlake.formats.series import build

ReadRows = Callable[[Path], list[Row]]
WriteDicom = Callable[..., Path]
LoadImages = Callable[..., list[tuple[Row, Image]]]
WHEEL = Path(data.__file__).parent / "test_files"


@pytest.fixture
def load_one(write_dicom: WriteDicom, read_rows: ReadRows, load_images: LoadImages) -> Callable[..., Image]:
    """Function that writes one file with `write_dicom` and loads its only image."""

    def load_it(array: np.ndarray, **attributes: Any) -> Image:
        ((_, image),) = load_images(read_rows(write_dicom(array, **attributes)))
        return image

    return load_it


def test_ct_values_are_hounsfield_units_in_int16(load_one: Callable[..., Image]) -> None:
    image = load_one(np.array([[0, 1024]], np.uint16), BitsStored=12, RescaleSlope=1, RescaleIntercept=-1024)
    assert (image.unit, image.kind, image.array.dtype) == ("HU", "ct", np.int16)
    assert image.array.tolist() == [[-1024, 0]]


def test_values_beyond_int16_are_widened(load_one: Callable[..., Image]) -> None:
    image = load_one(np.array([[0, 65535]], np.uint16), RescaleSlope=1, RescaleIntercept=-1024)
    assert image.array.dtype == np.int32
    assert image.array.tolist() == [[-1024, 64511]]


def test_sixteen_bits_stay_int16_when_the_values_allow_it(load_one: Callable[..., Image]) -> None:
    image = load_one(np.array([[24, 4000]], np.uint16), RescaleSlope=1, RescaleIntercept=-1024)
    assert image.array.dtype == np.int16


def test_slices_are_read_in_the_order_of_their_places(
    write_dicom: WriteDicom, read_rows: ReadRows, load_images: LoadImages
) -> None:
    rows = []
    for number, z in enumerate([4.0, 0.0, 2.0]):
        path = write_dicom(np.full((2, 2), int(z), np.uint16), name=f"{number}.dcm", ImagePositionPatient=[0.0, 0.0, z])
        rows += read_rows(path)
    ((_, image),) = load_images(rows)
    assert image.array[:, 0, 0].tolist() == [0, 2, 4]
    assert image.geometry.spacing == (2.0, 1.0, 1.0)


def test_monochrome1_is_turned_so_that_bright_means_more(load_one: Callable[..., Image]) -> None:
    image = load_one(
        np.array([[0, 1000]], np.uint16),
        BitsStored=12,
        PhotometricInterpretation="MONOCHROME1",
        Modality="CR",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.1",
        WindowCenter=1000,
        WindowWidth=500,
    )
    assert image.array.tolist() == [[4095, 3095]]
    assert image.window == (3095.0, 500.0)


def test_padding_is_given_in_the_unit_of_the_image(load_one: Callable[..., Image]) -> None:
    image = load_one(np.array([[-2000, 24]], np.int16), RescaleIntercept=-1000, RescaleSlope=1, PixelPaddingValue=-2000)
    assert image.padding == -3000.0


def test_a_colour_loop_has_time_first_and_colour_last(load_one: Callable[..., Image]) -> None:
    array = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    image = load_one(array, colour=True, Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1")
    assert (image.time_axis, image.channel_axis, image.array.dtype) == (0, 3, np.uint8)
    assert (image.array == array).all()


def test_frames_with_their_own_rescale_use_it(shared: Path, read_rows: ReadRows, load_images: LoadImages) -> None:
    path = shared / "dicom" / "enhanced_mr" / "Philips_IM_0027_fMAP.dcm"
    with silent_pydicom():
        ds = dcmread(path)
        own = [g.PixelValueTransformationSequence[0] for g in ds.PerFrameFunctionalGroupsSequence]
        expected = [
            frame * float(o.RescaleSlope) + float(o.RescaleIntercept)
            for frame, o in zip(ds.pixel_array, own, strict=True)
        ]
    loaded = load_images(read_rows(path))
    assert [i["slices"] for i, _ in loaded] == [32, 32]
    ours = sorted(float(image.array[z].sum()) for _, image in loaded for z in range(32))
    assert ours == pytest.approx(sorted(float(f.sum()) for f in expected), rel=1e-5, abs=0.1)  # float32 sums


def test_pet_values_equal_the_published_suv(shared: Path, read_rows: ReadRows, load_images: LoadImages) -> None:
    folder = shared / "pet_suv"
    ((_, image),) = load_images([r for f in sorted((folder / "raw_dicom").iterdir()) for r in read_rows(f)])
    published = nib.load(folder / "published_suv" / "PET_image.nii.gz")
    to_theirs = np.linalg.inv(np.diag([-1, -1, 1, 1]) @ published.affine) @ image.geometry.affine  # RAS to LPS
    index = np.indices(image.array.shape).reshape(3, -1)
    found = np.rint(to_theirs @ np.vstack([index, np.ones(index.shape[1])]))[:3].astype(int)
    inside = ((found >= 0) & (found < np.array(published.shape)[:, None])).all(axis=0)
    theirs = np.asarray(published.dataobj)[tuple(found[:, inside])]
    ours = image.array.reshape(-1)[inside]
    assert image.unit == "SUVbw"
    assert inside.sum() > 80_000
    assert np.median(ours[theirs > 0.05] / theirs[theirs > 0.05]) == pytest.approx(1.0, abs=1e-4)
    mask = np.asarray(nib.load(folder / "published_suv" / "PET_mask.nii.gz").dataobj)[tuple(found[:, inside])] > 0
    assert (mask.sum(), round(float(ours[mask].mean()), 4)) == (5095, 2.5552)


@pytest.mark.parametrize(("patient", "modality"), [("STS_002", "CT"), ("STS_008", "PET"), ("STS_002", "MR_T1")])
def test_dicom_series_equal_the_published_nifti(
    shared: Path, read_rows: ReadRows, load_images: LoadImages, patient: str, modality: str
) -> None:
    folder = shared / "ibsi_sts" / "dicom" / patient / modality / "image"
    ((_, image),) = load_images([r for f in sorted(folder.iterdir()) for r in read_rows(f)])
    published = nib.load(shared / "ibsi_sts" / "nifti" / patient / f"{modality}_image.nii.gz")
    theirs = nib.as_closest_canonical(published)  # right, front, up; ours is left, back, up
    values = np.asarray(theirs.dataobj).transpose(2, 1, 0)[:, ::-1, ::-1]
    assert np.abs(image.array - values).max() < 1e-5
    assert image.geometry.spacing == pytest.approx(theirs.header.get_zooms()[::-1], rel=1e-5)


def test_too_large_is_refused_before_memory_is_taken(write_dicom: WriteDicom, read_rows: ReadRows) -> None:
    rows = read_rows(write_dicom(np.zeros((4, 4), np.uint16)))
    image = build(rows).images[0] | {"estimated_bytes": 3 << 30}
    with pytest.raises(ItemError, match="needs about 3072 MiB, the limit is 1024 MiB"):
        load(rows, image, memory_bytes=1 << 30)


def test_fewer_frames_than_announced_are_a_fault(write_dicom: WriteDicom, read_rows: ReadRows) -> None:
    rows = read_rows(write_dicom(np.zeros((4, 4), np.uint16)))
    image = build(rows).images[0] | {"slices": 2, "spacing_z": 1.0, "direction": [0, 0, 1.0, 0, 1, 0, 1, 0, 0]}
    with pytest.raises(ItemError, match="expected 2 frames, found 1"):
        load([r | {"frames": None} for r in rows], image)


def test_an_image_whose_members_give_nothing_has_no_pixels(write_dicom: WriteDicom, read_rows: ReadRows) -> None:
    rows = read_rows(write_dicom(np.zeros((4, 4), np.uint16)))
    with pytest.raises(ItemError) as error:
        load([r | {"frames": []} for r in rows], build(rows).images[0])
    assert error.value.code == "no_pixels"


@pytest.mark.parametrize(
    "name",
    [
        "examples_palette.dcm",
        "examples_ybr_color.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "rtdose_rle.dcm",
        "MR_small_bigendian.dcm",
    ],
)
def test_real_files_of_many_kinds_load(name: str, read_rows: ReadRows, load_images: LoadImages) -> None:
    ((row, image),) = load_images(read_rows(WHEEL / name))
    assert image.array.shape[: image.array.ndim - bool(row["channels"])][-2:] == (row["rows"], row["columns"])
    assert np.ptp(image.array) > 0


def test_loading_needs_little_more_than_the_array_itself(write_dicom: WriteDicom, read_rows: ReadRows) -> None:
    (row,) = read_rows(write_dicom(np.zeros((100, 512, 512), np.uint16), BitsStored=12, RescaleIntercept=-1024))
    (image,) = build([row]).images
    tracemalloc.start()
    loaded = load([row | {"frames": None}], image)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert loaded.array.nbytes == 100 * 512 * 512 * 2
    assert peak < min(1.1 * loaded.array.nbytes, image["estimated_bytes"] + (1 << 20))

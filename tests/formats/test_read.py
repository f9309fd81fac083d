from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import radlake
from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.formats.nifti import to_bytes
from radlake.formats.read import read_image


def volume(value: int) -> bytes:
    return to_bytes(Image(np.full((2, 3, 4), value, np.int16), Geometry((3.0, 2.0, 1.0))))


def test_a_file_in_a_path_with_spaces_and_chinese_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "我的 扫描 (1)"
    folder.mkdir()
    (folder / "肺 a.nii.gz").write_bytes(volume(7))
    (folder / "notes.txt").write_text("nothing")
    for path in (folder, folder / "肺 a.nii.gz", str(folder)):
        image = radlake.read_image(path)
        assert (image.array.shape, image.array.max()) == ((2, 3, 4), 7)
        assert image.geometry.spacing == (3.0, 2.0, 1.0)


def test_several_images_are_listed_and_one_can_be_chosen(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.nii.gz").write_bytes(volume(ord(name)))
    with pytest.raises(ValueError, match="2 images") as caught:
        read_image(tmp_path)
    assert "series=1: OT 2 x 3 x 4 from 1 file(s)" in str(caught.value)
    assert read_image(tmp_path, series=0).array[0, 0, 0] == ord("a")
    assert read_image(tmp_path, series=1).array[0, 0, 0] == ord("b")
    with pytest.raises(ValueError, match="choose one"):
        read_image(tmp_path, series=2)


def test_a_label_map_beside_its_image_is_no_second_image(tmp_path: Path) -> None:
    for name in ("ct.nii.gz", "ct_seg.nii.gz"):
        (tmp_path / name).write_bytes(volume(1))
    assert read_image(tmp_path).kind == "ct"


def test_a_folder_without_an_image_raises_the_problem_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing")
    (tmp_path / "z.nii.gz").write_bytes(volume(1)[:30])
    with pytest.raises(ItemError) as caught:
        read_image(tmp_path)
    assert caught.value.code == "damaged_archive"
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "absent")


def test_a_dicom_file_has_hounsfield_units() -> None:
    image = read_image(str(get_testdata_file("CT_small.dcm")))
    assert (image.unit, image.array.shape) == ("HU", (128, 128))


def test_slices_without_series_uid_stack_by_folder(shared: Path) -> None:
    image = read_image(shared / "dicom" / "series" / "ct_body_20_j2k")
    assert image.array.shape == (20, 512, 512)
    assert image.geometry.spacing[0] == pytest.approx(2.0)

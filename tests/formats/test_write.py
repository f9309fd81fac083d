"""Files that are written: values and place come back, and nothing is written that does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.formats.read import read_image
from radlake.formats.write import CannotWrite, check_target, write_image

VOLUME = Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), Geometry((3.0, 0.5, 0.5), origin=(5.0, -6.0, 7.0)))


@pytest.mark.parametrize("name", ["图 1.nii.gz", "图 1.nii"])
def test_a_volume_comes_back_from_nifti_with_its_place(tmp_path: Path, name: str) -> None:
    write_image(VOLUME, tmp_path / name)
    back = read_image(tmp_path / name)
    np.testing.assert_array_equal(back.array, VOLUME.array)
    np.testing.assert_allclose(back.geometry.affine, VOLUME.geometry.affine, atol=1e-5)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert ((tmp_path / name).read_bytes()[:2] == b"\x1f\x8b") == name.endswith(".gz")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.bool_])
def test_a_picture_comes_back_from_png(tmp_path: Path, dtype: type) -> None:
    picture = Image((np.arange(12).reshape(3, 4) % 2).astype(dtype), Geometry((1.0, 1.0)))
    write_image(picture, tmp_path / "a.png")
    back = read_image(tmp_path / "a.png").array
    np.testing.assert_array_equal(back, picture.array * (255 if dtype is np.bool_ else 1))


@pytest.mark.parametrize(("name", "words"), [("a.png", "write .nii.gz"), ("a.jpg", "no writer"), ("a", "none")])
def test_what_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(CannotWrite, match=words):
        write_image(VOLUME, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_an_older_file_survives_a_failed_write(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(CannotWrite):
        write_image(VOLUME, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"old"


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_volumes_planes_masks_and_colours_come_back_from_itk_formats(tmp_path: Path, suffix: str) -> None:
    turned = Geometry((3.0, 0.5, 0.5), (5.0, -6.0, 7.0), ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (-1.0, 0.0, 0.0)))
    path = tmp_path / f"图{suffix}"
    for array in (VOLUME.array, VOLUME.array > 11, VOLUME.array.astype(np.float32) / 3):
        write_image(Image(array, turned), path)
        back = read_image(path)
        np.testing.assert_array_equal(back.array, array)
        np.testing.assert_allclose(back.geometry.affine, turned.affine, atol=1e-6)
    plane = Image(VOLUME.array[0], Geometry((0.5, 0.4), (1.0, 2.0, 3.0)))
    write_image(plane, path)
    back = read_image(path)
    np.testing.assert_array_equal(back.array.reshape(plane.array.shape), plane.array)
    assert back.geometry.origin == pytest.approx((1.0, 2.0, 3.0))
    with pytest.raises(CannotWrite, match="one time point"):
        write_image(Image(np.zeros((2, 3, 4), np.int16), Geometry((1.0, 1.0)), time_axis=0), path)


def test_the_nearest_ending_is_suggested() -> None:
    with pytest.raises(CannotWrite, match=r"did you mean \.nrrd"):
        check_target(Path("a.nrd"))
    with pytest.raises(CannotWrite, match=r"did you mean \.png"):
        check_target(Path("side.jpg"), (".png",))
    check_target(Path("a.DCM"), (".dcm",))


def test_a_folder_that_is_not_there_is_named_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"there is no folder '.*no such' to write 'a.nrrd' into; make it first"):
        check_target(tmp_path / "no such" / "a.nrrd")
    check_target(tmp_path / "a.nrrd")

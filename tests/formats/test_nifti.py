from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import Ignored, ItemError
from radlake.core.image import Geometry, Image
from radlake.formats import nifti
from radlake.formats.source import Source

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
TILTED = ((0.0, -0.6, 0.8), (0.0, 0.8, 0.6), (1.0, 0.0, 0.0))


def load(path: Path | str, memory_bytes: int = 1 << 30) -> Image:
    header = nifti.scan(Source(str(path)))[0]
    return nifti.load([header.values | {"uri": str(path)}], {}, memory_bytes=memory_bytes)


def lps(image: Image) -> Any:
    """The image's affine with the file's axis order, comparable with nibabel's."""
    return image.geometry.affine[:, [2, 1, 0, 3]]


def assert_equals_nibabel(path: Path) -> None:
    image, oracle = load(path), nibabel.load(path)
    np.testing.assert_allclose(lps(image), RAS_TO_LPS @ oracle.affine, atol=1e-4)  # single precision in the file
    np.testing.assert_allclose(image.array, np.asanyarray(oracle.dataobj).T, rtol=1e-6)


def saved(path: Path, array: np.ndarray, *, version: int = 1, order: str = "<", **fields: Any) -> Path:
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    image = kind(array, np.diag([2.0, 3.0, 4.0, 1.0]))
    if order == ">":
        image = kind(array, image.affine, image.header.as_byteswapped(">"))
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def patched(path: Path, offset: int, layout: str, *values: float) -> Path:
    data = bytearray(path.read_bytes())
    struct.pack_into(layout, data, offset, *values)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8", "u2"])
def test_reads_what_nibabel_reads(tmp_path: Path, name: str, dtype: str) -> None:
    array = np.arange(60).reshape(5, 4, 3).astype(dtype)
    path = saved(tmp_path / name, array)
    assert_equals_nibabel(path.with_suffix(".hdr") if name == "a.img" else path)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
def test_reads_both_versions_in_both_byte_orders(tmp_path: Path, version: int, order: str) -> None:
    path = saved(tmp_path / "a.nii", np.arange(24, dtype=np.int16).reshape(2, 3, 4), version=version, order=order)
    assert_equals_nibabel(path)
    assert load(path).array.dtype.isnative


@settings(max_examples=40)
@given(
    st.tuples(*[st.floats(-0.55, 0.55)] * 3),
    st.tuples(*[st.floats(0.1, 9)] * 3),
    st.sampled_from([-1.0, 1.0]),
)
def test_the_quaternion_form_gives_nibabels_affine(
    b_c_d: tuple[float, ...], steps: tuple[float, ...], qfac: float
) -> None:
    header = nibabel.Nifti1Header()
    header.set_data_shape((4, 5, 6))
    header["pixdim"] = [qfac, *steps, 1, 1, 1, 1]
    header["quatern_b"], header["quatern_c"], header["quatern_d"] = b_c_d
    header["qoffset_x"], header["qoffset_y"], header["qoffset_z"] = 1, -2, 3
    header["qform_code"], header["magic"] = 1, b"n+1"
    found = nifti.parse(header.binaryblock)
    np.testing.assert_allclose(found.affine, header.get_best_affine(), atol=1e-5)


def test_without_any_form_the_axes_are_nibabels(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", np.zeros((3, 4, 5), np.int16))
    assert_equals_nibabel(patched(path, 252, "<2h", 0, 0))


def test_voxel_sizes_in_metres_and_micrometres_become_millimetres(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", np.zeros((3, 4, 5), np.int16))
    assert load(path).geometry.spacing == (4.0, 3.0, 2.0)
    assert load(patched(path, 123, "B", 1)).geometry.spacing == (4000.0, 3000.0, 2000.0)
    assert load(patched(path, 123, "B", 3)).geometry.spacing == pytest.approx((0.004, 0.003, 0.002))


def test_slope_and_intercept_apply_and_whole_ones_keep_integers(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", np.full((2, 2, 2), 5, np.int16))
    assert (load(patched(path, 112, "<2f", 1.0, -1024.0)).array == -1019).all()
    assert load(path).array.dtype == np.int32  # -32768 - 1024 does not fit sixteen bits
    half = load(patched(path, 112, "<2f", 0.5, 1.0))
    assert (half.array == 3.5).all()
    assert half.array.dtype == np.float32
    assert (load(patched(path, 112, "<2f", 0.0, 7.0)).array == 5).all()  # a slope of 0 means none
    assert (load(patched(path, 112, "<2f", float("nan"), 7.0)).array == 5).all()


def test_a_fourth_axis_is_time_and_comes_first(tmp_path: Path) -> None:
    array = np.arange(120, dtype=np.int16).reshape(5, 4, 3, 2)
    path = saved(tmp_path / "a.nii.gz", array)
    image = load(path)
    assert image.array.shape == (2, 3, 4, 5)
    assert (image.time_axis, image.channel_axis) == (0, None)
    assert image.array[1, 2, 3, 4] == array[4, 3, 2, 1]
    assert nifti.scan(Source(str(path)))[0].values["frames"] == 2


def test_colours_come_last(tmp_path: Path) -> None:
    colours = np.zeros((5, 4, 3), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    colours["G"][4, 3, 2] = 9
    image = load(saved(tmp_path / "a.nii", colours))
    assert image.array.shape == (3, 4, 5, 3)
    assert image.array[2, 3, 4].tolist() == [0, 9, 0]
    assert image.channel_axis == 3


def test_scan_reads_no_pixels(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", np.zeros((3, 4, 5), np.int16))
    whole = path.read_bytes()
    path.write_bytes(whole[:400])
    values = nifti.scan(Source(str(path)))[0].values
    assert (values["slices"], values["rows"], values["columns"]) == (5, 4, 3)
    with pytest.raises(ItemError, match="expected 472 bytes of pixels, found 400"):
        load(path)


def test_a_cut_gzip_file_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 99, (30, 30, 30)).astype(np.int16))
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(ItemError) as caught:
        load(path)
    assert caught.value.code == "damaged_archive"


def test_a_header_that_promises_more_than_compression_can_give_is_a_bomb(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", np.zeros((3, 4, 5), np.int16))
    patched(path, 40, "<8h", 4, 30000, 30000, 30000, 30000, 1, 1, 1)
    with pytest.raises(ItemError) as caught:
        nifti.scan(Source(str(path)))
    assert caught.value.code == "bomb"


def test_an_image_beyond_the_memory_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", np.zeros((30, 40, 50), np.int16))
    with pytest.raises(ItemError) as caught:
        load(path, memory_bytes=100_000)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("offset", "layout", "values", "code"),
    [
        (40, "<8h", (3, 0, 4, 5, 1, 1, 1, 1), "contradictory_header"),
        (40, "<8h", (9, 3, 4, 5, 1, 1, 1, 1), "unreadable_header"),
        (70, "<h", (32,), "unsupported_format"),
        (70, "<h", (12345,), "unsupported_format"),
        (108, "<f", (float("nan"),), "unreadable_header"),
        (108, "<f", (-1.0,), "unreadable_header"),
        (280, "<f", (float("inf"),), "contradictory_header"),
        (344, "4s", (b"\0\0\0\0",), "unsupported_format"),
    ],
)
def test_a_wrong_header_gets_a_code(
    tmp_path: Path, offset: int, layout: str, values: tuple[Any, ...], code: str
) -> None:
    path = patched(saved(tmp_path / "a.nii", np.zeros((3, 4, 5), np.int16)), offset, layout, *values)
    with pytest.raises(ItemError) as caught:
        nifti.scan(Source(str(path)))
    assert caught.value.code == code


def test_the_pixel_file_of_a_pair_is_a_side_file_and_its_header_needs_it(tmp_path: Path) -> None:
    saved(tmp_path / "a.img", np.zeros((3, 4, 5), np.int16))
    with pytest.raises(Ignored):
        nifti.scan(Source(str(tmp_path / "a.img")))
    (tmp_path / "a.img").unlink()
    with pytest.raises(ItemError) as caught:
        nifti.scan(Source(str(tmp_path / "a.hdr")))
    assert caught.value.code == "no_pixels"


def test_what_is_written_is_read_back_and_nibabel_agrees(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    geometry = Geometry((2.5, 0.7, 0.6), (-10.0, 20.0, 30.0), TILTED)
    image = Image(rng.normal(size=(4, 5, 6)).astype(np.float32), geometry)
    data = nifti.to_bytes(image)
    assert nifti.to_bytes(image) == data
    again = nifti.from_bytes(data)
    np.testing.assert_array_equal(again.array, image.array)
    np.testing.assert_allclose(again.geometry.affine, geometry.affine, atol=1e-5)
    (tmp_path / "a.nii.gz").write_bytes(data)
    np.testing.assert_allclose(lps(image), RAS_TO_LPS @ nibabel.load(tmp_path / "a.nii.gz").affine, atol=1e-5)


def test_writing_refuses_colours() -> None:
    image = Image(np.zeros((2, 2, 2, 3), np.uint8), Geometry((1.0, 1.0, 1.0)), channel_axis=3)
    with pytest.raises(ValueError, match="channel axis 3"):
        nifti.to_bytes(image)


@settings(max_examples=40)
@given(st.data())
def test_a_cropped_mask_keeps_its_voxels_in_their_place(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 6)] * 3))
    array = np.array(data.draw(st.lists(st.booleans(), min_size=math.prod(shape), max_size=math.prod(shape))))
    mask = Image(array.reshape(shape), Geometry((3.0, 2.0, 1.0), (5.0, 6.0, 7.0), TILTED), "label", "label")
    stored = nifti.read_mask(nifti.mask_bytes(mask))

    def places(image: Image) -> np.ndarray:
        index = np.argwhere(image.array)
        points = image.geometry.affine @ np.column_stack([index, np.ones(len(index))]).T
        return np.round(points[:3].T, 3)

    np.testing.assert_allclose(places(stored), places(mask), atol=2e-3)
    assert stored.array.sum() == mask.array.sum()


def test_an_empty_mask_keeps_one_voxel_and_a_flat_one_becomes_a_slice() -> None:
    empty = Image(np.zeros((4, 4, 4), bool), Geometry((1.0, 1.0, 1.0)))
    assert nifti.read_mask(nifti.mask_bytes(empty)).array.shape == (1, 1, 1)
    flat = Image(np.eye(4, dtype=bool), Geometry((2.0, 1.0)))
    stored = nifti.read_mask(nifti.mask_bytes(flat))
    assert stored.array.shape == (1, 4, 4)
    assert stored.geometry.spacing[1:] == (2.0, 1.0)


def test_reads_every_shared_volume_as_nibabel_does(shared: Path) -> None:
    paths = [p for p in sorted(shared.rglob("*.nii*")) if "msd_hippocampus" not in p.parts]
    paths += sorted((shared / "msd_hippocampus").rglob("*0.nii.gz"))
    assert len(paths) > 100
    for path in paths:
        assert_equals_nibabel(path)


def test_stored_gzip_has_no_time(tmp_path: Path) -> None:
    data = nifti.to_bytes(Image(np.ones((2, 2, 2), np.int16), Geometry((1.0, 1.0, 1.0))))
    assert data[4:8] == bytes(4)
    assert gzip.decompress(data)[344:348] == b"n+1\0"

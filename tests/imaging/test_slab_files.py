"""Planes of .npy files as numpy itself reads them, and targets that get their name last."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.core.image import Geometry, Image
from radlake.formats.read import read_image
from radlake.formats.write import write_image
from radlake.imaging import edges, filters
from radlake.imaging.slab_files import NpyVolume, open_source, target_of
from radlake.imaging.slabs import filter_file

VOLUME = np.arange(5 * 3 * 4, dtype=">i2").reshape(5, 3, 4)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("planes", [slice(0, 5), slice(1, 3), slice(4, 9), slice(3, 3), slice(-2, None)])
def test_planes_are_those_of_the_array(tmp_path: Path, version: tuple[int, int], planes: slice) -> None:
    file = tmp_path / "ct.npy"
    with file.open("wb") as stream:
        np.lib.format.write_array(stream, VOLUME, version=version)
    volume = NpyVolume(file)
    assert (volume.shape, volume.dtype) == (VOLUME.shape, VOLUME.dtype)
    assert np.array_equal(volume[planes], VOLUME[planes])


def test_objects_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([[[{}]]]), allow_pickle=True)
    with pytest.raises(ValueError, match="holds objects, not numbers"):
        open_source(tmp_path / "objects.npy")


@pytest.mark.parametrize("ending", [".npy", ".zarr"])
def test_a_target_appears_when_all_is_written(tmp_path: Path, ending: str) -> None:
    final = tmp_path / f"out{ending}"
    with target_of(final, VOLUME, Geometry((2.0, 1.0, 1.0))) as begin:
        write = begin(VOLUME.dtype)
        for z in range(5):
            assert not final.exists()
            write(z, z + 1, VOLUME[z : z + 1])
    if ending == ".npy":
        assert np.array_equal(np.load(final), VOLUME)
    assert [path.name for path in tmp_path.iterdir()] == [final.name]


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("operation", "function", "options"),
    [("filter.gaussian", filters.gaussian, {"sigma_mm": 2.0}), ("edges.sobel", edges.sobel, {})],
)
def test_nifti_by_slabs_has_the_bits_and_the_place_of_the_whole(
    tmp_path: Path, ending: str, operation: str, function: Callable[..., Image], options: dict[str, float]
) -> None:
    turned = (0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0)  # of z, y, x
    place = Geometry((1.0, 0.7, 0.7), (5.0, -6.0, 7.0), turned)
    values = np.random.default_rng(5).integers(-900, 900, (40, 96, 128), np.int16)
    source, dest = tmp_path / f"source{ending}", tmp_path / f"dest{ending}"
    write_image(Image(values, place), source)
    assert filter_file(source, dest, operation, memory_mib=8, **options) > 2
    whole, slabs = function(read_image(source), **options), read_image(dest)
    assert whole.array.tobytes() == slabs.array.tobytes()
    np.testing.assert_allclose(whole.geometry.affine, slabs.geometry.affine, atol=1e-5)


def test_planes_of_nifti_are_in_values(tmp_path: Path) -> None:
    file = tmp_path / "pet.nii"
    image = nib.Nifti1Image(VOLUME.T.astype("<i2"), np.diag([2.0, 3.0, 4.0, 1.0]))
    image.header.set_slope_inter(0.5, 3.0)
    nib.save(image, file)
    volume = open_source(file)
    assert (volume.shape, volume.geometry.spacing) == ((5, 3, 4), (4.0, 3.0, 2.0))
    np.testing.assert_array_equal(volume[1:3], nib.load(file).get_fdata().T[1:3])
    assert volume[1:3].dtype == volume.dtype


def test_without_the_extra_zarr_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(UsageError, match=r"pip install 'radlake\[zarr\]'"):
        open_source(tmp_path / "ct.zarr")

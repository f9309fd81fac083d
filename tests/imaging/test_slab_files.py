"""Planes of .npy files as numpy itself reads them, and targets that get their name last."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.imaging.slab_files import NpyVolume, open_source, target_of

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
    with target_of(final, VOLUME) as begin:
        write = begin(VOLUME.dtype)
        for z in range(5):
            assert not final.exists()
            write(z, z + 1, VOLUME[z : z + 1])
    if ending == ".npy":
        assert np.array_equal(np.load(final), VOLUME)
    assert [path.name for path in tmp_path.iterdir()] == [final.name]


def test_without_the_extra_zarr_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(UsageError, match=r"pip install 'radlake\[zarr\]'"):
        open_source(tmp_path / "ct.zarr")

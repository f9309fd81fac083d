"""Grids of single kinds of images; mosaics against nibabel's reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.formats.grids import alike_planes, of_picture, of_volume, planes_of

ReadRows = Callable[[Path], list[Row]]


@pytest.mark.filterwarnings("ignore:The DICOM readers are highly experimental")
@pytest.mark.parametrize(
    "name", ["nibabel/siemens_dwi_1000.dcm.gz", "series/mr_siemens_epi_mosaic/epi_pe_ap-00001.dcm"]
)
def test_a_mosaic_has_the_affine_and_voxels_that_nibabel_finds(
    shared: Path, read_rows: ReadRows, load_images: Callable[..., list[tuple[Row, Image]]], name: str
) -> None:
    from nibabel.nicom.dicomwrappers import wrapper_from_file

    path = shared / "dicom" / name
    ((_, image),) = load_images(read_rows(path))
    theirs = wrapper_from_file(path)
    swap = np.eye(4)[[2, 1, 0, 3]]  # ours counts (z, y, x)
    to_lps = image.geometry.affine @ swap
    # nibabel's first index runs along rows of the picture as ours along y: their (i, j, k) is our (y, x, z)
    assert to_lps[:, [1, 0, 2, 3]] == pytest.approx(theirs.affine, abs=1e-3)
    assert (image.array == theirs.get_data().transpose(2, 0, 1)).all()


def test_a_picture_without_spacing_is_not_calibrated() -> None:
    found = of_picture({"file_id": "fi-1", "rows": 2, "columns": 2, "spacing_y": None, "spacing_x": 0.5})
    assert found.geometry.calibrated is False
    assert found.times is None


def test_a_volume_without_slice_distance_is_not_calibrated() -> None:
    found = of_volume({"file_id": "fi-1", "slices": 3, "spacing_y": 1.0, "spacing_x": 1.0, "spacing_z": 0.0})
    assert found.geometry.calibrated is False
    assert found.spacing_known == (False, True)


def test_planes_of_needs_a_place_for_every_frame() -> None:
    row = {"frames": 2, "frame_positions": [0.0] * 5, "orientation": [1.0, 0, 0, 0, 1, 0]}
    assert planes_of(row) == []


def test_spacings_that_differ_by_rounding_stay_together() -> None:
    rows = [
        {"position": [0.0, 0, z], "orientation": [1.0, 0, 0, 0, 1, 0], "spacing_y": s, "spacing_x": s}
        for z, s in [(0.0, 0.4882812), (1.0, 0.488281), (2.0, 0.5)]
    ]
    groups = alike_planes([p for r in rows for p in planes_of(r)])
    assert [len(g) for g in groups] == [2, 1]

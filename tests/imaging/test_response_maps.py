"""All 33 response maps of the IBSI 2 reference: every voxel within 1% of the map's range; the errors are printed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from radlake.imaging.bandpass import laplacian_of_gaussian, riesz, simoncelli
from radlake.imaging.filters import mean
from radlake.imaging.gabor import gabor
from radlake.imaging.laws import laws
from radlake.imaging.wavelets import wavelet

SPACING = (2.0, 2.0, 2.0)
ZERO, MIRROR, PERIODIC, NEAREST = (
    {"border": "constant"},
    {"border": "reflect"},
    {"border": "wrap"},
    {"border": "nearest"},
)
EDGES, WAVES = {"kernels": "E5L5S5"} | ZERO, {"kernels": "E3W5R5"} | MIRROR
SPOTS = {"kernels": "L5S5"} | MIRROR
LONG = {"sigma_mm": 10, "wavelength_mm": 4, "aspect": 0.5} | ZERO
WIDE = {"sigma_mm": 20, "wavelength_mm": 8, "aspect": 2.5} | MIRROR
TURNED, BY_MAX = {"pooling": "average"}, {"pooling": "max"}
ENERGY = BY_MAX | {"energy_vox": 7}
CROSSED = TURNED | {"orthogonal": True}
DB2 = {"family": "db2", "bands": "LHL"} | ZERO
COIF1 = {"family": "coif1", "bands": "HHL"} | PERIODIC
HAAR = {"family": "haar", "level": 2} | MIRROR | TURNED

MAPS: dict[str, tuple[str, Callable[..., Any], dict[str, Any]]] = {
    "1_a_1": ("checkerboard", mean, {"size_vox": 15} | ZERO),
    "1_a_2": ("checkerboard", mean, {"size_vox": 15} | NEAREST),
    "1_a_3": ("checkerboard", mean, {"size_vox": 15} | PERIODIC),
    "1_a_4": ("checkerboard", mean, {"size_vox": 15} | MIRROR),
    "1_b_1": ("impulse", mean, {"size_vox": (1, 15, 15)} | ZERO),
    "2_a": ("impulse", laplacian_of_gaussian, {"sigma_mm": 3} | ZERO),
    "2_b": ("checkerboard", laplacian_of_gaussian, {"sigma_mm": 5} | MIRROR),
    "2_c": ("checkerboard", laplacian_of_gaussian, {"sigma_mm": 5, "by_plane": True} | MIRROR),
    "3_a_1": ("impulse", laws, EDGES),
    "3_a_2": ("impulse", laws, EDGES | BY_MAX),
    "3_a_3": ("impulse", laws, EDGES | ENERGY),
    "3_b_1": ("checkerboard", laws, WAVES),
    "3_b_2": ("checkerboard", laws, WAVES | BY_MAX),
    "3_b_3": ("checkerboard", laws, WAVES | ENERGY),
    "3_c_1": ("checkerboard", laws, SPOTS),
    "3_c_2": ("checkerboard", laws, SPOTS | BY_MAX),
    "3_c_3": ("checkerboard", laws, SPOTS | ENERGY),
    "4_a_1": ("impulse", gabor, LONG | {"angle_deg": 60}),
    "4_a_2": ("impulse", gabor, LONG | CROSSED | {"angle_deg": 45}),
    "4_b_1": ("sphere", gabor, WIDE | {"angle_deg": 225}),
    "4_b_2": ("sphere", gabor, WIDE | CROSSED | {"angle_deg": 22.5}),
    "5_a_1": ("impulse", wavelet, DB2),
    "5_a_2": ("impulse", wavelet, DB2 | TURNED),
    "6_a_1": ("sphere", wavelet, COIF1),
    "6_a_2": ("sphere", wavelet, COIF1 | TURNED),
    "7_a_1": ("checkerboard", wavelet, HAAR | {"bands": "LLL"}),
    "7_a_2": ("checkerboard", wavelet, HAAR | {"bands": "HHH"}),
    "8_a_1": ("checkerboard", simoncelli, {"level": 1} | PERIODIC),
    "8_a_2": ("checkerboard", simoncelli, {"level": 2} | PERIODIC),
    "8_a_3": ("checkerboard", simoncelli, {"level": 3} | PERIODIC),
    "9_a": ("impulse", riesz, {"order": (1, 0, 0), "sigma_mm": 3} | ZERO),
    "9_b_1": ("sphere", riesz, {"order": (0, 2, 0), "sigma_mm": 3} | ZERO),
    "10_b_1": ("pattern_1", riesz, {"order": (0, 2, 0), "level": 1} | NEAREST),
}


@cache
def _volume(file: Path) -> np.ndarray:
    return np.asarray(nibabel.load(file).dataobj, np.float32).T  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", MAPS)
def test_every_voxel_of_the_reference_map_is_met(shared: Path, name: str) -> None:
    phantom, function, options = MAPS[name]
    image = _volume(shared / "ibsi/ibsi2_digital_phantom/nifti" / phantom / "image" / f"{phantom}.nii.gz")
    reference = _volume(shared / "ibsi/ibsi2_reference_response_maps" / f"{name}-ValidCRM.nii.gz")
    found = function(image, spacing=SPACING, **options)
    error = np.max(np.abs(found - reference)) / np.ptp(reference)
    print(f"{name:8} {function.__name__:24} greatest error {100 * error:.4f}% of the range")
    assert found.dtype == np.float32
    # the tolerance of the reference itself
    assert error <= 0.01


def test_every_reference_map_has_its_filter(shared: Path) -> None:
    files = (shared / "ibsi/ibsi2_reference_response_maps").glob("*-ValidCRM.nii.gz")
    assert {file.name.removesuffix("-ValidCRM.nii.gz") for file in files} == set(MAPS)
    assert len(MAPS) == 33

"""Body and lungs: a chest phantom with a table and bowel gas, and real CT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.formats.read import read_image
from radlake.imaging.agreement import dice
from radlake.imaging.segment import body, lungs

SPACING = (5.0, 2.0, 2.0)


def _ellipse(centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    y, x = np.indices((160, 200))
    plane = ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 < 1
    return np.repeat(plane[None], 16, axis=0)


def _chest() -> tuple[Image, np.ndarray, np.ndarray]:
    trunk = _ellipse((75, 100), (55, 80))
    air = _ellipse((70, 65), (35, 25)) | _ellipse((70, 135), (35, 25))
    vessel = _ellipse((70, 60), (3, 3))
    gas = _ellipse((116, 100), (7, 20))
    volume = np.full(trunk.shape, -1000.0)
    volume[trunk], volume[air], volume[vessel], volume[gas] = 40, -860, 50, -1000
    volume[:, 139:140] = 100  # table top
    volume[:, 132:139, 100] = 0  # a line that joins body and table
    volume += np.random.default_rng(0).normal(0, 15, volume.shape)
    return Image(volume.astype(np.int16), Geometry(SPACING), kind="ct", unit="HU"), trunk, air


def test_the_body_is_found_without_the_table_and_with_its_lungs() -> None:
    image, trunk, _ = _chest()
    mask = body(image)
    assert (mask.kind, mask.array.dtype) == ("label", np.bool_)
    assert dice(mask.array, trunk) > 0.995
    assert not mask.array[:, 136:].any()


def test_lungs_are_found_with_their_vessels_and_without_bowel_gas() -> None:
    image, _, air = _chest()
    mask = lungs(image)
    assert dice(mask.array, air) > 0.99
    assert mask.array[8, 70, 60]
    assert not mask.array[8, 116, 100]


def test_a_slice_is_enough() -> None:
    image, trunk, air = _chest()
    plane = image.array[8]
    assert dice(body(plane, spacing=SPACING[1:]), trunk[8]) > 0.99
    assert dice(lungs(plane, spacing=SPACING[1:]), air[8]) > 0.99


def test_a_body_beyond_the_field_of_view_is_kept() -> None:
    image, trunk, _ = _chest()
    part = image.array[:, :, 30:170]  # the arms' side is cut off, the lungs are whole
    assert dice(body(part, spacing=SPACING), trunk[:, :, 30:170]) > 0.99


def test_without_body_or_lung_there_is_a_fault() -> None:
    with pytest.raises(ItemError) as problem:
        body(np.full((3, 20, 20), -1000))
    assert "no body" in problem.value.hint
    for array in (np.full((0, 20, 20), 40), np.full((3, 20, 20), np.nan)):
        with pytest.raises(ItemError):
            body(array)
    with pytest.raises(ItemError) as problem:
        lungs(np.pad(np.full((3, 20, 20), 40), 5, constant_values=-1000))
    assert "no lung" in problem.value.hint


def test_other_units_are_refused() -> None:
    with pytest.raises(ValueError, match="HU"):
        body(Image(np.zeros((4, 4)), Geometry((1.0, 1.0)), kind="mr"))


def test_real_bodies_are_one_part_of_a_likely_volume(shared: Path) -> None:
    image = read_image(shared / "dicom" / "series" / "ct_body_20_j2k")
    mask = body(image)
    assert mask.geometry == image.geometry
    litres = mask.array.sum() * mask.geometry.voxel_volume / 1e6
    length = mask.array.shape[0] * mask.geometry.spacing[0]
    area = litres * 1e6 / length / 100
    assert 300 < area < 1600  # cm2: the cross-section of a trunk
    assert np.median(image.array[mask.array]) > -150

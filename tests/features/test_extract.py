"""The table: IBSI reference values by name, rows, units, settings, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel
import numpy as np
import pyarrow as pa
import pytest

from radlake.core.image import Geometry, Image
from radlake.features.extract import DEFAULT_FAMILIES, FAMILIES, SCHEMA, extract, settings_id
from radlake.features.names import AUTOCORRELATION, FEATURES, MORPHOLOGY, STATISTICS

CASES = {
    "digital phantom": ("ibsi1_digital_phantom", "ibsi_1_dig_phantom.csv", None),
    "CT phantom, configuration A": ("ibsi1_ct_phantom", "ibsi_1_chest_config_a.csv", (-500.0, 400.0)),
}


def _volume(folder: Path) -> tuple[np.ndarray, tuple[float, ...]]:
    image = nibabel.load(next(folder.iterdir()))  # type: ignore[attr-defined]
    return np.rint(np.asarray(image.dataobj)).T.astype(np.int16), tuple(map(float, image.header.get_zooms()[::-1]))


@pytest.mark.parametrize("case", CASES)
def test_every_reference_value_of_these_families_is_met_by_name(shared: Path, case: str) -> None:
    folder, table, intensity_range = CASES[case]
    image, spacing = _volume(shared / "ibsi" / folder / "nifti" / "image")
    mask, _ = _volume(shared / "ibsi" / folder / "nifti" / "mask")
    found = extract(
        image, mask, spacing=spacing, intensity_range=intensity_range, families=tuple(FAMILIES), as_dict=True
    )
    names = {f.name for f in (*MORPHOLOGY, *STATISTICS, *AUTOCORRELATION)}
    checked = set()
    with (shared / "ibsi" / "reference_values" / "mirp_tags" / table).open() as lines:
        for line in csv.reader(lines, delimiter=";"):
            if line[2] not in names:
                continue
            reference, tolerance = float(line[0]), float(line[1])
            value = found[line[2]]
            assert value is not None
            # A tolerance of 0 means: equal in the digits that are given (three).
            near = abs(value - reference) <= tolerance or float(f"{value:.3g}") == reference
            print(f"{line[2]:28} {value:14.6g}  reference {reference:10.6g} +- {tolerance:g}")
            assert near, (line[2], value, reference, tolerance)
            checked.add(line[2])
    assert checked == names
    assert len(names) == 43


def test_codes_are_those_of_the_reference_tables(shared: Path) -> None:
    with (shared / "ibsi" / "reference_values" / "ibsi1_reference_values.csv").open() as lines:
        known = {row["ibsi_code"] for row in csv.DictReader(lines)}
    codes = [f.code for f in FEATURES.values() if f.code]
    assert set(codes) <= known
    assert len(codes) == len(set(codes)) == 43


def test_a_row_has_code_name_value_and_unit() -> None:
    image = Image(np.array([[[10, 20]]], np.int16), Geometry((2.0, 1.0, 1.0)), kind="ct", unit="HU")
    table = extract(image, np.ones((1, 1, 2), bool))
    assert table.schema == SCHEMA
    rows = {row["name"]: row for row in table.to_pylist()}
    assert rows["stat_mean"] == {
        "family": "intensity", "code": "Q4LE", "name": "stat_mean", "value": 15.0, "unit": "HU", "reason": None,
        "settings_id": settings_id(families=DEFAULT_FAMILIES, intensity_range=None),
    }  # fmt: skip
    assert rows["morph_vol_approx"]["value"] == 4.0
    assert rows["morph_vol_approx"]["unit"] == "mm3"
    assert rows["morph_integ_int"]["unit"] == "HU.mm3"
    assert rows["stat_energy"]["unit"] == "HU2"
    assert rows["stat_skew"]["unit"] == "1"


def test_a_value_that_does_not_exist_is_null_with_a_reason() -> None:
    table = extract(None, np.ones((1, 1, 1)), families=("shape",))
    rows = {row["name"]: row for row in table.to_pylist()}
    assert rows["morph_pca_flatness"]["value"] is None
    assert "one voxel" in rows["morph_pca_flatness"]["reason"]
    assert rows["morph_volume"]["unit"] == "px3"
    missing = table.filter(pa.compute.is_null(table["value"]))
    assert missing["reason"].null_count == 0


def test_planes_get_planar_names() -> None:
    values = extract(np.arange(12.0).reshape(3, 4), np.ones((3, 4), bool), as_dict=True)
    assert values["planar_area_approx"] == 12.0
    assert values["stat_max"] == 11.0
    assert not any(name.startswith(("morph_", "slice_")) for name in values)


def test_without_an_image_only_shape_can_be_asked_for() -> None:
    mask = np.ones((2, 2, 2), bool)
    values = extract(None, mask, families=("shape",), as_dict=True)
    assert "morph_com" not in values
    with pytest.raises(ValueError, match="needs an image"):
        extract(None, mask)


def test_an_unknown_family_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'glcm'; known: shape, intensity, autocorrelation"):
        extract(None, np.ones((2, 2)), families=("glcm",))


def test_settings_differ_when_a_parameter_does() -> None:
    same = settings_id(families=["shape"], intensity_range=[0, 1])
    assert same == settings_id(families=("shape",), intensity_range=(0.0, 1.0))
    assert same != settings_id(families=("shape",), intensity_range=(0.0, 2.0))
    assert same != settings_id(families=("shape", "intensity"), intensity_range=(0.0, 1.0))

"""The table: rows, units, settings, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.features.extract import SCHEMA, extract, settings_id
from radlake.features.families import DEFAULT_FAMILIES, FAMILIES
from radlake.features.names import FEATURES

WITHOUT_VALUES = {"ZH1A", "IQYR", "SWZ1", "BRI8", "9CMM"}  # defined by IBSI, but no program's values agreed


def test_codes_are_those_of_the_reference_tables(shared: Path) -> None:
    with (shared / "ibsi" / "reference_values" / "ibsi1_reference_values.csv").open() as lines:
        known = {row["ibsi_code"] for row in csv.DictReader(lines)}
    codes = {f.code for f in FEATURES.values() if f.code}
    assert codes == known | WITHOUT_VALUES


def test_a_row_has_code_name_value_and_unit() -> None:
    image = Image(np.array([[[10, 20]]], np.int16), Geometry((2.0, 1.0, 1.0)), kind="ct", unit="HU")
    table = extract(image, np.ones((1, 1, 2), bool))
    assert table.schema == SCHEMA
    rows = {row["name"]: row for row in table.to_pylist()}
    assert rows["stat_mean"] == {
        "family": "intensity", "aggregation": None, "code": "Q4LE", "name": "stat_mean", "value": 15.0, "unit": "HU",
        "reason": None, "settings_id": settings_id(families=DEFAULT_FAMILIES, intensity_range=None),
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
    with pytest.raises(ValueError, match="'glmc'; known: shape, intensity, autocorrelation"):
        extract(None, np.ones((2, 2)), families=("glmc",))


def test_an_unknown_aggregation_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'3D'; known: 2D_avg"):
        extract(np.ones((2, 2)), np.ones((2, 2)), families=("glcm",), aggregations=("3D",))  # type: ignore[call-overload]


def test_families_give_the_same_alone_and_together() -> None:
    image = np.random.default_rng(9).normal(size=(4, 7, 8))
    together = extract(
        image, image > -1, families=tuple(FAMILIES), spacing=(3.0, 1.0, 1.0), bin_width=0.4, as_dict=True
    )
    alone: dict[str, float | None] = {}
    for name in reversed(FAMILIES):
        alone |= extract(image, image > -1, families=(name,), spacing=(3.0, 1.0, 1.0), bin_width=0.4, as_dict=True)
    assert alone == together


def test_bins_and_aggregations_belong_to_the_settings_of_families_that_use_them() -> None:
    mask = np.ones((2, 3, 3), bool)
    image = np.arange(18.0).reshape(mask.shape)

    def identity(family: str, **more: float) -> str:
        found: str = extract(image, mask, families=(family,), **more)["settings_id"][0].as_py()
        return found

    assert identity("shape") == identity("shape", bin_width=2)
    assert identity("glcm", bin_width=2) != identity("glcm", bin_width=3)
    assert identity("histogram", bin_count=8) != identity("histogram")


def test_too_narrow_bins_are_a_fault_that_says_what_to_do() -> None:
    with pytest.raises(ItemError, match="too narrow") as problem:
        extract(np.array([[0.0, 1e6]]), np.ones((1, 2)), families=("ngldm",), bin_width=1)
    assert "wider" in problem.value.hint


def test_settings_differ_when_a_parameter_does() -> None:
    same = settings_id(families=["shape"], intensity_range=[0, 1])
    assert same == settings_id(families=("shape",), intensity_range=(0.0, 1.0))
    assert same != settings_id(families=("shape",), intensity_range=(0.0, 2.0))
    assert same != settings_id(families=("shape", "intensity"), intensity_range=(0.0, 1.0))


def test_a_preset_computes_every_family_of_ibsi_and_stands_alone() -> None:
    rng = np.random.default_rng(3)
    image, mask = rng.integers(-100, 100, (6, 9, 9)), np.ones((6, 9, 9), bool)
    table = extract(image, mask, preset="ibsi-c", spacing=(3.0, 1.0, 1.0))
    ibsi = [name for name, family in FAMILIES.items() if not (family.plane or family.part)]
    assert [*dict.fromkeys(table["family"].to_pylist())] == ibsi
    with pytest.raises(ValueError, match="'ibsi-c' brings its own bin_width"):
        extract(image, mask, preset="ibsi-c", spacing=(3.0, 1.0, 1.0), bin_width=5)
    with pytest.raises(ValueError, match="unknown preset 'ibsi'; known: default, ibsi-phantom, ibsi-a"):
        extract(image, mask, preset="ibsi")


def test_options_of_a_preset_give_the_same_values_and_settings() -> None:
    rng = np.random.default_rng(3)
    image, mask = rng.integers(-100, 100, (6, 9, 9)), np.ones((6, 9, 9), bool)
    spacing = (3.0, 1.0, 1.0)
    preset = extract(image, mask, preset="ibsi-d", spacing=spacing, families=("intensity", "glcm"))
    single = extract(
        image, mask, spacing=spacing, families=("intensity", "glcm"), aggregations=("3D_avg", "3D_comb"),
        bin_count=32, outlier_sigma=3, spacing_mm=(2, 2, 2), rounded=True,
    )  # fmt: skip
    assert preset.equals(single)


def test_bin_numbers_have_no_unit() -> None:
    image = Image(np.arange(27.0).reshape(3, 3, 3), Geometry((1.0, 1.0, 1.0)), kind="ct", unit="HU")
    mask = np.ones((3, 3, 3), bool)
    units = [
        {row["name"]: row["unit"] for row in extract(image, mask, families=("ivh",), **options).to_pylist()}
        for options in ({}, {"ivh_bin_count": 10})
    ]
    assert [u["ivh_i10"] for u in units] == ["HU", "1"]
    assert [u["ivh_v10"] for u in units] == ["1", "1"]

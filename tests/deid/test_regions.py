"""Names of regions keep anatomy and lose people."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.deid.regions import region_name, region_names


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Liver", "liver"),
        ("GTV_Mass_PET", "gtv_mass_pet"),
        ("GTV_Mass_MR_T1", "gtv_mass_mr_t1"),
        ("PTV60", "ptv_60"),
        ("Lt Lung", "left_lung"),
        ("SpinalCord", "spinal_cord"),
        ("Parotid_L", "parotid_left"),
        ("Tumor Bed Block", "tumor_bed"),  # Block is a surname too
        ("edema", "edema"),
        ("GTV Smith 12.03.1985", "gtv_12"),
        ("John Doe", "region_7"),
        ("4711", "region_7"),
        ("", "region_7"),
        ("肝臓", "region_7"),
    ],
)
def test_known_words_stay(raw: str, name: str) -> None:
    assert region_name(raw, 7) == name


@given(st.text(max_size=400))
def test_any_label_gives_a_plain_name_without_long_numbers(raw: str) -> None:
    name = region_name(raw, 3)
    assert re.fullmatch(r"[a-z0-9_]+", name)
    assert not re.search(r"\d{3}", name)


def test_names_are_in_file_order() -> None:
    assert region_names(["Liver", "?", "Spleen"]) == ["liver", "region_2", "spleen"]

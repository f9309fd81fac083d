from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from radlake.deid.placing import by_path, by_uid

KEY = b"k" * 32
PATIENT = "pt-" + "a" * 24


def test_the_place_is_patient_study_series_and_instance() -> None:
    name = by_uid(PATIENT, ["2.25.1", "2.25.2", "2.25.3"], "fi-mnopqrstuvwx", ".dcm")
    assert name == f"{PATIENT}/2.25.1/2.25.2/2.25.3_mnopqrst.dcm"


def test_without_uids_the_file_id_is_the_name() -> None:
    assert by_uid("", [], "fi-mnopqrstuvwx", ".png") == "unknown/mnopqrst.png"


@given(st.text(max_size=40), st.lists(st.text(max_size=70), max_size=3))
def test_no_value_of_a_file_leads_out_of_the_folder(patient: str, uids: list[str]) -> None:
    name = by_uid(patient, uids, "fi-mnopqrstuvwx", ".dcm")
    assert re.fullmatch(r"[a-z0-9-]+(/[0-9.]+)*/(?:[0-9.]+_)?mnopqrst\.dcm", name)
    assert ".." not in name


def test_names_dates_and_numbers_of_a_path_go() -> None:
    name = by_path(KEY, "Müller^Anna_19610203/CT Thorax/Smith 4711/IM-0001-0012.dcm")
    for part in ("ller", "anna", "1961", "0203", "smith", "4711", "0012"):
        assert part not in name.lower()
    assert "/CT_Thorax-" in name
    assert name.endswith(".dcm")


def test_a_word_of_the_data_set_goes_even_if_it_is_a_word_of_reports() -> None:
    assert by_path(KEY, "chest/image.dcm") == "chest/image.dcm"
    assert by_path(KEY, "chest/image.dcm", lambda word: word == "chest").startswith("chest") is False


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=12), min_size=2, max_size=2, unique=True
    )
)
def test_different_names_stay_different(names: list[str]) -> None:
    first, second = (by_path(KEY, f"{name}.dcm") for name in names)
    assert by_path(KEY, f"{names[0]}.dcm") == first
    if {n.strip(".") for n in names} != {""} and "." not in names[0] + names[1]:
        import unicodedata

        same = unicodedata.normalize("NFC", names[0]) == unicodedata.normalize("NFC", names[1])
        assert (first == second) == same

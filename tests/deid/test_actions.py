from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import UID

from radlake.deid.actions import Person, dummy, is_numeric, is_registered, keyed_uid

KEY = b"k" * 32
PERSON = Person(KEY, "4711", "", "1.2.3", ("Quuxberg^Xenia", "4711-0815"))


@settings(max_examples=50)
@given(st.text(max_size=70))
def test_keyed_uids_are_valid_and_only_the_key_makes_them(uid: str) -> None:
    new = keyed_uid(KEY, uid)
    assert UID(new).is_valid
    assert re.fullmatch(r"2\.25\.[1-9]\d{30,38}", new)
    assert new != keyed_uid(b"x" * 32, uid)


def test_only_uids_of_the_standard_are_registered() -> None:
    assert is_registered("1.2.840.10008.5.1.4.1.1.2")
    assert not is_registered("1.2.840.10008.5.1.4.1.1.2.99")


def test_published_classes_of_makers_are_registered() -> None:
    assert is_registered("1.3.46.670589.5.0.1.1")
    assert not is_registered("1.3.46.670589.5.0.1.1.4711")


def test_a_number_is_an_id_only_as_a_whole_and_where_it_is_long() -> None:
    person = Person(KEY, "123456", "", "1.2.3", ("123456", "4711", "00000"))
    assert [person.is_id(t) for t in ("123456", r"1\123456 ", "123456.5", "4711", "1.00000", "1234567")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


def test_round_numbers_and_makers_of_images_stay_in_codes_and_others_go() -> None:
    assert [PERSON.code(t) for t in ("150000", "MEVISLAB", "MONOCHROME2", "154711", "20240301", "QUUXBERG")] == [
        "150000", "MEVISLAB", "MONOCHROME2", "", "", "",
    ]  # fmt: skip


def test_numbers_are_told_from_texts() -> None:
    assert [is_numeric(t) for t in ("", "1", r"1\-2.5e-3 ", ".5", "1.2.3", "Smith", "12 Smith", "1" * 40)] == [
        True, True, True, True, False, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "vr", ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "OB", "OW", "PN", "SH", "TM", "UN", "US", "UT"]
)
def test_dummies_are_never_empty(vr: str) -> None:
    assert dummy(vr) not in {"", b"", None}


def test_technical_names_stay_and_people_go() -> None:
    kept = ["B30f", "SOMATOM Definition AS+", "*fl3d1", "VB17", "GE"]
    assert [PERSON.technical("LO", t) for t in kept] == kept
    assert PERSON.technical("LO", "chest Quuxberg") == "chest [...]"
    assert PERSON.technical("LO", "Smitherson") == ""


def test_companies_stay_as_they_are_written() -> None:
    assert PERSON.manufacturer("LO", "GE MEDICAL SYSTEMS") == "GE MEDICAL SYSTEMS"
    assert PERSON.manufacturer("LO", "Siemens, J. Smitherson") == "SIEMENS"
    assert PERSON.manufacturer("LO", "Smitherson Inc") == ""


def test_codes_and_schemes_stay_only_as_such() -> None:
    assert [PERSON.code_value("SH", t) for t in ("T-D1100", "mm", "4711-0815", "Smitherson")] == [
        "T-D1100",
        "mm",
        "",
        "",
    ]
    assert [PERSON.scheme("SH", t) for t in ("DCM", "99SMITH", "")] == ["DCM", "99LOCAL", ""]
    assert [PERSON.code(t) for t in ("M_FFE", "QUUXBERG", "Chest", "Smitherson")] == ["M_FFE", "", "Chest", ""]


def test_texts_fit_their_representation() -> None:
    assert PERSON.text("SH", "no acute cardiopulmonary abnormality") == "no acute cardiop"
    assert PERSON.text("LO", "Quuxberg, Xenia") == ""

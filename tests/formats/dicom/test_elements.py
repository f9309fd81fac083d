"""Decoding of kept values: text in its character set, numbers by VR."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.formats.dicom.elements import Elements


def elements(**values: tuple[bytes, bytes]) -> Elements:
    return Elements(values)


def test_text_is_the_first_value_without_padding() -> None:
    e = elements(ImageType=(b"CS", b"ORIGINAL\\PRIMARY \0"))
    assert e.text("ImageType") == "ORIGINAL"
    assert e.texts("ImageType") == ["ORIGINAL", "PRIMARY"]


def test_absent_and_empty_text_is_none() -> None:
    e = elements(Modality=(b"CS", b"  "))
    assert (e.text("Modality"), e.texts("Modality"), e.text("Units"), e.texts("Units")) == (None, [], None, [])


def test_a_backslash_belongs_to_long_text() -> None:
    e = elements(TextValue=(b"UT", b"either\\or"), PatientAddress=(b"LO", b"a\\b"))
    assert (e.text("TextValue"), e.text("PatientAddress")) == ("either\\or", "a")


@pytest.mark.parametrize(
    ("vr", "data", "expected"),
    [
        (b"DS", b" 1.5 ", 1.5),
        (b"DS", b"-2e3\\7", -2000.0),
        (b"DS", b"1.5\0", 1.5),
        (b"IS", b"12", 12.0),
        (b"US", b"\x01\x02", 513.0),
        (b"SS", b"\xff\xff\x01\x00", -1.0),
        (b"FD", struct.pack("<d", 0.25), 0.25),
        (b"DS", b"", None),
        (b"DS", b"nan", None),
        (b"DS", b"1e999", None),
        (b"DS", b"1,5", None),
        (b"US", b"\x01", None),
        (b"LO", b"12", None),
    ],
)
def test_number_is_the_first_finite_value(vr: bytes, data: bytes, expected: float | None) -> None:
    assert elements(x=(vr, data)).number("x") == expected


def test_big_endian_numbers_follow_the_order_of_the_file() -> None:
    e = Elements({"Rows": (b"US", b"\x02\x00"), "Pointer": (b"AT", b"\x00\x20\x00\x32")}, order=">")
    assert (e.integer("Rows"), e.tag("Pointer")) == (512, 0x00200032)


def test_numbers_are_all_or_none() -> None:
    e = elements(a=(b"DS", b"1\\2.5\\-3 "), b=(b"DS", b"1\\x\\3"), c=(b"DS", b"1\\\\3"), d=(b"UL", b"\1\0\0\0\2\0\0\0"))
    assert [e.numbers(k) for k in "abcd"] == [[1.0, 2.5, -3.0], [], [], [1.0, 2.0]]


def test_an_integer_beyond_reach_is_none() -> None:
    assert elements(x=(b"DS", b"1e18")).integer("x") is None
    assert elements(x=(b"IS", b"-7 ")).integer("x") == -7


@pytest.mark.parametrize(
    ("terms", "data", "expected"),
    [
        (b"ISO_IR 192", "王^小東".encode(), "王^小東"),
        (b"GB18030", "王^小东".encode("gb18030"), "王^小东"),
        (b"ISO_IR 100", "Äneas^Rüdiger".encode("latin-1"), "Äneas^Rüdiger"),
        (b"ISO_IR 144", "Люк".encode("iso8859-5"), "Люк"),
        (b"\\ISO 2022 IR 149", b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "Hong=洪^吉洞"),
        (b"\\ISO 2022 IR 87", b"Yamada=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada=山田^太郎"),
        (b"\\ISO 2022 IR 58", b"Zhang=\x1b$)A\xd5\xc5^", "Zhang=张^"),
    ],
)
def test_names_are_read_in_their_character_set(terms: bytes, data: bytes, expected: str) -> None:
    e = elements(SpecificCharacterSet=(b"CS", terms), PatientName=(b"PN", data))
    assert e.text("PatientName") == expected


def test_an_item_uses_the_character_set_around_it_unless_it_has_its_own() -> None:
    outside = elements(SpecificCharacterSet=(b"CS", b"ISO_IR 192"))
    inside = Elements({"CodeMeaning": (b"LO", "Größe".encode())}, parent=outside)
    assert inside.text("CodeMeaning") == "Größe"
    own = Elements(
        {"SpecificCharacterSet": (b"CS", b"ISO_IR 100"), "CodeMeaning": (b"LO", "Größe".encode("latin-1"))},
        parent=outside,
    )
    assert own.text("CodeMeaning") == "Größe"


def test_codes_do_not_obey_the_character_set() -> None:
    e = elements(SpecificCharacterSet=(b"CS", b"ISO_IR 192"), PatientSex=(b"CS", b"\xc4"))
    assert e.text("PatientSex") == "Ä"


@pytest.mark.parametrize("terms", [b"punycode", b"idna", b"no such set", b"\0\0x\0", b"\\\\\\", b"ISO_IR 192\\rot13"])
def test_unknown_character_sets_do_no_harm(terms: bytes) -> None:
    e = elements(SpecificCharacterSet=(b"CS", terms), PatientName=(b"PN", b"\xe9\x1b$)A\xff"))
    assert isinstance(e.text("PatientName"), str)


@settings(max_examples=200)
@given(
    vr=st.sampled_from([b"DS", b"IS", b"US", b"SS", b"FL", b"FD", b"AT", b"LO", b"PN", b"UT", b"CS", b"OB", b"??"]),
    data=st.binary(max_size=40),
    terms=st.sampled_from([b"", b"ISO_IR 192", b"GB18030", b"\\ISO 2022 IR 87", b"ISO 2022 IR 13\\ISO 2022 IR 149"]),
)
def test_any_bytes_give_finite_numbers_and_plain_text(vr: bytes, data: bytes, terms: bytes) -> None:
    e = elements(SpecificCharacterSet=(b"CS", terms), x=(vr, data))
    assert all(abs(n) < float("inf") for n in e.numbers("x"))
    number = e.number("x")
    assert number is None or abs(number) < float("inf")
    assert e.text("x") is None or e.text("x") == e.text("x")
    assert all(t == t.strip(" \0") for t in e.texts("x"))

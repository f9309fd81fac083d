from __future__ import annotations

from pathlib import Path

import pydicom
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from radlake.deid import dataset_values
from radlake.deid.dataset_values import DEEPEST, is_binary, items_of, person_of, readable, text_of, texts_of, vr_of
from radlake.formats.dicom.elements import silent_pydicom

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
KEY = b"k" * 32
ROWS, NAME, SEQUENCE = Tag(0x00280010), Tag(0x00100010), Tag(0x00081140)


def holding(tag: BaseTag, vr: str | None, value: bytes) -> Dataset:
    """A data set with one element as a file has it."""
    return Dataset({tag: RawDataElement(tag, vr, len(value), value, 0, vr is None, True)})


def test_the_dictionary_speaks_where_the_file_names_no_vr() -> None:
    assert [vr_of(holding(ROWS, vr, b"\0\2"), ROWS) for vr in (None, "UN", "XX", "SS")] == ["US", "US", "US", "SS"]
    assert vr_of(holding(Tag(0x12340011), None, b""), Tag(0x12340011)) == "UN"
    assert vr_of(holding(Tag(0x60023000), None, b""), Tag(0x60023000)) == "OB or OW"


def test_binary_values_have_the_length_of_what_they_should_hold() -> None:
    assert is_binary(holding(ROWS, "US", b"\0\2"), ROWS)
    assert not is_binary(holding(ROWS, "US", b"Quuxberg"), ROWS)
    assert not is_binary(holding(NAME, "US", b"Qu"), NAME)
    assert not is_binary(holding(Tag(0x12340011), "US", b"Qu"), Tag(0x12340011))


def test_names_are_known_at_every_depth() -> None:
    inner, outer = Dataset(), Dataset()
    inner.OperatorsName, inner.StudyID = "Quuxberg^Xenia", "S77"
    outer.ReferencedImageSequence, outer.PatientID = [inner], "4711"
    person = person_of(outer, KEY)
    assert set(person.known) == {"Quuxberg^Xenia", "S77", "4711"}
    assert person.is_named_in("seen by QUUXBERG")
    assert not person.is_named_in("seen by somebody")


def test_sequences_deeper_than_any_real_one_end() -> None:
    ds = Dataset()
    ds.PatientName = "Quuxberg^Xenia"
    for _ in range(DEEPEST + 5):
        outer = Dataset()
        outer.ReferencedImageSequence = [ds]
        ds = outer
    assert person_of(ds, KEY).known == ()


def test_damaged_elements_read_as_empty(quiet: None) -> None:
    number = Tag(0x00189087)
    assert readable(texts_of, holding(number, "FD", b"Qux"), number) == []
    assert text_of(holding(number, "FD", b"Qux"), number) == ""
    assert readable(items_of, holding(SEQUENCE, "SQ", b"\xfe\xff\x00\xe0\xff"), SEQUENCE) == []
    assert texts_of(holding(NAME, "PN", b"A^B\\C^D"), NAME) == ["A^B", "C^D"]


def test_texts_are_read_as_pydicom_reads_them(quiet: None) -> None:
    compared = 0
    for path in sorted(FOLDER.glob("*.dcm")):
        source, read = (
            dcmread(path, force=True, stop_before_pixels=True),
            dcmread(path, force=True, stop_before_pixels=True),
        )
        for tag in list(source.keys()):
            stored = source.get_item(tag)
            if dataset_values._plain_texts(stored, tag) is None:
                continue
            value = read[tag].value
            several = isinstance(value, MultiValue)
            assert texts_of(source, tag) == ([str(v) for v in value] if several else [str(value)]), tag
            assert source.get_item(tag) is stored  # as it was in the file
            compared += 1
    assert compared > 1000


@given(st.text(st.sampled_from("Qux^=\\ \0"), min_size=1, max_size=12), st.sampled_from(["PN", "UI", "CS", "LO", "ST"]))
def test_odd_padding_is_read_as_pydicom_reads_it(text: str, vr: str) -> None:
    source, read = holding(NAME, vr, text.encode()), holding(NAME, vr, text.encode())
    with silent_pydicom():
        value = read[NAME].value
        expected = [str(v) for v in value] if isinstance(value, MultiValue) else [str(value)]
        assert texts_of(source, NAME) == expected

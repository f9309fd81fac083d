from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from radlake.deid.selftest.encoded import Encoding

NAME, CODE, NUMBER, SEQUENCE = Tag(0x00100010), Tag(0x00080100), Tag(0x00080018), Tag(0x00081140)
ENCODINGS = [Encoding(implicit=True, little=True), Encoding(implicit=False, little=True), Encoding(False, False)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(name=st.text(st.sampled_from("Qux^berg"), min_size=1), number=st.from_regex(r"1\.[1-9]{1,9}", fullmatch=True))
def test_items_lie_in_a_file_as_pydicom_writes_them(encoding: Encoding, name: str, number: str) -> None:
    elements = [encoding.element(NAME, "PN", name), encoding.element(NUMBER, "UI", number)]
    raw, written = Dataset(), Dataset()
    item = encoding.item({element.tag: element for element in elements})
    raw[SEQUENCE] = encoding.element(SEQUENCE, "SQ", item)
    inner = Dataset()
    inner.PatientName, inner.SOPInstanceUID = name, number
    written.ReferencedImageSequence = Sequence([inner])
    raw.set_original_encoding(encoding.implicit, encoding.little, raw._character_set)
    assert encoded(raw, encoding) == encoded(written, encoding)


def test_long_texts_have_long_lengths_and_bytes_are_padded_with_zeros() -> None:
    plain = ENCODINGS[1]
    long = plain.element(Tag(0x0040A160), "UT", "x" * 70_001)
    assert plain.item({long.tag: long})[8:20] == bytes.fromhex("400060a1") + b"UT\0\0" + bytes.fromhex("72110100")
    assert plain.element(NAME, "UN", b"abc").value == b"abc\0"
    assert plain.element(NAME, "PN", "abc").value == b"abc "


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_encoding_is_that_of_the_file(encoding: Encoding) -> None:
    ds = Dataset()
    ds.PatientName = "Quuxberg^Xenia"
    data = io.BytesIO(encoded(ds, encoding))
    read = read_dataset(data, encoding.implicit, encoding.little)
    assert Encoding.of(read) == encoding
    assert Encoding.of(Dataset()) == ENCODINGS[1]


def encoded(ds: Dataset, encoding: Encoding) -> bytes:
    """Bytes of a data set."""
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = encoding.implicit, encoding.little
    write_dataset(stream, ds)
    return stream.getvalue()

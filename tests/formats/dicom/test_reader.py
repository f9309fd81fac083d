"""The partial reader: value by value equal to pydicom, and safe on any bytes."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from radlake.core.fault import ItemError
from radlake.formats.dicom import fallback
from radlake.formats.dicom.elements import Elements, silent_pydicom
from radlake.formats.dicom.reader import DEFLATED, IMPLICIT, read
from radlake.formats.dicom.tags import STOPS, WANTED
from radlake.formats.source import Source

MakeDicom = Callable[..., bytes]
EXPLICIT = "1.2.840.10008.1.2.1"
BINARY = {"US", "SS", "UL", "SL", "FL", "FD", "DS", "IS", "US or SS"}
TAGS = {w.name: tag for w in WANTED.values() if not w.stop and (tag := tag_for_keyword(w.name)) is not None}


def from_bytes(data: bytes) -> Source:
    return Source("x.dcm", data=data)


# --- equal to pydicom -------------------------------------------------------------------------------------------------


def differences(ours: Elements, theirs: Dataset, *, last: int, path: str = "") -> Iterator[str]:
    """Places where our values and pydicom's differ, without the values."""
    for name, tag in TAGS.items():
        meta = getattr(theirs, "file_meta", Dataset())
        holder = theirs if tag in theirs else meta
        if tag > last:
            continue
        if (tag in holder) != (name in ours):
            yield f"{path}{name}: presence"
        elif tag in holder:
            yield from (f"{path}{name}{d}" for d in _element_differences(ours, name, holder, tag, last))


def _element_differences(ours: Elements, name: str, holder: Dataset, tag: int, last: int) -> Iterator[str]:
    try:
        element = holder[tag]
    except Exception:  # noqa: BLE001 - what pydicom cannot convert is no oracle
        return
    if element.VR == "SQ":
        if len(ours.items(name)) != len(element.value):
            yield ": number of items"
        for number, (a, b) in enumerate(zip(ours.items(name), element.value, strict=False)):
            yield from differences(a, b, last=last, path=f"[{number}].")
    elif not _equal(ours, name, element.VR, element.value):
        yield ": value"


def _equal(ours: Elements, name: str, vr: str, value: Any) -> bool:
    values = [] if value in (None, "") else list(value) if isinstance(value, (list, MultiValue)) else [value]
    if vr in BINARY:
        try:
            expected = [float(v) for v in values if v not in ("", None)]
        except ValueError:  # not a number, which pydicom passes on as text
            expected = []
        if name == "PixelPaddingValue":  # signed or not: `values` decides, not the reader
            return [n % 65536 for n in ours.numbers(name)] == [n % 65536 for n in expected]
        return ours.numbers(name) == expected
    if vr in ("OB", "OW", "UN"):
        return ours.values[name][1] == (value or b"")
    if vr == "AT":
        return ours.tag(name) == int(values[0])
    texts = [str(v).strip(" \0") for v in values]
    if vr == "PN":  # pydicom drops empty components at the end, and leaves an escape sequence of GB 2312 in
        texts = [t.replace("\x1b$)A", "") for t in texts]
        return [t.rstrip("=") for t in ours.texts(name)] == [t for t in texts if t]
    return [t for t in ours.texts(name) if t] == [t for t in texts if t]


def compare(path: Path) -> int:
    """Check one file; return 1 when both could read it."""
    try:
        ours = read(Source(str(path))).elements
    except ItemError:
        return 0
    with silent_pydicom():
        theirs = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        is_structure_set = theirs.get("Modality") == "RTSTRUCT"
        last = STOPS["ROIContourSequence"] if is_structure_set else 0xFFFFFFFF
        assert list(differences(ours, theirs, last=last)) == [], path.name
    return 1


def test_values_equal_pydicom_in_every_file_of_its_own_set(own_files: list[Path]) -> None:
    compared = sum(map(compare, own_files))
    assert compared > 180
    assert len(own_files) - compared <= 2  # no_meta.dcm holds one unknown element and nothing else


@pytest.mark.parametrize("folder", ["dicom", "deid", "pet_suv/raw_dicom"])
def test_values_equal_pydicom_in_every_real_file(shared: Path, folder: str) -> None:
    files = sorted(p for p in (shared / folder).rglob("*") if p.is_file())
    magic = [p for p in files if p.read_bytes()[128:132] == b"DICM"]
    assert sum(map(compare, magic)) == len(magic) >= 30


# --- by hand ----------------------------------------------------------------------------------------------------------


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """An explicit little endian element."""
    wide = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT")
    size = struct.pack("<HL", 0, len(value)) if wide else struct.pack("<H", len(value))
    return struct.pack("<HH", group, number) + vr + size + value


META = bytes(128) + b"DICM" + element(2, 0x10, b"UI", EXPLICIT.encode() + b"\0")
END = element(0x7FE0, 0x10, b"OW", b"\1\2\3\4")
UNDEFINED = b"\xff\xff\xff\xff"


def test_reads_what_is_written_by_hand() -> None:
    file = read(from_bytes(META + element(8, 0x60, b"CS", b"CT") + element(0x28, 0x10, b"US", b"\0\2") + END))
    assert file.elements.text("Modality") == "CT"
    assert file.elements.integer("Rows") == 512
    assert file.transfer_syntax == EXPLICIT
    assert file.pixels is not None
    assert (file.pixels.name, file.pixels.stored_bytes) == ("PixelData", 4)


def test_elements_behind_a_large_unwanted_one_are_found() -> None:
    blob = element(0x29, 0x2020, b"OB", bytes(300_000))
    file = read(from_bytes(META + blob + element(0x28, 0x11, b"US", b"\0\1") + END))
    assert file.elements.integer("Columns") == 256


def test_a_wanted_element_larger_than_the_window_is_kept_whole() -> None:
    text = b"a" * 100_000
    file = read(from_bytes(META + element(0x40, 0xA160, b"UT", text) + element(0x54, 0x1001, b"CS", b"BQML") + END))
    assert file.elements.text("TextValue") == text.decode()
    assert file.elements.text("Units") == "BQML"


def test_window_may_end_anywhere() -> None:
    """The first window ends inside a sequence, an element header, a value: whatever the filling makes of it."""
    for filling in range(7900, 8200, 7):
        inside = element(0x18, 0x1074, b"DS", b"350000000 ")
        item = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(inside)) + inside
        data = META + element(0x29, 0x2020, b"OB", bytes(filling - len(META) - 12))
        data += element(0x54, 0x16, b"SQ", item) + element(0x54, 0x1001, b"CS", b"BQML") + END
        file = read(from_bytes(data))
        assert file.elements.first("RadiopharmaceuticalInformationSequence").number("RadionuclideTotalDose") == 350e6
        assert file.pixels is not None


def test_undefined_lengths_are_walked_through() -> None:
    item = b"\xfe\xff\x00\xe0" + UNDEFINED + element(8, 0x104, b"LO", b"Lung") + b"\xfe\xff\x0d\xe0\0\0\0\0"
    end = b"\xfe\xff\xdd\xe0\0\0\0\0"
    wanted = struct.pack("<HH", 8, 0x2218) + b"SQ\0\0" + UNDEFINED + item + item + end
    private = struct.pack("<HH", 0x29, 0x1234) + b"SQ\0\0" + UNDEFINED + item + end
    file = read(from_bytes(META + wanted + private + element(0x28, 0x10, b"US", b"\1\0") + END))
    assert [i.text("CodeMeaning") for i in file.elements.items("AnatomicRegionSequence")] == ["Lung", "Lung"]
    assert file.elements.integer("Rows") == 1


def test_a_sequence_sent_as_unknown_is_implicit_inside() -> None:
    inside = struct.pack("<HHL", 8, 0x104, 4) + b"Lung"
    item = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(inside)) + inside
    file = read(from_bytes(META + element(8, 0x2218, b"UN", item) + END))
    assert file.elements.first("AnatomicRegionSequence").text("CodeMeaning") == "Lung"


def test_pixels_inside_a_sequence_do_not_end_the_header() -> None:
    icon = element(0x28, 0x10, b"US", b"\x40\0") + element(0x7FE0, 0x10, b"OB", b"\0\0")
    item = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(icon)) + icon
    data = META + element(8, 0x2218, b"SQ", item) + element(0x88, 0x200, b"SQ", item)
    file = read(from_bytes(data + element(0x28, 0x10, b"US", b"\1\0") + END))
    assert file.elements.integer("Rows") == 1


def test_private_elements_count_only_with_their_creator() -> None:
    def tiles(creator: bytes, block: int) -> str | None:
        data = META + element(0x19, block, b"LO", creator) + element(0x19, block << 8 | 0x0A, b"US", b"\x30\0") + END
        return read(from_bytes(data)).elements.private("SiemensMosaicTiles")

    assert tiles(b"SIEMENS MR HEADER ", 0x11) == "SiemensMosaicTiles 11"
    assert tiles(b"SOMEBODY ELSE ", 0x11) is None


def test_stored_bytes_never_exceed_the_file() -> None:
    cut = META + struct.pack("<HH", 0x7FE0, 0x10) + b"OW\0\0" + struct.pack("<L", 1_000_000) + b"abcd"
    pixels = read(from_bytes(cut)).pixels
    assert pixels is not None
    assert pixels.stored_bytes == 4
    endless = META + struct.pack("<HH", 0x7FE0, 0x10) + b"OB\0\0" + UNDEFINED + bytes(10)
    pixels = read(from_bytes(endless)).pixels
    assert pixels is not None
    assert pixels.stored_bytes == 10


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DEFLATED])
def test_transfer_syntaxes_give_equal_values(make_dicom: MakeDicom, syntax: str) -> None:
    values = {"Rows": 3, "PixelSpacing": [0.5, 0.25], "AnatomicRegionSequence": [{"CodeMeaning": "Lung"}]}
    file = read(from_bytes(make_dicom(syntax=syntax, pixels=bytes(18), **values)))
    assert file.elements.numbers("PixelSpacing") == [0.5, 0.25]
    assert file.elements.first("AnatomicRegionSequence").text("CodeMeaning") == "Lung"
    assert file.pixels is not None


def test_a_deflated_bomb_is_inflated_only_as_far_as_its_header(make_dicom: MakeDicom) -> None:
    """A quarter of a gigabyte of zeros behind the header costs next to nothing, because nobody asks for it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = element(0x28, 0x10, b"US", b"\1\0") + struct.pack("<HH", 0x7FE0, 0x10) + b"OW\0\0\xf0\xff\xff\xff"
    parts = [packer.compress(head)] + [packer.compress(bytes(1 << 24)) for _ in range(16)] + [packer.flush()]
    meta = bytes(128) + b"DICM" + element(2, 0x10, b"UI", DEFLATED.encode())
    data = meta + b"".join(parts)
    started = time.process_time()
    file = read(from_bytes(data))
    assert file.elements.integer("Rows") == 1
    assert time.process_time() - started < 0.2
    assert file.pixels is not None
    assert file.pixels.stored_bytes <= len(data)


def test_a_deflated_header_without_end_is_refused() -> None:
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = struct.pack("<HH", 0x40, 0xA160) + b"UT\0\0\xf0\xff\xff\xff"
    parts = [packer.compress(head)] + [packer.compress(bytes(1 << 24)) for _ in range(16)] + [packer.flush()]
    meta = bytes(128) + b"DICM" + element(2, 0x10, b"UI", DEFLATED.encode())
    with pytest.raises(ItemError, match="header"):
        read(from_bytes(meta + b"".join(parts)))


def test_sequences_nested_without_end_are_refused() -> None:
    nest = (struct.pack("<HH", 0x40, 0xA730) + b"SQ\0\0" + UNDEFINED + b"\xfe\xff\x00\xe0" + UNDEFINED) * 100_000
    with pytest.raises(ItemError, match="header"):
        read(from_bytes(META + nest))


def test_ordinary_files_do_not_need_pydicom(monkeypatch: pytest.MonkeyPatch, own_files: list[Path]) -> None:
    asked: list[str] = []
    monkeypatch.setattr(fallback, "read_by_pydicom", lambda source: asked.append(source.uri))
    for path in own_files:
        read(Source(str(path)))
    assert len(asked) < 0.1 * len(own_files)

"""Siemens CSA headers, against nibabel's reader."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.formats.dicom.csa import csa_values
from radlake.formats.dicom.reader import read
from radlake.formats.source import Source

NAMES = frozenset({"NumberOfImagesInMosaic", "SliceNormalVector"})


def csa_header(tags: dict[str, list[str]]) -> bytes:
    """A CSA2 header with text values."""
    parts = [b"SV10\4\3\2\1", struct.pack("<LL", len(tags), 77)]
    for name, values in tags.items():
        parts.append(struct.pack("<64sl4slll", name.encode(), 1, b"IS\0\0", 6, len(values), 77))
        for value in values:
            text = value.encode() + b"\0"
            parts.append(struct.pack("<4l", len(text), len(text), 77, len(text)) + text + bytes(-len(text) % 4))
    return b"".join(parts)


HEADER = csa_header({"EchoTime": ["30"], "SliceNormalVector": ["0", "0.5", "-0.866"], "NumberOfImagesInMosaic": ["48"]})


def test_values_are_found_by_name() -> None:
    expected = {"SliceNormalVector": ["0", "0.5", "-0.866"], "NumberOfImagesInMosaic": ["48"]}
    assert csa_values(HEADER, NAMES) == expected


@pytest.mark.parametrize("data", [b"", b"SV10", HEADER[4:], b"SV10\4\3\2\1" + b"\xff" * 200, bytes(400)])
def test_bytes_that_are_no_header_give_nothing(data: bytes) -> None:
    assert csa_values(data, NAMES) == {}


@settings(max_examples=200)
@given(st.integers(0, len(HEADER) - 1), st.binary(min_size=1, max_size=8))
def test_damage_never_raises(place: int, noise: bytes) -> None:
    damaged = HEADER[:place] + noise + HEADER[place + len(noise) :]
    assert csa_values(damaged, NAMES).keys() <= NAMES
    assert csa_values(HEADER[:place], NAMES).keys() <= NAMES


@pytest.mark.filterwarnings("ignore:The DICOM readers are highly experimental")
def test_agrees_with_nibabel_on_real_mosaics(shared: Path) -> None:
    from nibabel.nicom.csareader import read as read_csa

    for path in (shared / "dicom" / "nibabel" / "0.dcm", shared / "dicom" / "nibabel" / "1.dcm"):
        elements = read(Source(str(path))).elements
        name = elements.private("SiemensCSAImageHeader")
        assert name is not None
        raw = elements.values[name][1]
        theirs = read_csa(raw)["tags"]
        ours = csa_values(raw, frozenset(theirs))
        assert len(theirs) > 80
        for tag, content in theirs.items():
            expected = [item for item in content["items"] if item not in (None, "")]
            assert [
                float(v) if not isinstance(e, str) else v for v, e in zip(ours[tag], expected, strict=True)
            ] == expected

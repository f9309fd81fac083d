from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.formats.detect import is_text, unreadable_kind
from radlake.formats.source import Source


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs")), min_size=1))
def test_printable_text_is_text_in_every_unicode_encoding(text: str) -> None:
    assert is_text(text.encode())
    assert is_text(text.encode("utf-16"))


@pytest.mark.parametrize(
    ("name", "data", "code", "ignored"),
    [
        ("a.csv", b"\0\1\2", "side_file", True),
        ("LICENSE", b"Permission is hereby granted", "side_file", True),
        ("report.pdf", b"%PDF-1.7 \0\1", "side_file", True),
        ("labels", b"PAR1\0\0", "side_file", True),
        ("a.gif", b"GIF89a\0\0", "unsupported_format", False),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0", "unsupported_format", False),
        ("a.bin", b"\0\1\2\3", "not_an_image", False),
    ],
)
def test_files_that_no_reader_takes_get_a_reason(name: str, data: bytes, code: str, ignored: bool) -> None:
    found = unreadable_kind(Source(name, data=data), data)
    assert (found.code, found.ignored) == (code, ignored)


def test_the_pixels_of_a_detached_header_are_a_side_file_and_alone_no_image(tmp_path: Path) -> None:
    raw = Source(str(tmp_path / "a.raw"))
    (tmp_path / "a.raw").write_bytes(b"\0\1\2")
    assert unreadable_kind(raw, b"\0\1\2").code == "not_an_image"
    (tmp_path / "a.mhd").write_text("ObjectType = Image")
    assert unreadable_kind(raw, b"\0\1\2").code == "side_file"

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.formats.encoding import decoded, encoding_of


@given(st.text(min_size=1).filter(lambda t: not t.startswith(("\ufeff", "\ufffe"))))
def test_unicode_comes_back(text: str) -> None:
    assert decoded(text.encode("utf-8-sig")) == text
    assert decoded(text.encode("utf-16")) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Kein Nachweis einer Größenzunahme. Übriger Befund unverändert.", "cp1252"),
        ("双肺纹理清晰，未见明显实质性病变。", "gb18030"),
        ("No nodule.", "utf-8-sig"),
        ("肺结节", "utf-8-sig"),
    ],
)
def test_the_encoding_of_clinical_text_is_found(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    assert encoding_of(data) == encoding
    assert decoded(data) == text


def test_a_character_cut_at_the_end_does_not_change_the_answer() -> None:
    assert encoding_of("肺结节".encode()[:-1]) == "utf-8-sig"


@given(st.binary())
def test_any_bytes_give_text(data: bytes) -> None:
    assert isinstance(decoded(data), str)

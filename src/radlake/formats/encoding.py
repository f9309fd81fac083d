"""Text from bytes of unknown encoding: reports and tables rarely say which one they are in."""

from __future__ import annotations

import codecs

_DENSE = 0.25  # share of bytes above 127: a few percent in western languages, most of a Chinese text


def encoding_of(data: bytes) -> str:
    """Python name of the encoding that bytes are in: by mark, UTF-8 where valid, else GB 18030 or Windows-1252.

    Parameters
    ----------
    data : bytes
        The start of a text; may end inside a character.

    Examples
    --------
    >>> encoding_of("kein Nachweis einer Größenzunahme".encode("cp1252")), encoding_of("检查所见".encode("gb18030"))
    ('cp1252', 'gb18030')
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if _valid(data, "utf-8"):
        return "utf-8-sig"
    dense = sum(byte > 127 for byte in data) > _DENSE * len(data)
    return "gb18030" if dense and _valid(data, "gb18030") else "cp1252"


def decoded(data: bytes) -> str:
    """Text of bytes in the encoding that `encoding_of` finds; what does not fit becomes U+FFFD."""
    return data.decode(encoding_of(data), "replace")


def _valid(data: bytes, encoding: str) -> bool:
    """Whether the bytes, up to a character cut at the end, are valid in an encoding."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, final=False)
    except UnicodeDecodeError:
        return False
    return True

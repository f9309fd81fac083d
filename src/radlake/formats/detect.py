"""Files that no reader takes: which of them merely accompany images, and which are set aside.

A text, table, script or document is ignored; the pixel part of a two-file format belongs to its header; the rest is
no image as far as radlake knows.
"""

from __future__ import annotations

from radlake.core.fault import Ignored, ItemError, Term
from radlake.formats.source import Source

_SIDE_SUFFIXES = frozenset({
    ".csv", ".tsv", ".parquet", ".feather", ".arrow", ".xls", ".xlsx", ".ods", ".db", ".sqlite", ".sqlite3", ".json",
    ".ndjson", ".yaml", ".yml", ".toml", ".xml", ".html", ".htm", ".md", ".rst", ".txt", ".log", ".pdf", ".doc",
    ".docx", ".ppt", ".pptx", ".rtf", ".py", ".pyc", ".ipynb", ".m", ".mat", ".r", ".sh", ".bat", ".exe", ".dll", ".so",
    ".jar", ".bib", ".tex", ".dump", ".bval", ".bvec", ".pkl", ".pickle", ".pt", ".pth", ".h5", ".hdf5", ".whl",
    ".inf", ".ini", ".md5", ".sha256", ".ico", ".svg", ".css", ".js", ".ts",
})  # fmt: skip
_SIDE_MAGICS = (b"%PDF", b"PAR1", b"SQLite format 3\0", b"\xd0\xcf\x11\xe0", b"\x7fELF", b"MZ", b"{\\rtf")
_ARCHIVES: tuple[tuple[int, bytes, Term], ...] = (
    (257, b"ustar", Term("tar")),
    (0, b"7z\xbc\xaf\x27\x1c", Term("7-Zip")),
    (0, b"Rar!\x1a\x07", Term("RAR")),
    (0, b"BZh", Term("bzip2")),
    (0, b"\xfd7zXZ\0", Term("xz")),
    (0, b"\x28\xb5\x2f\xfd", Term("Zstandard")),
)
_FOREIGN: tuple[tuple[bytes, Term], ...] = (
    (b"GIF8", Term("GIF")),
    (b"\0\0\0\x0cjP  ", Term("JPEG 2000 without DICOM")),
    (b"\x1aE\xdf\xa3", Term("Matroska video")),
    (b"\x89HDF", Term("HDF5")),
)
_HEADER_SUFFIXES = {".img": (".hdr",), ".raw": (".mhd", ".nhdr"), ".zraw": (".mhd",), ".bin": (".mhd", ".nhdr")}


def unreadable_kind(source: Source, head: bytes) -> ItemError:
    """What to raise for a file that no reader takes.

    Parameters
    ----------
    source : Source
        The file.
    head : bytes
        Its first bytes.

    Examples
    --------
    >>> unreadable_kind(Source("a.tar", data=b"x"), bytes(257) + b"ustar").code
    'unsupported_format'
    """
    for offset, magic, name in _ARCHIVES:
        if head[offset : offset + len(magic)] == magic:
            return ItemError("unsupported_format", hint=Term("unpack it, then run again on the folder"), format=name)
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return ItemError("unsupported_format", format=name)
    if source.suffix in _SIDE_SUFFIXES or head.startswith(_SIDE_MAGICS) or is_text(head) or _is_part(source):
        return Ignored("side_file")
    return ItemError("not_an_image")


def is_text(head: bytes) -> bool:
    """Whether bytes read like text: UTF-8 or UTF-16 with a mark, or any 8-bit encoding without control codes.

    Examples
    --------
    >>> is_text("Größe".encode()), is_text(bytes(range(32)))
    (True, False)
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    controls = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
    return not head.translate(None, delete=bytes(set(range(256)) - set(controls)))


def _is_part(source: Source) -> bool:
    """Whether the file holds the pixels of a header file beside it."""
    stem = source.name.rpartition(".")[0]
    return any(
        source.sibling(stem + s) is not None
        for suffix in _HEADER_SUFFIXES.get(source.suffix, ())
        for s in (suffix, suffix.upper())
    )

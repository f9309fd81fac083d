"""Zip archives: every member is read as if it were a file, without unpacking to disk."""

from __future__ import annotations

from radlake.core.fault import Ignored, ItemError, Term
from radlake.core.header import Header
from radlake.formats import scan_file
from radlake.formats.source import Source

_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # the second: an archive without members
_DOCUMENTS = frozenset({
    ".xlsx", ".docx", ".pptx", ".odt", ".ods", ".odp", ".jar", ".whl", ".apk", ".epub", ".npz", ".pt", ".pth", ".kmz",
})  # fmt: skip
_SYSTEM_FOLDER = "__MACOSX/"


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the file is a zip archive, and none of the formats that use zip as their coat."""
    return head.startswith(_MAGICS) and suffix not in _DOCUMENTS


def scan(source: Source, *, faults: list[ItemError] | None = None) -> list[Header]:
    """Headers of all members, numbered through; archives inside archives are refused.

    Parameters
    ----------
    source : Source
        The archive.
    faults : list, optional
        Takes the problems of single members, when others could be read.

    Raises
    ------
    ItemError
        The first problem, when no member could be read; `Ignored` when there was nothing but side files.
    """
    if source.member_name is not None:
        raise ItemError("unsupported_format", format=Term("archive inside an archive"))
    headers: list[Header] = []
    problems: list[ItemError] = []
    for name in dict.fromkeys(source.member_names()):
        if name.startswith(_SYSTEM_FOLDER):
            continue
        try:
            found = scan_file(Source(source.uri, name, source.data))
        except ItemError as problem:
            problems.append(problem)
            continue
        for header in found:
            header.member, header.member_name = len(headers), name
            headers.append(header)
    errors = [p for p in problems if not p.ignored]
    if not headers:
        raise next(iter(errors or problems), Ignored("side_file"))
    if faults is not None:
        faults.extend(errors)
    return headers

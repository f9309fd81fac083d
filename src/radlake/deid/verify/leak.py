"""What the verifier reports: the kind of a thing that should not be there, and its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What a source's identifier was.
SourceKind = Literal["name", "patient id", "accession number", "date", "institution", "address", "contact", "device",
                     "uid", "other identifier"]  # fmt: skip
# What looks like an identifier, whoever's it is.
ShapeKind = Literal["mail address", "web address", "phone number", "social security number", "record number",
                    "date in text", "person name", "network address"]  # fmt: skip
# What is wrong with the file as a whole, or with its pixels.
FileKind = Literal["unreadable", "unknown format", "not marked as cleaned", "date kept", "place of taking",
                   "text in pixels", "face"]  # fmt: skip
Kind = SourceKind | ShapeKind | FileKind


@dataclass(frozen=True, order=True)
class Leak:
    """One thing that should not be there.

    Parameters
    ----------
    kind : str
        What was found, by kind; never the value.
    place : str
        Where: tags with item numbers, a column and row, a chunk, "file name", "bytes from 4096".
    """

    kind: Kind
    place: str

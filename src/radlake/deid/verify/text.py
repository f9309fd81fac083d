"""One piece of text, from wherever: the source's identifiers in it, and shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from radlake.deid.verify.leak import Leak
from radlake.deid.verify.needles import Needles, words
from radlake.deid.verify.shapes import shapes

_PRINTABLE = re.compile(rb"[\x09\x0a\x0d\x20-\x7e\x80-\xff]{4,}")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\0){6,}")
_SURE = re.compile(rb"(?:[\x20-\x7e]|[\xc3-\xdf][\x80-\xbf]|[\xe3-\xed][\x80-\xbf]{2}){6,}")
_CHUNK, _OVERLAP = 1 << 20, 512
LEAST_IN_PIXELS = 6  # characters: shorter words turn up in pixels by chance


def in_text(text: str, place: str, needles: Needles, *, shaped: bool = True) -> Iterator[Leak]:
    """What a text gives away."""
    if not text:
        return
    found = needles.find(words(text))
    yield from (Leak(kind, place) for kind in sorted(found))
    if shaped:
        yield from (Leak(kind, place) for kind in sorted(set(shapes(text))))


def in_bytes(data: bytes, place: str, needles: Needles, *, shaped: bool = True, least: int = 0) -> Iterator[Leak]:
    """What the readable runs of some bytes give away, as UTF-8, as Latin-1 and as UTF-16."""
    for run in _PRINTABLE.findall(data):
        for text in decoded(run):
            yield from (Leak(kind, place) for kind in sorted(needles.find(words(text), least=least)))
            if shaped:
                yield from (Leak(kind, place) for kind in sorted(set(shapes(text))))
    for run in _WIDE.findall(data):
        yield from in_text(run.decode("utf-16-le", "replace"), place, needles, shaped=shaped)


def decoded(run: bytes) -> list[str]:
    """Readings of a run of bytes."""
    if run.isascii():
        return [run.decode("ascii")]
    return [run.decode("utf-8", "ignore"), run.decode("latin-1")]


def in_stream(
    stream: IO[bytes], needles: Needles, *, place: str = "raw bytes", public: re.Pattern[bytes] | None = None
) -> Iterator[Leak]:
    """Known identifiers in the rest of a stream, whatever it holds; memory does not grow with its length.

    What is public is passed over. Only runs of ASCII and of UTF-8, and wide ones, count: in samples of a picture every
    byte is a Latin-1 letter.
    """
    begin, tail = stream.tell(), b""
    while needles and (data := stream.read(_CHUNK)):
        where, found = f"{place} from {begin - len(tail)}", set()
        window = public.sub(b"\0", tail + data) if public else tail + data
        for run in _SURE.findall(window):
            found |= needles.find(words(run.decode("utf-8", "ignore")), least=LEAST_IN_PIXELS)
        for run in _WIDE.findall(window):
            found |= needles.find(words(run.decode("utf-16-le", "ignore")), least=LEAST_IN_PIXELS)
        yield from (Leak(kind, where) for kind in sorted(found))
        begin, tail = begin + len(data), data[-_OVERLAP:]

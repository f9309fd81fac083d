"""Shapes that identifiers have, whoever's they are: mail, phone, record numbers, days, names of people in texts.

Patterns start at a boundary and are bounded, so that hostile texts cost linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from radlake.deid.verify.leak import ShapeKind
from radlake.deid.verify.needles import ordinary, words

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_PATTERNS: tuple[tuple[ShapeKind, str], ...] = (
    ("mail address", r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"),
    ("web address", r"(?i)\b(?:https?|ftp|file)://\S|\bwww\.[a-z0-9-]"),
    ("network address", r"(?i)(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b"),
    ("social security number", r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),
    ("phone number", r"(?<![\w.])(?:\+\d{1,3}[ ./-]?)?\(?\d{2,4}\)?[ ./-]\d{3}[ ./-]?\d{3,5}(?![\w.]?\d)"),
    ("phone number", r"(?i)\b(?:tel|phone|fax|mobile|call)\b\.?:?\s{0,2}\+?[\d(]"),
    (
        "record number",
        r"(?i)\b(?:mrn|ssn|nhs|pid|acc(?:ession)?|record|chart|passport)\b[ .:#-]{0,3}(?:no\.?\s?)?\d{3,}",
    ),
    ("record number", r"(?<![\d.])\d{6,}(?![\d.])"),
    ("date in text", r"(?<!\d)(?:18|19|20)\d\d([-./])\d{1,2}\1\d{1,2}(?!\d)"),
    ("date in text", r"(?<![\d./-])\d{1,2}([./-])\d{1,2}\1(?:18|19|20)\d\d(?!\d)"),
    ("date in text", rf"(?i)\b\d{{1,2}}(?:st|nd|rd|th)?[ ./-]{{1,2}}{_MONTH}[ ./,-]{{1,2}}\d{{2,4}}\b"),
    ("date in text", rf"(?i)\b{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s(?:18|19|20)\d\d\b"),
    ("person name", r"[^\W\d_]{2,}\^[^\W\d_]"),
)
_SHAPES = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)
_TITLE = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|Herr|Frau|Doctor|Professor|MD|Mme)\b\.?\s{1,2}([^\W\d_a-z][^\W\d_]{2,30})")
_ROLE = re.compile(
    r"(?i:\b(?:name|patient|physician|operator|radiologist|referr\w{2,3} by|signed by|read by|performed by))\b"
    r"\s{0,2}[:=]?\s{0,2}([^\W\d_a-z][^\W\d_]{2,30})"
)
_LAST_FIRST = re.compile(r"\b([^\W\d_a-z][^\W\d_]{2,30}),\s([^\W\d_a-z][^\W\d_]{2,30})\b")
# Keyed stand-ins, digests of content, and the gap that cleaning leaves.
_STAND_IN = re.compile(r"\[\.\.\.\]|\b(?:[a-z]{2}|code)-[a-z2-7]{8,}\b|\b[0-9a-f]{32,128}\b|\bREMOVED\b")


def shapes(text: str) -> Iterator[ShapeKind]:
    """Kinds of what looks like an identifier in a text.

    Examples
    --------
    >>> sorted(set(shapes("call 555-123-4567, MRN 00123, seen 03/01/2024 by Dr. Quuxberg")))
    ['date in text', 'person name', 'phone number', 'record number']
    >>> list(shapes("12 mm nodule at L4/L5, window 400/40, b1000 [...] on the left"))
    []
    """
    text = _STAND_IN.sub(" ", text)
    yield from (kind for kind, pattern in _SHAPES if pattern.search(text))
    alone = [word for pattern in (_TITLE, _ROLE) for word in pattern.findall(text)]
    pairs = _LAST_FIRST.findall(text)
    if any(map(_is_name, alone)) or any(all(map(_is_name, pair)) for pair in pairs):
        yield "person name"


def _is_name(word: str) -> bool:
    """Whether a word with a capital is none that the standard uses."""
    return not set(words(word)) <= ordinary()

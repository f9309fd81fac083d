"""Columns of a clinical or label table, cleaned: numbers stay, dates move, words pass by the vocabulary or as codes."""

from __future__ import annotations

import base64
import hmac
import math
import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from radlake.deid.pseudonyms import normalise, parse_day, shifted_day
from radlake.deid.rows import OLDEST_AGE
from radlake.deid.text import GAP, clean_text

ColumnKind = Literal["number", "date", "category", "text", "identity"]

_IDENTITY_WORDS = frozenset({
    "accession", "address", "birth", "birthdate", "city", "dob", "email", "fax", "id", "identifier", "mail", "mrn",
    "name",
    "nhs", "passport", "pesel", "phone", "plz", "postal", "postcode", "ssn", "street", "surname", "tel",
    "telephone", "uid",
    "url", "zip", "zipcode",
})  # fmt: skip
_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_MOST_CATEGORIES = 50
_FEW_CATEGORIES = 10
_ID_LIKE = 10_000  # whole numbers from here on that hardly repeat are taken for identifiers
_TRUTH = {"yes": 1.0, "true": 1.0, "positive": 1.0, "no": 0.0, "false": 0.0, "negative": 0.0}


class Cell(NamedTuple):
    """What is left of a value: a number, a text, or neither."""

    number: float | None = None
    text: str | None = None


def column_kind(name: str, values: Sequence[Any]) -> ColumnKind:
    """How the values of a column are treated, judged from its name and all of them.

    Examples
    --------
    >>> column_kind("volume_ml", ["12.5", "7"]), column_kind("seen", ["2024-03-01", None])
    ('number', 'date')
    >>> column_kind("stage", ["II", "III", "II"]), column_kind("MRN", [4711, 4712])
    ('category', 'identity')
    """
    present = [v for v in values if not _is_missing(v)]
    if set(words_of(name)) & _IDENTITY_WORDS:
        return "identity"
    if all(isinstance(v, date) or parse_day(str(v)) for v in present):
        return "date"
    numbers = [_number(v) for v in present]
    if all(n is not None for n in numbers):
        return "identity" if _look_like_ids([n for n in numbers if n is not None]) else "number"
    distinct = len({str(v) for v in present})
    repeated = distinct <= _MOST_CATEGORIES and 2 * distinct <= len(present)
    return "category" if distinct <= _FEW_CATEGORIES or repeated else "text"


def cleaner(name: str, values: Sequence[Any], key: bytes) -> Callable[[Any, str], Cell]:
    """The function (value, patient_id or study_id) -> `Cell` for a column.

    Parameters
    ----------
    name : str
        Name of the column.
    values : sequence
        All its values: they decide whether it holds numbers, dates, categories or texts.
    key : bytes
        Moves dates and makes the codes of categories that may not be shown.

    Examples
    --------
    >>> stage = cleaner("stage", ["mild", "severe", "mild", "Smith"], b"k" * 32)
    >>> stage("mild", "pt-a").text, stage("Smith", "pt-a").text.startswith("code-")
    ('mild', True)
    """
    kind = column_kind(name, values)
    capped = "age" in words_of(name)

    def clean(value: Any, unit_id: str) -> Cell:
        if _is_missing(value):
            return Cell()
        if kind == "number":
            number = _number(value)
            return Cell(min(number, OLDEST_AGE) if capped and number is not None else number)
        if kind == "date":
            return Cell(text=shifted_day(key, value.isoformat() if isinstance(value, date) else str(value), unit_id))
        if kind == "text":
            return Cell(text=clean_text(str(value)))
        shown = kind == "category" and _may_be_shown(str(value))
        text = str(value).strip() if shown else _code(key, name, str(value))
        return Cell(_TRUTH.get(text.lower()), text)

    return clean


def safe_name(name: str) -> str:
    """Name of a column as it is stored: the owner chose it, but a name or number in it still goes.

    Examples
    --------
    >>> safe_name("EGFR status"), safe_name("score Dr. Smith 2024-03-01")
    ('EGFR_status', 'score')
    """
    kept = clean_text(name.replace("_", " "), allow_list=False).replace(GAP, " ")
    return "_".join(re.findall(r"[A-Za-z0-9]+", kept))[:64] or "column"


def words_of(name: str) -> list[str]:
    """Lower-case words of a column's name, camel case taken apart: "PatientID" is patient and id."""
    return [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]


def _is_missing(value: Any) -> bool:
    """Null, NaN or nothing but blanks."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip()


def _number(value: Any) -> float | None:
    """A finite number, or a text that is nothing else; a text with a leading zero is a code."""
    if isinstance(value, str):
        text = value.strip()
        if not text or not _NUMBER.fullmatch(text) or not any(c.isdigit() for c in text):
            return None
        value = text
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _look_like_ids(numbers: Sequence[float]) -> bool:
    """Large whole numbers that hardly repeat."""
    whole = [n for n in numbers if n >= _ID_LIKE and n == int(n)]
    return len(numbers) > 1 and len(whole) == len(numbers) and len(set(whole)) > 0.9 * len(whole)


def _may_be_shown(text: str) -> bool:
    """A category that is one character, or of which cleaning takes nothing."""
    text = normalise(text)
    return len(text) == 1 or clean_text(text) == text


def _code(key: bytes, name: str, value: str) -> str:
    """Keyed stand-in for a category: equal values of a column have equal codes."""
    digest = hmac.digest(key, b"category\0" + f"{name}\0{normalise(value)}".encode(), "sha256")
    return "code-" + base64.b32encode(digest[:10]).decode().lower()

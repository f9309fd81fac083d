"""DICOM dates, times and ages as they may be kept: moved by whole days, in their own precision, or capped.

All dates of a patient move by one number of days, so intervals between them stay true to the second. The time of day
stays: it tells no date, and what physics needs (decay since injection) hangs on it.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})(?:(\.?)(\d\d)(?:\2(\d\d))?)?")
_TIME = re.compile(r"(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?")
_CLOCK = re.compile(
    r"(?:(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?)?(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
)
_AGE = re.compile(r"(\d{3})([DWMY])")
_OLDEST = {"Y": 89, "M": 89 * 12 + 11, "W": 4695, "D": 32_871}  # the last that is under 90 years


def shift_date(text: str, days: int) -> str | None:
    """A DA value moved by days; None when it is no date.

    A year, or year and month, moves as its middle does and keeps its precision.

    Examples
    --------
    >>> shift_date("20240301", -1), shift_date("2024.03.01", -1), shift_date("202403", -31), shift_date("Smith", -1)
    ('20240229', '20240229', '202402', None)
    """
    found = _DATE.fullmatch(text.strip(" \0"))
    if found is None:
        return None
    try:
        moved = date(int(found[1]), int(found[3] or 7), int(found[4] or 15)) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04}{moved.month:02}{moved.day:02}"[: 8 if found[4] else 6 if found[3] else 4]


def shift_datetime(text: str, days: int) -> str | None:
    """A DT value, down to a year, moved by days; its time of day and offset from UTC stay. None when it is none.

    Examples
    --------
    >>> shift_datetime("20240301120000.5+0100", -1), shift_datetime("2024", -400)
    ('20240229120000.5+0100', '2023')
    """
    text = text.strip(" \0")
    digits = re.match(r"\d{4,8}(?!\d)|\d{8}", text)
    if digits is None or not _CLOCK.fullmatch(text, digits.end()):
        return None
    moved = shift_date(digits[0], days)
    return None if moved is None else moved + text[digits.end() :]


def time_of_day(text: str) -> str | None:
    """A TM value as it stands; None when it is no time.

    Examples
    --------
    >>> time_of_day("101530.25"), time_of_day("10:15"), time_of_day("2530"), time_of_day("Smith")
    ('101530.25', '10:15', None, None)
    """
    text = text.strip(" \0")
    return text if _TIME.fullmatch(text) else None


def capped_age(text: str) -> str | None:
    """An AS value, 90 years for 90 and more (45 CFR 164.514(b)(2)(i)(C)); None when it is no age.

    Examples
    --------
    >>> capped_age("045Y"), capped_age("097Y"), capped_age("Smith")
    ('045Y', '090Y', None)
    """
    found = _AGE.fullmatch(text.strip(" \0"))
    if found is None:
        return None
    return "090Y" if int(found[1]) > _OLDEST[found[2]] else found[0]

"""Profiles of de-identification: which options of PS3.15 Annex E each applies, and the codes that say so in a file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import get_args

from radlake.core.errors import UsageError
from radlake.deid.rows import Profile

BASIC = ("113100", "Basic Application Confidentiality Profile")
# PS3.16 CID 7050 De-identification Method: code and meaning of each option.
OPTIONS: dict[str, tuple[str, str]] = {
    "clean-pixel-data": ("113101", "Clean Pixel Data Option"),
    "clean-visual-features": ("113102", "Clean Recognizable Visual Features Option"),
    "clean-graphics": ("113103", "Clean Graphics Option"),
    "clean-structured-content": ("113104", "Clean Structured Content Option"),
    "clean-descriptors": ("113105", "Clean Descriptors Option"),
    "retain-full-dates": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "retain-modified-dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "retain-patient-characteristics": ("113108", "Retain Patient Characteristics Option"),
    "retain-device-identity": ("113109", "Retain Device Identity Option"),
    "retain-uids": ("113110", "Retain UIDs Option"),
    "retain-safe-private": ("113111", "Retain Safe Private Option"),
    "retain-institution-identity": ("113112", "Retain Institution Identity Option"),
}
_STRICT = frozenset({"clean-graphics", "clean-structured-content", "clean-descriptors"})
PROFILES: dict[Profile, frozenset[str]] = {
    "strict": _STRICT,
    "research": _STRICT | {"retain-modified-dates", "retain-patient-characteristics", "retain-safe-private"},
}


def options_of(profile: Profile, options: Sequence[str] = ()) -> frozenset[str]:
    """Options that a profile and the user's additions amount to.

    The two options on dates exclude each other (PS3.15 E.3.6): whole dates asked for replace the modified ones of a
    profile.

    Raises
    ------
    UsageError
        When a name is unknown, or both options on dates are asked for.

    Examples
    --------
    >>> sorted(options_of("strict", ["retain-uids"]))
    ['clean-descriptors', 'clean-graphics', 'clean-structured-content', 'retain-uids']
    """
    if profile not in PROFILES:
        raise UsageError(f"no profile {profile!r}; there are {', '.join(get_args(Profile))}")
    for option in options:
        if option not in OPTIONS:
            near = difflib.get_close_matches(option, OPTIONS, n=1)
            raise UsageError(f"no option {option!r}; " + (f"did you mean {near[0]}?" if near else ", ".join(OPTIONS)))
    if {"retain-full-dates", "retain-modified-dates"} <= set(options):
        raise UsageError("retain-full-dates and retain-modified-dates exclude each other; name one")
    replaced = {"retain-modified-dates"} if "retain-full-dates" in options else set()
    return (PROFILES[profile] - replaced) | set(options)


def method_codes(options: frozenset[str]) -> list[tuple[str, str]]:
    """Code and meaning, scheme DCM, of what was done: the Basic Profile and each option, in the order of their codes.

    Examples
    --------
    >>> method_codes(frozenset({"retain-uids"}))[1]
    ('113110', 'Retain UIDs Option')
    """
    return [BASIC, *sorted(OPTIONS[option] for option in options)]

"""Keyed stand-ins for identifying values: ids, and dates moved by a constant for each patient.

Equal values give equal pseudonyms on every worker and after every restart; without the key nobody can test a guess
(PS3.15 E.1.1, "Basic Application Level Confidentiality Profile", and E.3.6, modified dates).
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from radlake.core.header import Identity
from radlake.core.ids import Scope, keyed_id

_SHIFT_DAYS = (30, 3650)  # into the past, so that no shifted day lies in the future
_OLDEST_YEAR = 1880  # before the discovery of X-rays, and of anybody alive at it: a typing error
_PLACEHOLDERS = frozenset({
    "anon", "anonim", "anonimo", "anonym", "anonyme", "anonymised", "anonymisiert", "anonymized", "anonymous",
    "anonymouspatient", "anonymouspatientid", "blank", "confidential", "deidentified", "deidentifiedpatient",
    "dummy", "empty", "hidden", "id", "missing", "na", "nan", "nil", "nn", "no", "noid", "noname", "none",
    "nopatientid", "notapplicable", "notavailable", "notspecified", "null", "patient", "patientid", "removed",
    "redacted", "tbd", "temp", "test", "testpatient", "unassigned", "unbekannt", "undefined", "unidentified",
    "unknown", "unknownpatient", "unnamed", "unspecified",
})  # fmt: skip
_FILLER = re.compile(r"0*|x*|9{4,}|(?:anon(?:ymous)?|unknown|test)0*")  # 0, 000, XXX, 99999, ANON0000


@dataclass(frozen=True)
class Ids:
    """Pseudonyms of one member of a file; null where the file has no such value."""

    instance_id: str
    series_id: str
    study_id: str
    patient_id: str | None
    accession_id: str | None
    frame_of_reference_id: str | None
    referenced_series_id: str | None
    site_id: str | None
    device_id: str | None


def normalise(value: str | None) -> str:
    r"""A raw identifier in the one form that is hashed: NFKC, no padding, inner white space single; case is kept.

    Examples
    --------
    >>> normalise(" Ａ12  3\x00")
    'A12 3'
    """
    return " ".join(unicodedata.normalize("NFKC", value or "").replace("\0", " ").split())


def is_placeholder(patient_id: str | None) -> bool:
    """Whether a PatientID names nobody: empty, a word for nothing, or filler.

    Examples
    --------
    >>> [is_placeholder(v) for v in ("ANONYMOUS", "0000", " ", "N/A", "4711")]
    [True, True, True, True, False]
    """
    text = re.sub(r"[\W_]+", "", normalise(patient_id)).casefold()
    return text in _PLACEHOLDERS or _FILLER.fullmatch(text) is not None


def patient(key: bytes, patient_id: str | None, issuer: str | None = None) -> str | None:
    """Pseudonym of a PatientID within its issuer; None for a placeholder.

    One number given by two issuers names two people (PS3.3 C.7.1.1, Issuer of Patient ID), so the issuer counts.
    """
    if is_placeholder(patient_id):
        return None
    return keyed_id(key, "patient", normalise(issuer), normalise(patient_id))


def patient_from_path(key: bytes, path: str, pattern: str | None) -> str | None:
    """Pseudonym of the patient that the first group of a pattern finds in a path; None where it finds none.

    Examples
    --------
    >>> patient_from_path(b"k" * 32, "in/sub-07/t1.nii", r"/(sub-[^/]+)/") == patient(b"k" * 32, "sub-07")
    True
    """
    found = re.search(pattern, path) if pattern else None
    if found is None:
        return None
    return patient(key, found[1] if found.re.groups else found[0])


def unit(key: bytes, scope: Scope, value: str | None) -> str | None:
    """Pseudonym of a DICOM UID, or of what stands for one; None where there is none."""
    text = normalise(value)
    return keyed_id(key, scope, text) if text else None


def batch_id(key: bytes, scope: Literal["site", "device"], value: str | None) -> str | None:
    """Pseudonym of a hospital or a scanner, however its name is written in capitals; None where none is named.

    Examples
    --------
    >>> batch_id(b"k" * 32, "site", "St. Quirin") == batch_id(b"k" * 32, "site", "ST.  QUIRIN")
    True
    """
    return None if is_placeholder(value) else keyed_id(key, scope, normalise(value).casefold())


def accession(key: bytes, value: str | None) -> str | None:
    """Pseudonym of an accession number; None for a placeholder."""
    return None if is_placeholder(value) else keyed_id(key, "accession", normalise(value))


def ids(
    key: bytes, identity: Identity, *, file_id: str, member: int = 0, path: str = "", patient_regex: str | None = None
) -> Ids:
    """Pseudonyms of a member of a file.

    A member without UIDs is a series and a study of its own: its place in its file stands for them.

    Parameters
    ----------
    key : bytes
        The owner's secret.
    identity : Identity
        Raw identifiers.
    file_id : str
        Pseudonym of the file.
    member : int
        Ordinal of the member in the file.
    path : str
        Raw path, with the member's name for a container, on which `patient_regex` is tried where the file names no
        patient.
    patient_regex : str, optional
        See `patient_from_path`.
    """
    own = f"{file_id}#{member}"
    return Ids(
        instance_id=keyed_id(key, "instance", normalise(identity.instance_uid) or own),
        series_id=keyed_id(key, "series", normalise(identity.series_uid) or own),
        study_id=keyed_id(key, "study", normalise(identity.study_uid) or own),
        patient_id=patient(key, identity.patient_id, identity.issuer) or patient_from_path(key, path, patient_regex),
        accession_id=accession(key, identity.accession),
        frame_of_reference_id=unit(key, "frame", identity.frame_of_reference_uid),
        referenced_series_id=unit(key, "series", identity.referenced_series_uid),
        site_id=batch_id(key, "site", identity.site),
        device_id=batch_id(key, "device", identity.device),
    )


def shift_days(key: bytes, unit_id: str) -> int:
    """Days, from -3650 to -30, that all dates of one patient move by.

    Intervals between a patient's dates stay true; the true dates cannot be found without the key. Where the patient
    is unknown the study stands for it.

    Examples
    --------
    >>> -3650 <= shift_days(b"k" * 32, "pt-a") <= -30
    True
    """
    least, most = _SHIFT_DAYS
    number = int.from_bytes(hmac.digest(key, b"date shift\0" + unit_id.encode(), "sha256")[:8], "big")
    return -(least + number % (most - least + 1))  # 2^64 values over 3,621 days: bias below 10^-15


def parse_day(text: str | None) -> date | None:
    """A day written as DICOM DA (also the ACR-NEMA form with dots) or ISO 8601; None when it is none.

    Examples
    --------
    >>> parse_day("20240229"), parse_day("2023.02.29")
    (datetime.date(2024, 2, 29), None)
    """
    # PS3.5 table 6.2-1 DA: YYYYMMDD; YYYY.MM.DD is the older form that readers should accept.
    found = re.match(r"\s*(\d{4})([-.]?)(\d\d)\2(\d\d)(?!\d)", text or "")
    if found is None or int(found[1]) < _OLDEST_YEAR:
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None


def shifted_day(key: bytes, text: str | None, unit_id: str) -> str | None:
    """A raw date moved by the constant of a patient (or study), ISO 8601; None when it is no date.

    Examples
    --------
    >>> key = b"k" * 32
    >>> days = [date.fromisoformat(shifted_day(key, d, "pt-a")) for d in ("20240228", "20240301")]
    >>> (days[1] - days[0]).days
    2
    """
    day = parse_day(text)
    return None if day is None else (day + timedelta(days=shift_days(key, unit_id))).isoformat()

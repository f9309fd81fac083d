"""Statements of reports (SR, FHIR, CDA, plain text) as cleaned rows of `documents`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from radlake.core.header import Header, Text
from radlake.core.stage import Row
from radlake.deid.pseudonyms import Ids
from radlake.deid.rows import OLDEST_AGE
from radlake.deid.text import GAP, clean_text

_PATH = re.compile(r"[0-9.]{1,64}")
_NUMBER = re.compile(r"[-+]?\d{1,7}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,2})?")
_LARGEST = 1e7  # a quantity with a unit; record numbers have none
_YEARS = frozenset({"a", "years", "yr"})
# UCUM (PS3.16 CID 82 and the groups it includes, in the forms that reports use), and counts.
_UNITS = frozenset({
    "%", "/min", "1", "10*3/uL", "Bq", "Bq/ml", "Bq/mL", "Cel", "GBq", "Gy", "HU", "Hz", "J", "K", "L", "MBq",
    "MHz", "N",
    "V", "W", "[hnsf'U]", "a", "bpm", "cGy", "cm", "cm/s", "cm2", "cm3", "d", "dB", "deg", "dGy.cm2", "g", "g/cm3",
    "g/l",
    "g/mL", "g/ml", "g/ml{SUVbw}", "h", "kBq/ml", "kHz", "kPa", "keV", "kg", "kg/m2", "kV", "kVp", "l", "m", "m/s",
    "m2",
    "mA", "mAs", "mGy", "mGy.cm", "mGy/min", "mL", "mSv", "mT", "mg", "mg/dL", "min", "ml", "ml/min", "mm", "mm/s",
    "mm2",
    "mm2/s", "mm3", "mm[Hg]", "mmHg", "mmol/L", "mo", "ms", "no units", "rad", "s", "ug", "um", "um2", "um2/s",
    "uV", "us",
    "wk", "{SUVbw}g/ml", "{counts}", "{ratio}", "years", "yr",
})  # fmt: skip


def document_rows(header: Header, ids: Ids, *, file_id: str) -> Iterator[Row]:
    """Rows of `documents` for the statements of one member; a statement of which nothing is left gives none.

    Numbers with a unit stay; every other value keeps the words that `clean_text` allows.
    """
    known = [v for v in (*header.identity.known_texts, header.identity.patient_id, header.identity.accession) if v]
    for text in header.texts:
        value = _value(text, known)
        if value is None:
            continue
        yield {
            "owner": file_id,
            "file_id": file_id,
            "patient_id": ids.patient_id,
            "study_id": ids.study_id,
            "source": header.format,
            "path": text.path if _PATH.fullmatch(text.path) else None,
            "name": clean_text(text.name, known),
            "value": value,
            "unit": text.unit if text.unit in _UNITS else None,
        }


def _value(text: Text, known: list[str]) -> str | None:
    """The cleaned value of a statement; None when nothing of it may stay."""
    stripped = text.value.strip()
    if text.unit in _UNITS and _NUMBER.fullmatch(stripped) and abs(float(stripped)) < _LARGEST:
        number = min(float(stripped), OLDEST_AGE) if text.unit in _YEARS else float(stripped)
        return f"{number:.9g}"
    cleaned = clean_text(text.value, known)
    return cleaned if any(c.isalnum() for c in cleaned.replace(GAP, "")) else None

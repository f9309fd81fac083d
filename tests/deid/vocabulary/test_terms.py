"""Closed lists agree with the standard as pydicom and highdicom carry it."""

from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import UID

from radlake.deid.vocabulary import terms


def test_modalities_hold_all_of_context_group_29() -> None:
    """PS3.16 CID 29 Acquisition Modality: the group lags behind PS3.3, which the list follows."""
    group = {codes.cid29.__getattr__(name).value for name in codes.cid29.dir()}
    assert group <= terms.MODALITIES


@pytest.mark.parametrize(
    "words",
    [
        terms.MODALITIES, terms.PHOTOMETRIC, terms.IMAGE_TYPES, terms.BODY_PARTS, terms.LATERALITIES, terms.VIEWS,
        terms.SEXES, terms.BURNED_IN,
    ],
)  # fmt: skip
def test_terms_are_dicom_code_strings(words: frozenset[str]) -> None:
    # PS3.5 table 6.2-1 CS: upper case, digits, space, underscore, at most sixteen; vendors use a few more.
    assert all(w == w.upper().strip() and 0 < len(w) <= 24 for w in words)


def test_spellings_lead_to_defined_terms() -> None:
    assert set(terms.BODY_PART_SPELLINGS.values()) <= terms.BODY_PARTS
    assert not terms.BODY_PART_SPELLINGS.keys() & terms.BODY_PARTS


def test_manufacturers_are_found_by_single_lower_case_words() -> None:
    assert all(w.isalnum() and w == w.lower() for w in terms.MANUFACTURERS)


def test_newer_uids_are_really_missing_elsewhere() -> None:
    for uid in terms.NEWER_UIDS:
        assert UID(uid).name == uid, "pydicom knows it now: take it off the list"

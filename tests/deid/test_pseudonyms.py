"""Pseudonyms: equal for equal values, unrelated for others, intervals between dates kept."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.header import Identity
from radlake.deid.pseudonyms import (
    accession,
    ids,
    is_placeholder,
    normalise,
    parse_day,
    patient,
    patient_from_path,
    shift_days,
    shifted_day,
    unit,
)

KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.mark.parametrize(
    "text",
    ["", "0", "000", "ANONYMOUS", "Anonymous^Patient", "anon000", "N/A", "XXXX", "99999", "De-Identified", "   "],
)
def test_placeholders_name_nobody(text: str) -> None:
    assert is_placeholder(text)
    assert patient(KEY, text) is None


@pytest.mark.parametrize("text", ["1", "4711", "9", "ANON001", "99", "ANONY-17", "Test^Pattern", "sub-01"])
def test_other_ids_name_somebody(text: str) -> None:
    assert patient(KEY, text) is not None


def test_padding_and_width_do_not_make_another_patient_but_case_and_issuer_do() -> None:
    assert patient(KEY, " A 12\0") == patient(KEY, "Ａ  12")
    assert patient(KEY, "a12") != patient(KEY, "A12")
    assert patient(KEY, "A12", "north") != patient(KEY, "A12", "south")
    assert patient(KEY, "A12", "") == patient(KEY, "A12", None)


def test_another_key_gives_unrelated_ids() -> None:
    identity = Identity("1", "h", "acc", "1.2", "1.3", "1.4", "1.5", "1.6", site="St. Quirin", device="GE 7")
    one, two = (ids(k, identity, file_id="fi-a") for k in (KEY, OTHER))
    assert all(a != b for a, b in zip(vars(one).values(), vars(two).values(), strict=True))


def test_ids_are_the_same_in_another_process() -> None:
    code = (
        "from radlake.deid.pseudonyms import patient, shift_days\n"
        "key = b'k' * 32\n"
        "print(patient(key, '4711', 'h'), shift_days(key, 'x'))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == [patient(KEY, "4711", "h"), str(shift_days(KEY, "x"))]


def test_members_without_uids_are_series_of_their_own() -> None:
    first, second = (ids(KEY, Identity(), file_id="fi-a", member=m) for m in (0, 1))
    assert first.series_id != second.series_id
    assert first.study_id != second.study_id
    assert first == ids(KEY, Identity(), file_id="fi-a", member=0)
    assert first.patient_id is first.accession_id is first.frame_of_reference_id is None


def test_references_meet_the_series_they_name() -> None:
    image = ids(KEY, Identity(series_uid="1.2.3"), file_id="fi-a")
    mask = ids(KEY, Identity(series_uid="9.9", referenced_series_uid="1.2.3\0"), file_id="fi-b")
    assert mask.referenced_series_id == image.series_id == unit(KEY, "series", " 1.2.3")


def test_a_pattern_finds_the_patient_in_the_path_only_where_the_file_names_none() -> None:
    pattern = r"/(sub-\d+)/"
    assert ids(KEY, Identity(), file_id="f", path="/x/sub-07/a.nii", patient_regex=pattern).patient_id == patient(
        KEY, "sub-07"
    )
    named = ids(KEY, Identity(patient_id="P1"), file_id="f", path="/x/sub-07/a.nii", patient_regex=pattern)
    assert named.patient_id == patient(KEY, "P1")
    assert patient_from_path(KEY, "/x/y", pattern) is None
    assert patient_from_path(KEY, "/x/sub-07/y", r"sub-\d+") == patient(KEY, "sub-07")


def test_placeholder_accessions_give_none() -> None:
    assert accession(KEY, "") is accession(KEY, "0") is None
    assert accession(KEY, "A1") != accession(KEY, "A2")


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 20_000), st.text(max_size=8))
def test_intervals_of_a_patient_are_kept(day: date, gap: int, who: str) -> None:
    later = min(day + timedelta(gap), date(2200, 1, 1))
    moved = [date.fromisoformat(shifted_day(KEY, f"{d:%Y%m%d}", who) or "") for d in (day, later)]
    assert moved[1] - moved[0] == later - day
    assert timedelta(-3650) <= moved[0] - day <= timedelta(-30)


def test_shifts_are_spread_over_the_whole_range() -> None:
    shifts = [shift_days(KEY, str(n)) for n in range(20_000)]
    assert min(shifts) >= -3650
    assert max(shifts) <= -30
    assert len(set(shifts)) > 0.98 * 3621  # 20,000 draws of 3,621 values miss 0.4% of them on average
    assert abs(sum(shifts) / len(shifts) + 1840) < 40  # five standard errors of the mean of a flat distribution


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20240229", date(2024, 2, 29)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2024.02.29", date(2024, 2, 29)),
        ("20240229101500", None),
        ("20230229", None),
        ("00010101", None),
        ("2024-0229", None),
        ("", None),
        (None, None),
    ],
)
def test_days_are_read_as_dicom_and_iso_write_them(text: str | None, day: date | None) -> None:
    assert parse_day(text) == day


@given(st.text())
def test_any_text_can_be_normalised_once_and_for_all(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    is_placeholder(text)
    parse_day(text)

"""From a pseudonym back to files and identifiers, for the owner of the private part."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from radlake.deid.keys import load_key
from radlake.engine.whois import whois
from radlake.lake.errors import KeyMismatchError, PrivatePartError, UnknownIdError
from radlake.lake.store import Lake
from tests import archive
from tests.engine.conftest import Place


def look_up(place: Place, query: str, **options: int) -> list[str]:
    """The lines for the id that a query gives."""
    lake = place.lake()
    return list(whois(lake, lake.sql(query)["id"][0].as_py(), load_key(place.key_file), **options))


def of_patient_two(column: str) -> str:
    return f"SELECT {column} AS id FROM instances WHERE kind = 'ct' GROUP BY ALL HAVING count(*) = 6"


def test_a_patient_is_named_with_all_files(done: Place) -> None:
    lines = look_up(done, of_patient_two("patient_id"))
    assert "PatientID: P2" in lines
    assert lines[lines.index("6 files:") + 1 :] == [f"  {done.source}/病人/{n}.dcm" for n in range(1, 7)]


def test_studies_and_series_lead_to_their_uids(done: Place) -> None:
    for column in ("study_id", "series_id"):
        lines = look_up(done, of_patient_two(column))
        assert f"StudyInstanceUID: {archive.ROOT_UID}.9.2" in lines
        assert f"SeriesInstanceUID: {archive.ROOT_UID}.2" in lines


def test_the_identifiers_are_those_of_the_member_asked_for(done: Place) -> None:
    """The archive holds a picture first and then a slice of patient one."""
    query = "SELECT instance_id AS id FROM instances WHERE kind = 'ct' AND format = 'dicom' AND member > 0"
    lines = look_up(done, query)
    assert lines[0] == "PatientID: P1"
    assert any(line.endswith("export.zip") for line in lines)


def test_a_file_that_nothing_could_read_is_found_by_its_place(done: Place) -> None:
    lines = look_up(done, "SELECT file_id AS id FROM files WHERE fault_code = 'not_an_image'")
    assert lines == [
        "its source cannot be read: no reader knows this format",
        "1 file:",
        f"  {done.source}/program.bin",
    ]


def test_long_lists_are_cut_and_say_so(done: Place) -> None:
    lines = look_up(done, of_patient_two("patient_id"), most_files=2)
    assert lines[-2:] == [f"  {done.source}/病人/2.dcm", "  and 4 more"]


@pytest.mark.parametrize("pseudonym", ["", "pt", "xx-abc", "pt-", "pt-a'--", "pt-unknown", "im-abc"])
def test_what_is_no_pseudonym_of_the_lake_is_refused(done: Place, pseudonym: str) -> None:
    with pytest.raises(UnknownIdError):
        list(whois(done.lake(), pseudonym, load_key(done.key_file)))


def test_it_needs_the_private_part_and_the_key(done: Place, tmp_path: Path) -> None:
    shutil.copytree(done.folder / "lake", tmp_path / "lake", ignore=shutil.ignore_patterns("private"))
    with pytest.raises(PrivatePartError):
        list(whois(Lake.open(tmp_path / "lake"), "pt-abc", load_key(done.key_file)))
    with pytest.raises(KeyMismatchError):
        list(whois(done.lake(), "pt-abc", b"x" * 32))

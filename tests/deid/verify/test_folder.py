from __future__ import annotations

import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from radlake.core.errors import UsageError
from radlake.deid import ledger
from radlake.deid.verify import verify
from tests.deid.verify.test_init import PERSON, cleaned


def test_a_file_with_a_finding_is_moved_and_a_row_says_why(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path)
    (dest / "扫描 1").mkdir()
    (dest / "扫描 1" / "notes.txt").write_text("seen: Xenia Quuxberg")
    report = verify(dest, source, read_pixels="off")
    assert report.counts() == {"name": 1}
    assert report.quarantine is not None
    assert (report.quarantine / "扫描 1" / "notes.txt").read_text() == "seen: Xenia Quuxberg"
    assert not (dest / "扫描 1" / "notes.txt").exists()
    rows = pq.read_table(dest / "_deidentification" / "findings.parquet").to_pylist()
    assert rows == [{"object": "扫描 1/notes.txt", "kind": "name", "place": "text", "set_aside": True}]
    assert verify(dest, source, read_pixels="off").leaks == ()


def test_the_account_of_the_cleaning_says_which_files_were_moved(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path)
    ledger.write_run(dest, ledger.Run("strict", (), "uid", "off", "5288-3be3-6852-772a"))
    rows = [
        {"file_id": "fi-a", "status": "done", "name": "a.dcm", "format": "dicom"},
        {"file_id": "fi-b", "status": "done", "name": "b.txt"},
    ]
    ledger.write_table(dest, "files", pa.Table.from_pylist(rows, schema=ledger.FILES).to_batches())
    (dest / "b.txt").write_text("Xenia")
    verify(dest, source, read_pixels="off")
    found = ledger.read_table(dest, "files").to_pylist()
    assert [(r["status"], r["name"], r["fault_code"]) for r in found] == [
        ("done", "a.dcm", None),
        ("quarantined", None, "leak_found"),
    ]
    assert found[1]["fault_message"] == "places in the cleaned file that may tell whose it is: 1"


def test_findings_hold_no_value(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path)
    (dest / "a.dcm").rename(dest / "Quuxberg_Xenia.dcm")
    report = verify(dest, source, read_pixels="off")
    assert [leak.place for _, leak in report.leaks] == ["file name"]
    table = pq.read_table(dest / "_deidentification" / "findings.parquet")
    assert not any(part in str(table.to_pylist()) for part in ("Quuxberg", "Xenia", *PERSON.values()))


def test_tables_and_accounts_are_told_and_stay(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path)
    (dest / "tables" / "documents").mkdir(parents=True)
    part = dest / "tables" / "documents" / "part.parquet"
    pq.write_table(pa.table({"value": ["Mrs Quuxberg", None], "rois": [["liver"], ["xenia"]]}), part)
    report = verify(dest, source, read_pixels="off")
    assert {leak.place for _, leak in report.leaks} == {"column value", "column rois"}
    assert part.exists()


def test_moved_days_and_stand_ins_in_tables_are_no_findings(tmp_path: Path) -> None:
    part = tmp_path / "lake" / "tables" / "series" / "part.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(pa.table({"study_day": ["2015-03-02"], "patient_id": ["pt-abcdefgh234567ab"]}), part)
    assert verify(tmp_path / "lake", read_pixels="off").leaks == ()
    pq.write_table(pa.table({"value": ["seen on 2015-03-02"]}), part)
    assert verify(tmp_path / "lake", read_pixels="off").counts() == {"date in text": 1}


def test_looking_only_changes_nothing(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path)
    (dest / "x.bin").write_bytes(b"unknown")
    before = sorted(p.name for p in tmp_path.rglob("*"))
    report = verify(dest, source, read_pixels="off", set_aside=False)
    assert report.counts() == {"unknown format": 1}
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_folders_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        verify(tmp_path / "absent")
    with pytest.raises(UsageError, match="another one"):
        verify(tmp_path, tmp_path / ".")


def test_values_that_are_against_the_rules_are_not_quoted_in_warnings(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, capfd: pytest.CaptureFixture[str]
) -> None:
    dest, source = cleaned(tmp_path)
    data = (source / "in.dcm").read_bytes()
    assert b"20040119072730" in data  # in UIDs
    (source / "in.dcm").write_bytes(data.replace(b"20040119072730", b"2004QXQ9072730"))
    warnings.simplefilter("always")
    verify(dest, source, read_pixels="off", set_aside=False)
    assert not [w for w in recwarn if "QXQ" in str(w.message)]
    assert "QXQ" not in "".join(capfd.readouterr())

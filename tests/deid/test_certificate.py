from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from radlake.deid import ledger
from radlake.deid.certificate import certificate
from radlake.deid.verify import verify


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """A cleaned folder of three inputs."""
    run = ledger.Run("research", ("retain-modified-dates",), "uid", "off", "5288-3be3-6852-772a", {"radlake": "1 <2>"})
    files = [
        {"file_id": "fi-a", "status": "done", "name": "a.dcm", "pixel_text": "clean"},
        {"file_id": "fi-b", "status": "done", "name": "b.dcm", "pixel_text": "unchecked"},
        {"file_id": "fi-c", "status": "quarantined", "fault_code": "truncated_pixels"},
    ]
    audit = [
        {"file_id": "fi-a", "path": "0010,0010", "action": "pseudonym", "count": 1},
        {"file_id": "fi-b", "path": "0010,0010", "action": "pseudonym", "count": 1},
        {"file_id": "fi-b", "path": "0008,1140/0008,1155", "action": "uid replaced", "count": 7},
    ]
    ledger.write_run(tmp_path / "out", run)
    for table, rows in (("files", files), ("audit", audit)):
        ledger.write_table(tmp_path / "out", table, pa.Table.from_pylist(rows, ledger.TABLES[table]).to_batches())
    return tmp_path / "out"


def test_it_counts_what_was_done(dest: Path) -> None:
    found = certificate(dest)
    assert found.files == {"done": 2, "quarantined": 1}
    assert found.faults == {"truncated_pixels": 1}
    assert found.pixel_text == {"clean": 1, "unchecked": 1}
    assert found.actions == {"uid replaced": 7, "pseudonym": 2}
    assert found.attributes[0] == ("0008,1140/0008,1155", "uid replaced", 7)


def test_it_is_written_in_three_forms_that_say_the_same(dest: Path) -> None:
    found = certificate(dest)
    assert json.loads(found.written("json"))["how"]["key_fingerprint"] == "5288-3be3-6852-772a"
    for text in (found.written("markdown"), found.written("html")):
        assert all(
            word in text for word in ("113107 Retain Longitudinal", "2026d", "truncated_pixels", "not anonymous")
        )
        assert "has not looked" in text
    assert "1 &lt;2&gt;" in found.written("html")


def test_it_tells_whether_the_verifier_has_looked(dest: Path) -> None:
    verify(dest, read_pixels="off")
    assert certificate(dest).verified == 0
    assert "found nothing" in certificate(dest).written("markdown")
    (dest / "x.bin").write_bytes(b"unknown")
    verify(dest, read_pixels="off")
    assert certificate(dest).verified == 1


def test_a_folder_without_an_account_has_none(tmp_path: Path) -> None:
    with pytest.raises(ledger.NotCleaned):
        certificate(tmp_path)

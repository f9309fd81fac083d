from __future__ import annotations

import shutil
from pathlib import Path

import pydicom
import pytest
from pydicom import dcmread

from radlake.core.errors import UsageError
from radlake.deid import ledger
from radlake.deid.files import Settings
from radlake.engine.crosswalk import crosswalk
from radlake.engine.deidentify import Options, deidentify
from radlake.engine.local import Local

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
NAMES = ("CT_small.dcm", "MR_small.dcm", "MR_truncated.dcm", "rtplan.dcm")


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of sources and its cleaned copy."""
    source = tmp_path / "scans 病人"
    source.mkdir()
    for name in NAMES:
        shutil.copyfile(FILES / name, source / name)
    deidentify(source, tmp_path / "out", Settings(b"k" * 32, pixels="off"), Options(Local(workers=0), strict=True))
    return source, tmp_path / "out"


def test_each_copy_leads_back_to_its_source_and_only_on_request(places: tuple[Path, Path]) -> None:
    source, out = places
    private = ledger.default_private(out)
    assert not (private / "crosswalk.parquet").exists()
    assert crosswalk(out) == 3
    rows = ledger.read_table(private, "crosswalk").to_pylist()
    originals = {
        str(ds.SOPInstanceUID): ds for name in NAMES if name != "MR_truncated.dcm" for ds in [dcmread(source / name)]
    }
    for row in rows:
        old, new = originals.pop(row["instance_uid"]), dcmread(out / row["name"])
        assert (row["patient_id"], row["new_patient_id"]) == (old.PatientID, new.PatientID)
        assert (row["study_uid"], row["new_study_uid"]) == (old.StudyInstanceUID, new.StudyInstanceUID)
        assert row["new_instance_uid"] == new.SOPInstanceUID != old.SOPInstanceUID
    assert not originals
    assert private.stat().st_mode & 0o077 == 0


def test_what_is_gone_has_no_row(places: tuple[Path, Path]) -> None:
    source, out = places
    (source / "CT_small.dcm").unlink()
    assert crosswalk(out) == 2


def test_a_folder_without_its_private_part_is_refused(places: tuple[Path, Path], tmp_path: Path) -> None:
    _, out = places
    with pytest.raises(UsageError, match="--private"):
        crosswalk(out, tmp_path / "none")
    with pytest.raises(ledger.NotCleaned):
        crosswalk(tmp_path / "scans 病人")

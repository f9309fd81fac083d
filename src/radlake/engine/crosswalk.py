"""The way back from a cleaned folder, on request only: old and new ids of each file, in the private part."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pydicom import dcmread
from pydicom.dataset import Dataset

from radlake.core.errors import UsageError
from radlake.core.stage import Row
from radlake.deid import ledger
from radlake.engine.deidentify import path_of
from radlake.formats.dicom.elements import silent_pydicom
from radlake.lake.errors import storage_errors
from radlake.lake.private import make_private

_IDS = {
    "patient_id": "PatientID", "accession": "AccessionNumber", "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID", "instance_uid": "SOPInstanceUID",
}  # fmt: skip
_ROWS = 4096


def crosswalk(dest: Path, private: Path | None = None) -> int:
    """Write the table `crosswalk` of a cleaned folder into its private part; the number of its rows.

    The sources must lie where they were: ids are read from them and from the copies, and no key is needed. Files of
    formats without ids have their paths in the table `sources` alone.

    Parameters
    ----------
    dest : Path
        A folder that `deidentify` made.
    private : Path, optional
        Its private part, where it is not beside it.

    Raises
    ------
    NotCleaned, DamagedLedger
        When there is no account of a cleaning, or none that can be read.
    UsageError
        When the private part is not there.
    LakeError
        When the disk fails.
    """
    ledger.read_run(dest)
    private = private or ledger.default_private(dest)
    if not ledger.table_path(private, "sources").exists():
        raise UsageError("the private part of the folder is not there; name it with --private")
    paths = dict(
        zip(*(ledger.read_table(private, "sources")[name].to_pylist() for name in ("file_id", "uri")), strict=True)
    )
    files = [row for row in ledger.read_table(dest, "files").to_pylist() if row["format"] == "dicom" and row["name"]]
    with storage_errors():
        make_private(private)
        ledger.write_table(private, "crosswalk", _batches(dest, files, paths))
    return int(ledger.read_table(private, "crosswalk").num_rows)


def _batches(dest: Path, files: list[Row], paths: dict[str, str]) -> Iterator[pa.RecordBatch]:
    """Rows of files in the order of their ids."""
    found = (row for file in files if (row := _row(file, path_of(paths[file["file_id"]]), dest / file["name"])))
    for rows in iter(lambda: list(islice(found, _ROWS)), []):
        yield from pa.Table.from_pylist(rows, schema=ledger.CROSSWALK).to_batches()


def _row(file: Row, source: Path, copy: Path) -> Row | None:
    """Old and new ids of a file; None where one of the two is gone or cannot be read."""
    old, new = _header(source), _header(copy)
    if old is None or new is None:
        return None
    row = {"file_id": file["file_id"], "name": file["name"], "issuer": str(old.get("IssuerOfPatientID", "") or "")}
    for column, keyword in _IDS.items():
        row |= {column: str(old.get(keyword, "") or ""), f"new_{column}": str(new.get(keyword, "") or "")}
    return row


def _header(path: Path) -> Dataset | None:
    """The ids in a file."""
    try:
        with silent_pydicom():
            return dcmread(
                path, stop_before_pixels=True, force=True, specific_tags=[*_IDS.values(), "IssuerOfPatientID"]
            )
    except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged bytes can raise
        return None

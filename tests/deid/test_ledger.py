from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.deid import ledger
from radlake.deid.ledger import DamagedLedger, NotCleaned, Run

RUN = Run(
    "strict", ("clean-descriptors", "clean-graphics"), "uid", "redact", "1f2e-0000-0000-0000",
    versions={"radlake": "0.1.0"}, wall_clock={"started": "2026-01-01T00:00:00+00:00", "ended": None},
)  # fmt: skip
ROW = dict.fromkeys(ledger.FILES.names) | {"file_id": "fi-a", "status": "done", "name": "pt-a/2.25.1.dcm"}


def test_an_account_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert not ledger.is_cleaned(tmp_path)
    ledger.write_run(tmp_path, RUN)
    assert ledger.is_cleaned(tmp_path)
    assert ledger.read_run(tmp_path) == RUN


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(0, 9)), max_size=5))
def test_rows_come_back_in_their_order(rows: list[tuple[str, int]]) -> None:
    import tempfile

    found = [{"file_id": i, "path": "0010,0010", "action": "removed", "count": n} for i, n in rows]
    with tempfile.TemporaryDirectory() as folder:
        ledger.write_table(Path(folder), "audit", pa.Table.from_pylist(found, ledger.AUDIT).to_batches())
        assert ledger.read_table(Path(folder), "audit").to_pylist() == found


def test_a_table_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert ledger.read_table(tmp_path, "files").num_rows == 0
    assert ledger.read_table(tmp_path, "files").schema == ledger.FILES


def test_paths_are_kept_in_the_private_part_alone(tmp_path: Path) -> None:
    assert ledger.table_path(tmp_path, "sources") == tmp_path / "sources.parquet"
    assert ledger.FOLDER in ledger.table_path(tmp_path, "files").parts
    private = ledger.default_private(tmp_path / "clean")
    assert not private.is_relative_to(tmp_path / "clean")


def test_settings_leave_out_versions_and_the_clock() -> None:
    later = Run(**{**vars(RUN), "versions": {"radlake": "9"}, "wall_clock": {"started": "later"}})
    assert later.settings == RUN.settings
    assert Run(**{**vars(RUN), "pixels": "off"}).settings != RUN.settings


def test_other_folders_and_damaged_accounts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotCleaned):
        ledger.read_run(tmp_path)
    place = tmp_path / ledger.FOLDER
    place.mkdir()
    for text in ("", "[]", "{}", '{"layout": 1, "options": []}', '{"layout": 99}', "\xff"):
        (place / "run.json").write_text(text, encoding="latin-1")
        with pytest.raises(DamagedLedger):
            ledger.read_run(tmp_path)
    (place / "files.parquet").write_bytes(b"PAR1")
    with pytest.raises(DamagedLedger):
        ledger.read_table(tmp_path, "files")

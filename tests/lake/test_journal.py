from __future__ import annotations

from pathlib import Path

import pytest

from radlake.lake import journal
from radlake.lake.journal import Change, Entry
from radlake.lake.parts import Part

ENTRY = Entry(
    "run-1",
    7,
    (Change("features", (Part("features", "x.parquet", 10, 2),), ("im-a", "im-b")), Change("work", (), ("im-a",))),
    {"features": 3, "work": -1},
)


def test_an_entry_comes_back_as_it_was(tmp_path: Path) -> None:
    journal.write(tmp_path / "journal", ENTRY)
    assert journal.pending(tmp_path / "journal") == [ENTRY]
    journal.remove(tmp_path / "journal", ENTRY)
    assert journal.pending(tmp_path / "journal") == []


def test_no_journal_means_nothing_is_pending(tmp_path: Path) -> None:
    assert journal.pending(tmp_path / "absent") == []
    assert journal.versions_before(tmp_path / "absent") == (0, {})


def test_a_half_written_entry_is_none(tmp_path: Path) -> None:
    journal.write(tmp_path, ENTRY)
    whole = (tmp_path / ENTRY.file_name).read_bytes()
    (tmp_path / ENTRY.file_name).unlink()
    (tmp_path / ".tmp-abc").write_bytes(whole[:20])
    assert journal.pending(tmp_path) == []


def test_while_a_commit_is_under_way_readers_get_the_versions_from_before(tmp_path: Path) -> None:
    journal.write(tmp_path, ENTRY)
    stamp, versions = journal.versions_before(tmp_path)
    assert versions == {"features": 3, "work": -1}
    journal.remove(tmp_path, ENTRY)
    assert journal.versions_before(tmp_path)[0] > stamp


def test_changes_of_one_table_become_one() -> None:
    part = Part("features", "x.parquet", 10, 2)
    changes = [Change("features", (part,), ("b",)), Change("work"), Change("features", (), ("a", "b"))]
    assert journal.merged(changes) == (Change("features", (part,), ("a", "b")),)


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", ".x", "x y", "x" * 101])
def test_a_run_id_that_is_no_file_name_is_refused(run_id: str) -> None:
    with pytest.raises(ValueError, match="run_id"):
        journal.check_run_id(run_id)

from __future__ import annotations

from collections.abc import Callable

import pytest

from radlake.lake.errors import PrivatePartError, UnknownIdError
from radlake.lake.quarantine import listing, retry
from radlake.lake.store import Lake

Put = Callable[..., None]


@pytest.fixture
def filled(lake: Lake, put: Put) -> Lake:
    """Four files: done, cut short, ignored, and one of a series that lacks slices."""
    fault = {"fault_stage": "scan", "fault_message": "m", "fault_hint": "h"}
    put(
        {
            "files": [
                {"file_id": "fi-ok", "status": "done"},
                {"file_id": "fi-cut", "status": "quarantined", "fault_code": "truncated_pixels", **fault},
                {"file_id": "fi-pr", "status": "ignored", "fault_code": "presentation_only", **fault},
                {"file_id": "fi-gap", "status": "quarantined", "fault_code": "missing_slices", **fault},
            ],
            "faults": [
                {"owner": "fi-cut", "unit": "file", "code": "truncated_pixels", "ignored": False},
                {"owner": "fi-pr", "unit": "file", "code": "presentation_only", "ignored": True},
                {"owner": "se-gap", "unit": "series", "code": "missing_slices", "ignored": False},
            ],
            "work": [
                {"owner": o, "unit": "file", "chain_key": "c", "input_key": "k", "run_id": "r"}
                for o in ("fi-ok", "fi-cut", "fi-pr", "fi-gap", "se-gap")
            ],
            "sources": [{"owner": "fi-cut", "file_id": "fi-cut", "uri": "/scans/Müller.dcm"}],
        }
    )
    return lake


def keys(lake: Lake) -> dict[str, str | None]:
    return {r["owner"]: r["input_key"] for r in lake.read("work").to_pylist()}


def test_the_list_shows_what_was_set_aside_and_no_path(filled: Lake) -> None:
    found = listing(filled)
    assert found["file_id"].to_pylist() == ["fi-gap", "fi-cut"]
    assert found.column_names == ["file_id", "status", "stage", "code", "message", "hint"]


def test_the_owner_sees_paths(filled: Lake) -> None:
    found = listing(filled, code="truncated_pixels", with_paths=True)
    assert found["uri"].to_pylist() == ["/scans/Müller.dcm"]


def test_without_the_private_part_paths_are_refused(filled: Lake) -> None:
    filled.private.rename(filled.root.parent / "taken away")
    assert listing(Lake.open(filled.root)).num_rows == 2
    with pytest.raises(PrivatePartError):
        listing(Lake.open(filled.root), with_paths=True)


def test_retrying_takes_back_the_note_that_the_work_is_done_and_keeps_the_rest(filled: Lake) -> None:
    assert retry(filled) == ["fi-gap", "fi-cut"]
    assert keys(filled) == {"fi-ok": "k", "fi-cut": None, "fi-pr": "k", "fi-gap": "k", "se-gap": None}
    assert filled.read("faults").num_rows == 3
    assert retry(filled) == ["fi-gap", "fi-cut"]
    assert len(keys(filled)) == filled.read("work").num_rows == 5


def test_retrying_one_code_leaves_the_others(filled: Lake) -> None:
    assert retry(filled, "missing_slices") == ["fi-gap"]
    assert [o for o, k in keys(filled).items() if k is None] == ["se-gap"]
    assert retry(filled, "empty_mask") == []


@pytest.mark.parametrize("code", ["no_such_code", "x' OR true --"])
def test_a_code_that_radlake_has_not_is_refused(filled: Lake, code: str) -> None:
    with pytest.raises(UnknownIdError):
        retry(filled, code)
    with pytest.raises(UnknownIdError):
        listing(filled, code=code)

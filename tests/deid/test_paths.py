"""Paths in tables are found by whole components from the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radlake.deid.paths import find_places, parts_of

SOURCES = [
    {"file_id": "fi-1", "uri": "/in/p1/ct/0001.dcm", "members": None},
    {"file_id": "fi-2", "uri": "/in/p1/ct/0002.dcm", "members": None},
    {"file_id": "fi-3", "uri": "/in/p2/ct/0001.dcm", "members": None},
    {"file_id": "fi-4", "uri": "/in/scan.nii.gz", "members": None},
    {"file_id": "fi-5", "uri": "/in/all.zip", "members": ["a/x.png", None, "b/x.png"]},
]


def _found(path: str) -> list[tuple[str, list[tuple[str, int | None]]]]:
    return [(p.path, sorted(p.members, key=str)) for p in find_places([path], SOURCES)[path]]


def test_a_file_is_found_by_any_ending_of_its_path() -> None:
    for path in ("/in/p1/ct/0002.dcm", "ct/0002.dcm", "0002.dcm", ".\\ct\\0002.dcm"):
        assert _found(path) == [("/in/p1/ct/0002.dcm", [("fi-2", None)])]


def test_one_name_in_two_folders_leads_to_two_places() -> None:
    assert [p for p, _ in _found("0001.dcm")] == ["/in/p1/ct/0001.dcm", "/in/p2/ct/0001.dcm"]
    assert [p for p, _ in _found("p2/ct/0001.dcm")] == ["/in/p2/ct/0001.dcm"]


def test_parts_of_a_component_do_not_match() -> None:
    assert _found("1.dcm") == _found("1/ct/0001.dcm") == _found("") == _found("/") == []


def test_a_suffix_may_be_left_out() -> None:
    assert _found("scan") == _found("scan.nii.gz") == [("/in/scan.nii.gz", [("fi-4", None)])]
    assert [m for _, m in _found("p1/ct/0001")] == [[("fi-1", None)]]


def test_a_folder_stands_for_its_files() -> None:
    assert _found("p1") == [("in/p1", [("fi-1", None), ("fi-2", None)])]
    assert [p for p, _ in _found("ct")] == ["in/p1/ct", "in/p2/ct"]


def test_members_of_archives_are_found() -> None:
    assert _found("all.zip/b/x.png") == _found("b/x.png") == [("/in/all.zip/b/x.png", [("fi-5", 2)])]


@given(st.text(max_size=40))
def test_any_text_is_a_path_that_leads_somewhere_or_nowhere(path: str) -> None:
    parts_of(path)
    _found(path)

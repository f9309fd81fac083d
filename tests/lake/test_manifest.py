from __future__ import annotations

import json
from pathlib import Path

import pytest

from radlake.lake import manifest
from radlake.lake.errors import FormatVersionError, NotALakeError
from radlake.lake.manifest import FORMAT_VERSION, Manifest


def test_what_is_written_is_read(tmp_path: Path) -> None:
    facts = Manifest("0011", deidentified=False, private_inside=False)
    manifest.write(tmp_path, facts)
    assert manifest.read(tmp_path) == facts


@pytest.mark.parametrize(("change", "word"), [(1, "upgrade"), (-1, "older")])
def test_another_layout_is_refused_with_a_way_out(tmp_path: Path, change: int, word: str) -> None:
    manifest.write(tmp_path, Manifest("0011", format_version=FORMAT_VERSION + change))
    with pytest.raises(FormatVersionError, match=word):
        manifest.read(tmp_path)


def test_a_newer_layout_with_unknown_facts_is_called_newer(tmp_path: Path) -> None:
    (tmp_path / "lake.json").write_text(json.dumps({"format_version": FORMAT_VERSION + 1, "colour": "blue"}))
    with pytest.raises(FormatVersionError):
        manifest.read(tmp_path)


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "null", "{}", '{"format_version": "x"}', '{"format_version": 1}']
)
def test_a_folder_without_a_whole_lake_json_is_no_lake(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "lake.json").write_text(text)
    with pytest.raises(NotALakeError):
        manifest.read(tmp_path)

"""The walk over input folders."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from radlake.engine.inputs import LAKE_MARK, NoInput, absolute, require, walk


def test_every_regular_file_is_found_once_in_the_order_of_paths(tmp_path: Path) -> None:
    for name in ("b/2.dcm", "a/1.dcm", "a/病 人/3 .dcm"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    found = list(walk([tmp_path, tmp_path / "a"]))
    assert [f.uri for f in found] == [str(tmp_path / n) for n in ("a/1.dcm", "a/病 人/3 .dcm", "b/2.dcm")]
    assert {f.bytes for f in found} == {5}


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_bytes(b"1")
    (tmp_path / "real/circle").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "real/file")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert [Path(f.uri).name for f in walk([tmp_path])] == ["link", "file"]


def test_a_lake_among_the_inputs_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / LAKE_MARK).write_text("{}")
    (tmp_path / "lake" / "part.parquet").write_bytes(b"1")
    (tmp_path / "scan").write_bytes(b"1")
    assert [Path(f.uri).name for f in walk([tmp_path])] == ["scan"]


def test_a_name_that_is_no_text_becomes_a_uri_that_leads_back(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/\xd0\xd5\xc3\xfb.dcm"
    try:
        with open(raw, "wb") as file:  # noqa: PTH123 - the name is bytes
            file.write(b"1")
    except OSError:
        pytest.skip("this file system takes text names only")
    (found,) = walk([tmp_path])
    assert unquote_to_bytes(found.uri.removeprefix("file://")) == raw


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match="no file or folder"):
        list(walk([tmp_path / "nowhere"]))


def test_one_file_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "scan").write_bytes(b"123")
    (found,) = walk([tmp_path / "scan"])
    assert found.input_key.startswith("3:")


def test_a_folder_that_may_not_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    told: list[int] = []
    assert list(walk([tmp_path], lambda: told.append(1))) == []
    assert told == [1]


def test_a_place_has_one_name_wherever_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "scans" / "a").write_bytes(b"1")
    expected = [str(tmp_path.resolve() / "scans" / "a")]
    for stand, folder in (
        (".", "scans"),
        ("elsewhere", "../scans"),
        ("scans", "."),
        ("scans", "../elsewhere/../scans"),
    ):
        monkeypatch.chdir(tmp_path / stand)
        assert [f.uri for f in walk([folder])] == expected
    (tmp_path / "far").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(tmp_path / "far")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert [f.uri for f in walk(["link/../scans"])] == expected, "the parent of what a link leads to, as for the system"


def test_inputs_are_required_before_any_is_walked(tmp_path: Path) -> None:
    require([tmp_path, str(tmp_path)])
    with pytest.raises(NoInput, match="'nowhere'"):
        require([tmp_path, "nowhere"])


def test_a_place_has_one_name_wherever_a_process_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert absolute("lake") == tmp_path / "here" / "lake"
    assert absolute("../lake") == (tmp_path / "lake").resolve()
    assert str(absolute("s3://bucket/lake")) == "s3://bucket/lake"

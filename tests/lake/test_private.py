from __future__ import annotations

from pathlib import Path

import pytest

from radlake.lake.errors import PrivatePartError
from radlake.lake.private import make_private, may_read


def test_the_private_part_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "private"
    make_private(folder)
    make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert may_read(folder)


def test_a_folder_open_to_others_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o755)
    with pytest.raises(PrivatePartError, match="chmod 700"):
        make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_file_is_no_private_part(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o600)
    with pytest.raises(PrivatePartError):
        make_private(tmp_path / "file")
    assert not may_read(tmp_path / "file")
    assert not may_read(None)

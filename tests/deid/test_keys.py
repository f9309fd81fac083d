"""The owner's key: made once, read back, refused where it is not safe."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from radlake.core.errors import RadlakeError
from radlake.deid.keys import KEY_BYTES, KeyProblem, default_key_path, fingerprint, load_key

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def test_a_new_key_is_random_and_read_back(tmp_path: Path) -> None:
    first, second = load_key(tmp_path / "a", create=True), load_key(tmp_path / "b", create=True)
    assert len(first) == KEY_BYTES
    assert first != second
    assert load_key(tmp_path / "a") == first == load_key(tmp_path / "a", create=True)
    assert bytes.fromhex((tmp_path / "a").read_text().strip()) == first


@posix
def test_only_the_owner_may_read_a_new_key(tmp_path: Path) -> None:
    load_key(tmp_path / "deep" / "key", create=True)
    assert (tmp_path / "deep" / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o700


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    load_key(tmp_path / "key", create=True)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(KeyProblem, match="chmod 600"):
        load_key(tmp_path / "key")


def test_a_missing_key_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="no key"):
        load_key(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_a_key_inside_a_lake_is_refused_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "lake" / "private").mkdir(parents=True)
    (tmp_path / "lake" / "lake.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "lake" / "private")
    for path in (tmp_path / "lake" / "key", tmp_path / "link" / "key"):
        with pytest.raises(KeyProblem, match="inside the lake"):
            load_key(path, create=True)
        assert not path.exists()


@pytest.mark.parametrize("text", ["", "00" * 31, "zz" * 32, "00" * 33, "ü" * 64])
def test_a_file_that_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(KeyProblem, match="64 hexadecimal digits") as caught:
        load_key(path)
    assert not text or text not in str(caught.value)


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_key(tmp_path / "key", create=True), range(32)))
    assert len(keys) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_the_key_lies_in_the_configuration_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_key_path() == tmp_path / "radlake" / "key"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_key_path() == tmp_path / ".config" / "radlake" / "key"


def test_fingerprints_tell_keys_apart_and_hide_them() -> None:
    key = bytes(range(32))
    assert fingerprint(key) != fingerprint(bytes(32))
    assert fingerprint(key).replace("-", "") not in key.hex()


def test_a_folder_in_the_place_of_the_key_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(KeyProblem, match="is no file"):
        load_key(tmp_path / "key", create=True)


def test_a_machine_without_a_home_asks_for_a_key_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(KeyProblem, match="--key-file"):
        default_key_path()


def test_a_problem_with_the_key_is_an_error_of_the_program() -> None:
    assert issubclass(KeyProblem, RadlakeError)

"""Places in stores under the methods of paths."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.errors import UsageError
from radlake.core.place import NoStore, Remote, _store, is_remote, place
from tests.conftest import Store


@given(st.lists(st.text("abc .~-_%#?病", min_size=1, max_size=5).filter(lambda n: n not in (".", "..")), max_size=4))
def test_joining_and_taking_the_parent_undo_each_other(names: list[str]) -> None:
    found = Remote("s3://bucket")
    for name in names:
        assert (found / name).parent == found
        assert (found / name).name == name
        found = found / name
    assert place(str(found)) == found
    assert found.key == "/".join(["bucket", *names])


def test_addresses_and_paths_are_told_apart() -> None:
    assert place("a/b") == Path("a/b")
    assert place("C:/scans") == Path("C:/scans")
    assert place("file:///a/b%20c") == Path("/a/b c")
    assert place("hdfs://host:9000/a/./b/") == Remote("hdfs://host:9000/a/b")
    assert place("S3://bucket") == Remote("s3://bucket")
    assert place(Remote("s3://b/a")).parent == Remote("s3://b")
    assert is_remote("s3://b/a")
    assert not is_remote("/s3/a")


@pytest.mark.parametrize("text", ["gs://b/a", "s3://", "s3:///a", "hdfs://user:secret@host/a"])
def test_an_address_that_cannot_be_is_refused_without_its_secret(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        place(text)
    assert "secret" not in str(caught.value)


def test_nothing_leads_out_of_a_bucket() -> None:
    assert place("s3://bucket/a/../../../b") == Remote("s3://bucket/b")


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(NoStore, match=r"pip install 'radlake\[remote\]'"):
        Remote("s3://a-bucket-of-its-own").exists()  # the store of another test may be kept


def test_files_are_written_whole_listed_and_read_by_parts(store: Store) -> None:
    root = place(store.root)
    assert isinstance(root, Remote)
    file = root / "folder" / "a b 病.bin"
    file.write_bytes(b"0123456789")
    (root / "folder" / "sub" / "c.txt").write_bytes(b"")
    assert (file.exists(), file.is_file(), file.is_dir()) == (True, True, False)
    assert ((root / "folder").is_dir(), (root / "none").exists()) == (True, False)
    assert (file.stat().st_size, file.read_bytes()) == (10, b"0123456789")
    assert (file.read_at(2, 3), file.read_at(8, 9)) == (b"234", b"89")
    assert [(p.name, d) for p, d, _ in (root / "folder").scan()] == [("a b 病.bin", False), ("sub", True)]
    assert list((root / "folder").glob("a*")) == [file]
    assert list(root.glob("*/sub/*.txt")) == list(root.rglob("*.txt")) == [root / "folder" / "sub" / "c.txt"]
    with file.open() as stream:
        stream.seek(-2, 2)
        assert stream.read() == b"89"
    file.unlink()
    assert not file.exists()


def test_a_large_file_is_read_by_blocks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radlake.core.place._WHOLE_BYTES", 1000)
    monkeypatch.setattr("radlake.core.place._BLOCK_BYTES", 700)
    data = bytes(range(256)) * 20
    file = place(store.root) / "large.bin"
    file.write_bytes(data)
    with file.open("rb") as stream:
        stream.seek(4000)
        assert stream.read(10) == data[4000:4010]
        stream.seek(0)
        assert stream.read() == data


def test_of_two_that_create_a_file_one_succeeds(store: Store) -> None:
    file = place(store.root) / "one"
    assert isinstance(file, Remote)
    assert file.create(b"first")
    assert not file.create(b"second")
    assert file.read_bytes() == b"first"


def test_errors_of_a_store_are_the_systems_and_quote_no_name(store: Store) -> None:
    file = place(store.root) / "secret name"
    with pytest.raises(FileNotFoundError) as caught:
        file.read_bytes()
    assert "secret name" not in str(caught.value)


def test_without_credentials_the_refusal_says_where_they_belong(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setattr("radlake.core.place._store", _store.__wrapped__)
    with pytest.raises(PermissionError, match="credentials") as caught:
        place(s3.root).exists()
    assert caught.value.errno == errno.EACCES

from __future__ import annotations

import gzip
import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.formats import source as module
from radlake.formats.source import Source, inflated


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def code_of(call: object, *args: object) -> str:
    with pytest.raises(ItemError) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value.code


@settings(max_examples=60)
@given(st.binary(min_size=1, max_size=20_000), st.integers(0, 21_000), st.integers(0, 9_000))
def test_read_at_equals_a_slice_for_plain_and_gzipped_content(data: bytes, offset: int, count: int) -> None:
    data = b"." + data  # content that is itself a gzip stream would be unwrapped
    for content in (data, gzip.compress(data)):
        assert Source("x.bin", data=content).read_at(offset, count) == data[offset : offset + count]


def test_a_file_a_gzip_file_and_a_zip_member_give_the_same_bytes(tmp_path: Path) -> None:
    data = os.urandom(70_000)
    (tmp_path / "a.bin").write_bytes(data)
    (tmp_path / "a.bin.gz").write_bytes(gzip.compress(data))
    packed = archive(tmp_path / "a.zip", {"in/a.bin": data, "in/a.bin.gz": gzip.compress(data)})
    sources = [
        Source(str(tmp_path / "a.bin")),
        Source(str(tmp_path / "a.bin.gz")),
        Source(str(packed), "in/a.bin"),
        Source(str(packed), "in/a.bin.gz"),
    ]
    for source in sources:
        assert (source.size, source.suffix, source.name) == (70_000, ".bin", "a.bin")
        assert source.read_at(69_990, 100) == data[69_990:]
        with source.open() as stream:
            assert stream.read() == data
            stream.seek(5)
            assert stream.read(3) == data[5:8]


def test_a_source_can_be_pickled_and_never_shows_its_path() -> None:
    source = Source("/home/doe^john/scan.dcm", "doe.dcm")
    assert pickle.loads(pickle.dumps(source)) == source
    assert "doe" not in repr(source)


def test_a_missing_file_a_folder_and_a_pipe_are_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", ".", "pipe"):
        assert code_of(Source(str(tmp_path / name)).read_at, 0, 10) == "unreadable_file"


def test_a_file_without_bytes_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").touch()
    assert code_of(Source(str(tmp_path / "a.dcm")).read_at, 0, 10) == "empty_file"
    packed = archive(tmp_path / "a.zip", {"a.dcm": b""})
    assert code_of(Source(str(packed), "a.dcm").read_at, 0, 10) == "empty_file"


def test_a_cut_gzip_stream_is_damaged() -> None:
    data = gzip.compress(os.urandom(100_000))
    assert code_of(Source("a.gz", data=data[:50_000]).read_at, 90_000, 10) == "damaged_archive"


def test_a_wrong_checksum_is_damaged() -> None:
    data = bytearray(gzip.compress(b"x" * 100))
    data[-5] ^= 1
    assert code_of(Source("a.gz", data=bytes(data)).read_at, 0, 1000) == "damaged_archive"


def test_a_damaged_archive_is_named_so(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    assert code_of(Source(str(tmp_path / "a.zip")).member_names) == "damaged_archive"


def test_a_member_behind_a_password_is_locked(tmp_path: Path) -> None:
    packed = archive(tmp_path / "a.zip", {"a.bin": b"secret"})
    data = bytearray(packed.read_bytes())
    data[6] |= 1  # general purpose flag, bit 0: encrypted
    data[data.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(bytes(data))
    assert code_of(Source(str(packed), "a.bin").read_at, 0, 10) == "locked_archive"


def test_a_stream_that_inflates_beyond_its_limit_is_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES", 1 << 20)
    source = Source("a.gz", data=gzip.compress(bytes(4 << 20)))
    assert source.read_at(0, 10) == bytes(10)
    assert code_of(lambda: source.size) == "bomb"
    with source.open() as stream:
        assert code_of(stream.seek, 3 << 20) == "bomb"


def test_a_member_that_promises_too_much_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = archive(tmp_path / "a.zip", {"a.bin": bytes(4 << 20)})
    monkeypatch.setattr(module, "MAX_INFLATED_BYTES", 1 << 20)
    source = Source(str(packed), "a.bin")
    assert code_of(source.check_promise) == "bomb"
    assert code_of(source.read_at, 0, 1) == "bomb"


def test_read_all_refuses_more_than_its_limit() -> None:
    assert Source("a", data=b"12345").read_all(limit=5) == b"12345"
    assert code_of(lambda: Source("a", data=b"123456").read_all(limit=5)) == "too_large"


def test_an_archive_is_read_again_after_it_was_replaced(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.bin": b"first"})
    assert Source(str(path), "a.bin").read_at(0, 9) == b"first"
    archive(path, {"a.bin": b"second, longer"})
    assert Source(str(path), "a.bin").read_at(0, 6) == b"second"


def test_siblings_are_found_beside_files_and_members(tmp_path: Path) -> None:
    for name in ("images/a.png", "labels/a.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    packed = archive(tmp_path / "a.zip", {"images/a.png": b"x", "labels/a.png": b"x"})
    label, member = Source(str(tmp_path / "labels/a.png")), Source(str(packed), "labels/a.png")
    assert label.sibling("../images/a.png") == Source(str(tmp_path / "images/a.png"))
    assert member.sibling("../images/a.png") == Source(str(packed), "images/a.png")
    assert label.sibling("../images/b.png") is None
    assert member.sibling("../images/b.png") is None
    assert label.names_in("../images", limit=9) == ["a.png"]
    assert label.names_in("../none", limit=9) == []


@pytest.mark.parametrize("encoding", ["gzip", "zlib", "bzip2"])
def test_inflated_streams_give_what_was_compressed(encoding: str) -> None:
    import bz2
    import zlib

    data = os.urandom(30_000) + bytes(200_000)
    packed = {"gzip": gzip.compress, "zlib": zlib.compress, "bzip2": bz2.compress}[encoding](data)
    with inflated(io.BytesIO(packed), len(packed), encoding) as stream:  # type: ignore[arg-type]
        assert stream.read(10) == data[:10]
        stream.seek(100)
        assert stream.read() == data[100:]


def test_inflated_refuses_a_cut_stream() -> None:
    packed = gzip.compress(os.urandom(30_000))[:-20_000]
    with inflated(io.BytesIO(packed), len(packed), "gzip") as stream:
        assert code_of(stream.read) == "damaged_archive"

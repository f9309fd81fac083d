from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as example_count
from hypothesis import strategies as st

from radlake.lake.objects import ObjectStore


def test_an_object_is_named_by_its_digest(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "objects")
    reference = store.put(b"abc", ".nii.gz")
    # FIPS 180-2, appendix B.1: SHA-256 of "abc".
    assert reference == "ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.nii.gz"
    assert store.get(reference) == b"abc"


def test_putting_twice_writes_once(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    first = store.path(store.put(b"picture", ".png"))
    before = first.stat().st_mtime_ns, first.stat().st_ino
    assert store.path(store.put(b"picture", ".png")) == first
    assert (first.stat().st_mtime_ns, first.stat().st_ino) == before
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [first]


@example_count(max_examples=25)
@given(data=st.binary(max_size=200))
def test_what_is_put_comes_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    store = pickle.loads(pickle.dumps(ObjectStore(tmp_path_factory.getbasetemp() / "shared objects")))
    reference = store.put(data, "")
    assert store.get(reference) == data
    assert reference[3:] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("reference", ["../../private/x", "ab/../../etc", "/etc/passwd", "", "ab/cd", "aa/" + "b" * 64])
def test_text_that_is_no_reference_opens_nothing(tmp_path: Path, reference: str) -> None:
    with pytest.raises(FileNotFoundError):
        ObjectStore(tmp_path).get(reference)


def test_a_suffix_cannot_name_another_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="suffix"):
        ObjectStore(tmp_path).put(b"x", "/../../x")

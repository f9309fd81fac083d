"""Published data by name: the right file is known, copies are looked into, and without a network it says what to do."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.engine import fetch as module
from radlake.engine.fetch import SETS, NotFetched, Published, fetch

NAME = "made/tiny"


def archive(**changes: np.ndarray) -> bytes:
    arrays: dict[str, np.ndarray] = {}
    for role, n in (("train", 6), ("val", 2), ("test", 4)):
        arrays[f"{role}_images"] = np.zeros((n, 5, 5), np.uint8)
        arrays[f"{role}_labels"] = np.arange(n) % 2
    stream = io.BytesIO()
    np.savez(stream, **(arrays | changes))  # type: ignore[arg-type] # numpy's stub knows no mapping
    return stream.getvalue()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A set whose published file these bytes are."""
    data = archive()
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    monkeypatch.setitem(SETS, NAME, Published("https://x.invalid/t", digest, "CC0", "nobody", (6, 2, 4), (5, 5), 2))
    return data


def served(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def urlopen(url: str, timeout: float) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)

    monkeypatch.setattr(module.urllib.request, "urlopen", urlopen)


def test_a_download_with_the_published_checksum_is_kept(
    tiny: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served(monkeypatch, tiny)
    place, words = fetch(NAME, tmp_path / "数据.npz")
    assert place.read_bytes() == tiny
    assert words == "its checksum is the published one"


def test_another_download_is_refused_and_leaves_nothing(
    tiny: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served(monkeypatch, tiny[:-1])
    with pytest.raises(NotFetched, match="checksum differs"):
        fetch(NAME, tmp_path / "t.npz")
    assert not (tmp_path / "t.npz").exists()


def test_without_a_network_it_is_said_what_to_do(tiny: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served(monkeypatch, urllib.error.URLError("no route"))
    with pytest.raises(NotFetched, match=r"cannot be reached.*radlake fetch made/tiny --from FILE\.npz"):
        fetch(NAME, tmp_path / "t.npz")


def test_a_copy_that_was_saved_again_is_told_from_another_file(tiny: bytes, tmp_path: Path) -> None:
    copy = tmp_path / "copy.npz"
    copy.write_bytes(archive(train_labels=(np.arange(6) % 2).reshape(-1, 1)))
    _, words = fetch(NAME, tmp_path / "t.npz", local=copy)
    assert "its pixels are not checked" in words
    for wrong, told in (
        (archive(test_images=np.zeros((3, 5, 5), np.uint8)), r"expected 4 test images of \(5, 5\), found"),
        (archive(val_labels=np.zeros(2)), "expected 2 classes in val"),
        (b"no archive", "no archive of arrays"),
        (archive(train_labels=np.array([None] * 6)), "no archive of arrays"),  # would have to be unpickled
    ):
        copy.write_bytes(wrong)
        with pytest.raises(NotFetched, match=told):
            fetch(NAME, tmp_path / "other.npz", local=copy)
    assert not (tmp_path / "other.npz").exists()


def test_unknown_names_and_missing_copies_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'medmnist/breastmnist'"):
        fetch("medmnist/breastmnis", tmp_path / "t.npz")
    with pytest.raises(UsageError, match="there is no file"):
        fetch("medmnist/breastmnist", tmp_path / "t.npz", local=tmp_path / "absent.npz")


def test_a_real_copy_is_known(shared: Path, tmp_path: Path) -> None:
    _, words = fetch("medmnist/adrenalmnist3d", tmp_path / "a.npz", local=shared / "medmnist" / "adrenalmnist3d.npz")
    assert words == "its checksum is the published one"
    _, words = fetch("medmnist/breastmnist", tmp_path / "b.npz", local=shared / "medmnist" / "breastmnist.npz")
    assert "not checked" in words

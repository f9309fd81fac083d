from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.header import Header
from radlake.core.image import Image
from radlake.formats import npz
from radlake.formats.source import Source


def saved(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def load(path: Path, header: Header, memory_bytes: int = 1 << 30) -> Image:
    row = header.values | {"uri": str(path), "member": header.member}
    return npz.load([row], {}, memory_bytes=memory_bytes)


def medmnist(path: Path, shape: tuple[int, ...] = (8, 9), dtype: str = "u1") -> tuple[Path, dict[str, Any]]:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for split, count in (("train", 5), ("val", 2), ("test", 3)):
        arrays[f"{split}_images"] = (rng.random((count, *shape)) * 200).astype(dtype)
        arrays[f"{split}_labels"] = rng.integers(0, 9, (count, 1))
    return saved(path, **arrays), arrays


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 3), (7, 8, 9)])
@pytest.mark.parametrize("dtype", ["u1", ">u2", "f4"])
def test_every_image_has_its_pixels_label_and_split(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    path, arrays = medmnist(tmp_path / "a.npz", shape, dtype)
    headers = npz.scan(Source(str(path)))
    assert [h.member for h in headers] == list(range(10))
    assert [h.split for h in headers] == ["train"] * 5 + ["val"] * 2 + ["test"] * 3
    for header, place in ((headers[4], 4), (headers[9], 2)):
        np.testing.assert_array_equal(load(path, header).array, arrays[f"{header.split}_images"][place])
        assert header.labels == {"label": float(arrays[f"{header.split}_labels"][place, 0])}
    assert len({h.identity.series_uid for h in headers}) == 10


def test_several_targets_are_numbered_and_flat_labels_are_taken(tmp_path: Path) -> None:
    images = np.zeros((2, 4, 4), np.uint8)
    several = saved(tmp_path / "a.npz", train_images=images, train_labels=np.array([[1, 0], [0, 1]]))
    assert npz.scan(Source(str(several)))[1].labels == {"label_0": 0.0, "label_1": 1.0}
    flat = saved(tmp_path / "b.npz", train_images=images, train_labels=np.array([3, 4]))
    assert npz.scan(Source(str(flat)))[1].labels == {"label": 4.0}
    without = saved(tmp_path / "c.npz", test_images=images)
    assert npz.scan(Source(str(without)))[0].labels == {}


def test_other_archives_give_each_picture(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", scan=np.ones((3, 4, 5)), note=np.array("text"), ids=np.arange(9))
    [header] = npz.scan(Source(str(path)))
    assert (header.split, load(path, header).array.shape) == (None, (3, 4, 5))


def test_a_stack_that_is_too_large_to_keep_is_read_image_by_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, arrays = medmnist(tmp_path / "a.npz")
    monkeypatch.setattr(npz, "_KEPT_BYTES", 10)
    header = npz.scan(Source(str(path)))[3]
    np.testing.assert_array_equal(load(path, header).array, arrays["train_images"][3])


def test_a_replaced_archive_is_read_again(tmp_path: Path) -> None:
    first = saved(tmp_path / "a.npz", images=np.zeros((2, 4, 4), np.uint8))
    header = npz.scan(Source(str(first)))[0]
    assert load(first, header).array.max() == 0
    first.unlink()
    saved(tmp_path / "a.npz", images=np.full((2, 4, 4), 7, np.uint8))
    assert load(first, header).array.max() == 7


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"train_images": np.zeros((3, 4, 4)), "train_labels": np.zeros(2)}, "contradictory_header"),
        ({"train_images": np.zeros((3, 4, 4)), "train_labels": np.zeros((3, 1, 1))}, "unsupported_format"),
        ({"train_images": np.zeros(3)}, "contradictory_header"),
        ({"weights": np.zeros(3)}, "unsupported_format"),
        ({"images": np.array([{}, {}], dtype=object)}, "unsupported_format"),
    ],
)
def test_archives_that_hold_no_data_set_get_a_code(tmp_path: Path, arrays: dict[str, Any], code: str) -> None:
    with pytest.raises(ItemError) as caught:
        npz.scan(Source(str(saved(tmp_path / "a.npz", **arrays))))
    assert caught.value.code == code


def test_shared_sets_have_the_published_splits(shared: Path) -> None:
    counts = {"breastmnist": (546, 78, 156), "pneumoniamnist": (4708, 524, 624), "adrenalmnist3d": (1188, 98, 298)}
    for name, expected in counts.items():
        headers = npz.scan(Source(str(shared / "medmnist" / f"{name}.npz")))
        assert tuple(sum(h.split == s for h in headers) for s in ("train", "val", "test")) == expected
        positive = sum(h.labels["label"] for h in headers if h.split == "test")
        assert positive == {"breastmnist": 114, "pneumoniamnist": 390, "adrenalmnist3d": 69}[name]

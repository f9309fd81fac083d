from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.formats import npy
from radlake.formats.source import Source


def load(path: Path) -> Image:
    header = npy.scan(Source(str(path)))[0]
    return npy.load([header.values | {"uri": str(path)}], {}, memory_bytes=1 << 30)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["?", "u1", ">i2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(5, 6), (4, 5, 6), (5, 6, 3), (4, 5, 6, 3)])
def test_reads_what_numpy_saved(tmp_path: Path, order: str, dtype: str, shape: tuple[int, ...]) -> None:
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape), dtype=dtype, order=order)  # type: ignore[call-overload]
    np.save(tmp_path / "a.npy", array)
    image = load(tmp_path / "a.npy")
    np.testing.assert_array_equal(image.array, array)
    assert (image.channel_axis is not None) == (shape[-1] == 3)
    assert not image.geometry.calibrated


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.array([{"a": 1}], dtype=object), "unsupported_format"),
        (np.zeros((3, 3), complex), "unsupported_format"),
        (np.zeros((3, 3), "U4"), "unsupported_format"),
        (np.zeros(9), "unsupported_format"),
        (np.zeros((2, 2, 2, 2, 2)), "unsupported_format"),
        (np.zeros((0, 3)), "contradictory_header"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(tmp_path: Path, array: np.ndarray, code: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ItemError) as caught:
        npy.scan(Source(str(tmp_path / "a.npy")))
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["{'shape': (9", "__import__('os').system('true')", "[" * 4000, "{'descr': '<i2'}"])
def test_a_hostile_header_is_unreadable(tmp_path: Path, text: str) -> None:
    body = text.encode().ljust(118) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\0" + len(body).to_bytes(2, "little") + body)
    with pytest.raises(ItemError) as caught:
        npy.scan(Source(str(tmp_path / "a.npy")))
    assert caught.value.code == "unreadable_header"

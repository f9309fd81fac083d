from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.formats import nrrd
from radlake.formats.source import Source

FIELDS = {"type": "short", "dimension": "3", "sizes": "4 3 2", "encoding": "raw", "endian": "little"}
ARRAY = np.arange(24, dtype="<i2").reshape(2, 3, 4)


def load(path: Path, memory_bytes: int = 1 << 30) -> Image:
    header = nrrd.scan(Source(str(path)))[0]
    return nrrd.load([header.values | {"uri": str(path)}], {}, memory_bytes=memory_bytes)


def written(path: Path, data: bytes = ARRAY.tobytes(), **fields: str) -> Path:
    lines = [f"{k}: {v}" for k, v in (FIELDS | {k.replace("_", " "): v for k, v in fields.items()}).items() if v]
    path.write_bytes("\n".join(["NRRD0004", "# made for a test", *lines, "", ""]).encode() + data)
    return path


def tilted(array: np.ndarray, *, vector: bool = False) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(array, isVector=vector)
    if image.GetDimension() == 3:
        c, s = np.cos(0.3), np.sin(0.3)
        image.SetDirection((c, -s, 0, s, c, 0, 0, 0, 1))
    image.SetSpacing((0.5, 0.7, 3.0)[: image.GetDimension()])
    image.SetOrigin((1, -2, 3)[: image.GetDimension()])
    return image


def assert_equals_simpleitk(path: Path) -> None:
    image, oracle = load(path), SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(image.array, SimpleITK.GetArrayFromImage(oracle))
    if oracle.GetDimension() == 3:
        steps = np.reshape(oracle.GetDirection(), (3, 3)) * oracle.GetSpacing()
        np.testing.assert_allclose(image.geometry.affine[:3, [2, 1, 0]], steps, atol=1e-9)
        np.testing.assert_allclose(image.geometry.origin, oracle.GetOrigin())


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_reads_what_simpleitk_wrote(tmp_path: Path, suffix: str, compress: bool, dtype: str) -> None:
    path = tmp_path / f"a{suffix}"
    array = (np.random.default_rng(0).random((3, 4, 5)) * 100).astype(dtype)
    SimpleITK.WriteImage(tilted(array), str(path), compress)
    assert_equals_simpleitk(path)


def test_reads_a_flat_picture_and_colours(tmp_path: Path) -> None:
    flat, colour = tmp_path / "flat.nrrd", tmp_path / "colour.nrrd"
    SimpleITK.WriteImage(tilted(np.arange(20, dtype=np.uint8).reshape(4, 5)), str(flat))
    SimpleITK.WriteImage(tilted(np.arange(180, dtype=np.uint8).reshape(3, 4, 5, 3), vector=True), str(colour))
    assert_equals_simpleitk(flat)
    assert_equals_simpleitk(colour)
    assert load(colour).channel_axis == 3


def test_ras_space_becomes_lps(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.nrrd",
        space="right-anterior-superior",
        space_directions="(2,0,0) (0,3,0) (0,0,4)",
        space_origin="(10,20,30)",
    )
    geometry = load(path).geometry
    assert geometry.origin == (-10.0, -20.0, 30.0)
    assert geometry.spacing == (4.0, 3.0, 2.0)
    assert geometry.direction == ((0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0))
    assert load(written(tmp_path / "b.nrrd", space="RAS", space_directions="(2,0,0) (0,3,0) (0,0,4)")).geometry.spacing


def test_without_spacing_lengths_are_pixels(tmp_path: Path) -> None:
    assert not load(written(tmp_path / "a.nrrd")).geometry.calibrated
    assert load(written(tmp_path / "b.nrrd", spacings="0.5 0.5 nan")).geometry.calibrated is False
    assert load(written(tmp_path / "c.nrrd", spacings="0.5 0.6 2")).geometry.spacing == (2.0, 0.6, 0.5)


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("gz", gzip.compress), ("bzip2", bz2.compress)])
def test_compressed_samples_are_inflated(tmp_path: Path, name: str, pack: object) -> None:
    path = written(tmp_path / "a.nrrd", pack(ARRAY.tobytes()), encoding=name)  # type: ignore[operator]
    np.testing.assert_array_equal(load(path).array, ARRAY)


def test_big_endian_samples_and_skipped_bytes(tmp_path: Path) -> None:
    swapped = ARRAY.astype(">i2").tobytes()
    np.testing.assert_array_equal(load(written(tmp_path / "a.nrrd", swapped, endian="big")).array, ARRAY)
    skipped = written(tmp_path / "b.nrrd", b"line\nxx" + ARRAY.tobytes(), line_skip="1", byte_skip="2")
    np.testing.assert_array_equal(load(skipped).array, ARRAY)
    last = written(tmp_path / "c.nrrd", b"anything" + ARRAY.tobytes(), byte_skip="-1")
    np.testing.assert_array_equal(load(last).array, ARRAY)


def test_a_list_axis_is_time_wherever_it_runs(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.nrrd",
        dimension="4",
        sizes="2 4 3 1",
        kinds="list domain domain domain",
        space="left-posterior-superior",
        space_directions="none (1,0,0) (0,1,0) (0,0,1)",
    )
    image = load(path)
    assert image.array.shape == (2, 1, 3, 4)
    assert image.time_axis == 0
    assert image.array[1, 0, 0, 0] == 1  # time runs fastest in the file


def test_samples_that_end_early_are_truncated(tmp_path: Path) -> None:
    with pytest.raises(ItemError, match="expected 48 bytes of pixels, found 40"):
        load(written(tmp_path / "a.nrrd", ARRAY.tobytes()[:40]))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sizes": ""}, "unreadable_header"),
        ({"sizes": "4 x 2"}, "unreadable_header"),
        ({"sizes": "4 0 2"}, "contradictory_header"),
        ({"sizes": "4 -3 2"}, "contradictory_header"),
        ({"sizes": "99999 99999 99999"}, "bomb"),
        ({"sizes": "4 3"}, "unsupported_format"),
        ({"type": "block"}, "unsupported_format"),
        ({"encoding": "ascii"}, "unsupported_format"),
        ({"data_file": "LIST"}, "unsupported_format"),
        ({"data_file": "absent.raw"}, "no_pixels"),
        ({"data_file": "../../etc/passwd"}, "no_pixels"),
        ({"space_directions": "(0,0,0) (0,1,0) (0,0,1)"}, "contradictory_header"),
        ({"space_directions": "(1,0,0,0) (0,1,0,0) (0,0,1,0)"}, "unsupported_format"),
    ],
)
def test_a_wrong_header_gets_a_code(tmp_path: Path, fields: dict[str, str], code: str) -> None:
    with pytest.raises(ItemError) as caught:
        load(written(tmp_path / "a.nrrd", **fields))
    assert caught.value.code == code


def test_a_header_without_end_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    path.write_bytes(b"NRRD0004\n" + b"# no end\n" * 200_000)
    with pytest.raises(ItemError) as caught:
        nrrd.scan(Source(str(path)))
    assert caught.value.code == "unreadable_header"


def test_reads_every_shared_volume_as_simpleitk_does(shared: Path) -> None:
    paths = sorted(shared.rglob("*.nrrd"))
    assert paths
    for path in paths:
        assert_equals_simpleitk(path)

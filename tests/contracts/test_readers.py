"""Every registered reader on healthy, cut, flipped, random and lying files: one promise for all of them."""

from __future__ import annotations

import gzip
import pickle
import random
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import FAULTS, ItemError
from radlake.core.image import Image
from radlake.core.schema import INSTANCES
from radlake.formats import READERS, Source, load_image, scan_file
from radlake.formats.series import build
from tests import archive
from tests.formats.conftest import members_of, rows_in
from tests.formats.test_hostile import seeds

MIB = 1 << 20
LIMIT = 64 * MIB  # memory that a load may take here
ROUNDS = 60


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small healthy files of every format and its main variants."""
    folder = tmp_path_factory.mktemp("healthy")
    files = seeds(folder)
    archive.ct_slice(folder / "a.dcm", 1)
    files["a.dcm"] = (folder / "a.dcm").read_bytes()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in files}


def load_all(path: Path, *, most: int = 3) -> Iterator[Image]:
    """The images of the first members of a file, each member a series of its own."""
    for row in rows_in(path)[:most]:
        if row["role"] == "image":
            built = build([row])
            for image in built.images:
                yield load_image(members_of(built, image, [row]), image, memory_bytes=LIMIT)


def survives(path: Path) -> None:
    """Scan and load a file that may be anything; a fault has a known code, a message and a hint."""
    try:
        for image in load_all(path):
            assert image.array.nbytes <= LIMIT
    except ItemError as error:
        assert error.code in FAULTS
        assert error.hint


def test_every_format_has_a_healthy_file(healthy: dict[str, Path]) -> None:
    found = {h.format for path in healthy.values() for h in scan_file(Source(str(path)))}
    assert found | {"zip"} == set(READERS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_reader_can_travel_and_is_listed_under_its_name(name: str) -> None:
    reader = READERS[name]
    assert reader.name == name
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in reader.suffixes)
    assert pickle.loads(pickle.dumps(reader)) == reader


def test_headers_hold_columns_of_instances_only(healthy: dict[str, Path]) -> None:
    for name, path in healthy.items():
        for number, header in enumerate(scan_file(Source(str(path)))):
            assert header.member == number, name
            assert set(header.values) <= set(INSTANCES.names), name
            ids = {n for n in header.values if n.endswith("_id")}
            assert not ids, f"{name} puts identities among the technical values"


def test_scanning_and_loading_twice_gives_the_same_bits(healthy: dict[str, Path]) -> None:
    for name, path in healthy.items():
        assert scan_file(Source(str(path))) == scan_file(Source(str(path))), name
        for one, two in zip(load_all(path), load_all(path), strict=True):
            assert one.array.dtype == two.array.dtype, name
            np.testing.assert_array_equal(one.array, two.array)
            assert (one.geometry, one.kind, one.unit) == (two.geometry, two.kind, two.unit)


def test_reading_leaves_the_file_alone(healthy: dict[str, Path]) -> None:
    for path in healthy.values():
        before = (path.read_bytes(), path.stat().st_mtime_ns)
        list(load_all(path))
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_every_cut_of_a_file_is_a_fault_or_an_image(healthy: dict[str, Path], tmp_path: Path) -> None:
    for name, path in healthy.items():
        data = path.read_bytes()
        for place in {0, 1, 3, *range(0, len(data), max(1, len(data) // ROUNDS)), len(data) - 1}:
            (tmp_path / name).write_bytes(data[:place])
            survives(tmp_path / name)


def test_every_flipped_bit_is_a_fault_or_an_image(healthy: dict[str, Path], tmp_path: Path) -> None:
    rng = random.Random(5)
    for name, path in healthy.items():
        for _ in range(ROUNDS):
            data = bytearray(path.read_bytes())
            place = rng.randrange(min(len(data), rng.choice((64, 512, 1 << 20))))
            data[place] ^= 1 << rng.randrange(8)
            (tmp_path / name).write_bytes(data)
            survives(tmp_path / name)


@settings(max_examples=150)
@given(
    data=st.binary(max_size=600),
    suffix=st.sampled_from([*{s for r in READERS.values() for s in r.suffixes}, ".gz", ""]),
)
def test_random_bytes_under_any_suffix_are_a_fault(data: bytes, suffix: str) -> None:
    try:
        headers = scan_file(Source(f"x{suffix}", data=data))
    except ItemError as error:
        assert error.hint
    else:
        assert all(h.role == "document" for h in headers), "a text may be read from anything, an image may not"


@settings(max_examples=150)
@given(data=st.data())
def test_bytes_behind_a_true_magic_are_a_fault_or_a_header(healthy: dict[str, Path], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(healthy)))
    head = healthy[name].read_bytes()[: data.draw(st.integers(4, 400))]
    try:
        scan_file(Source(name, data=head + data.draw(st.binary(max_size=200))))
    except ItemError as error:
        assert error.code in FAULTS


def test_scanning_decodes_no_pixels(tmp_path: Path) -> None:
    """24 MiB of pixels in each file; what a scan takes at once stays far below."""
    size, picture = 2048, np.random.default_rng(0).integers(0, 4095, (3, 2048, 2048), np.uint16)
    archive.dicom(tmp_path / "a.dcm", picture[0], uid="1.2.3", Modality="CT", SeriesInstanceUID="1.2")
    np.save(tmp_path / "a.npy", picture)
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, size, size, 3, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 512, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352.0)
    header[344:348] = b"n+1\0"
    (tmp_path / "a.nii").write_bytes(bytes(header) + bytes(4) + picture.tobytes())
    meta = (
        f"ObjectType = Image\nNDims = 3\nDimSize = {size} {size} 3\nElementType = MET_USHORT\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "a.mha").write_bytes(meta.encode() + picture.tobytes())
    text = f"NRRD0004\ntype: uint16\ndimension: 3\nsizes: {size} {size} 3\nendian: little\nencoding: raw\n\n"
    (tmp_path / "a.nrrd").write_bytes(text.encode() + picture.tobytes())
    for path in sorted(tmp_path.iterdir()):
        scan_file(Source(str(path)))  # imports of the reader's libraries are not counted
        tracemalloc.start()
        (found,) = scan_file(Source(str(path)))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.values["rows"] == size, path.name
        assert peak < 2 * MIB, f"{path.name}: a scan took {peak / MIB:.1f} MiB"


def lying_files() -> dict[str, bytes]:
    """Headers that promise gigabytes behind a few bytes."""
    nifti = bytearray(352)
    struct.pack_into("<i", nifti, 0, 348)
    struct.pack_into("<8h", nifti, 40, 3, 30000, 30000, 30000, 1, 1, 1, 1)
    struct.pack_into("<2h", nifti, 70, 64, 64)
    struct.pack_into("<8f", nifti, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<f", nifti, 108, 352.0)
    nifti[344:348] = b"n+1\0"
    npy = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (90000, 90000, 9), }".ljust(117)
        + b"\n"
    )
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", 200_000, 200_000, 16, 6, 0, 0, 0)
    idat = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (ihdr, idat, b"IEND")]
    size = "90000 90000 9000"
    mha = f"ObjectType = Image\nNDims = 3\nDimSize = {size}\nElementType = MET_DOUBLE\nElementDataFile = LOCAL\n"
    nrrd = f"NRRD0004\ntype: double\ndimension: 3\nsizes: {size}\nendian: little\nencoding: gzip\n\n"
    return {
        "a.nii": bytes(nifti) + bytes(64),
        "a.nii.gz": gzip.compress(bytes(nifti) + bytes(64)),
        "a.npy": npy + bytes(64),
        "a.png": b"\x89PNG\r\n\x1a\n" + b"".join(chunks),
        "a.mha": mha.encode() + bytes(64),
        "a.nrrd": nrrd.encode() + gzip.compress(bytes(64)),
    }


@pytest.mark.parametrize("name", sorted(lying_files()))
def test_a_header_that_promises_gigabytes_is_refused_before_memory_is_taken(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(lying_files()[name])
    tracemalloc.start()
    with pytest.raises(ItemError) as caught:
        list(load_all(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code in ("too_large", "bomb", "truncated_pixels", "unreadable_header", "contradictory_header")
    assert peak < LIMIT


@pytest.mark.parametrize(("rows", "frames"), [(65535, 1), (512, 2_000_000)])
def test_a_dicom_header_that_promises_gigabytes_is_refused(tmp_path: Path, rows: int, frames: int) -> None:
    archive.ct_slice(
        tmp_path / "a.dcm", 1, identify=lambda ds: ds.update({"Rows": rows, "Columns": rows, "NumberOfFrames": frames})
    )
    path = tmp_path / "a.dcm"
    tracemalloc.start()
    with pytest.raises(ItemError) as caught:
        list(load_all(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code in ("too_large", "bomb", "truncated_pixels")
    assert peak < LIMIT


def test_a_bomb_in_a_zip_is_refused(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.nii", bytes(300 * MIB))
    tracemalloc.start()
    with pytest.raises(ItemError):
        list(load_all(tmp_path / "a.zip"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300 * MIB

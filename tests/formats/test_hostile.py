"""Hostile files of every format but DICOM: a code comes back, never a crash, a hang or a memory shortage."""

from __future__ import annotations

import io
import random
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import tifffile
from PIL import Image as Pillow

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.formats import READERS, Source, load_image, scan_file
from radlake.formats.nifti import to_bytes

ARRAY = (np.arange(216).reshape(3, 8, 9) % 200).astype(np.int16)
ARRAYS = {"a.npy": {"arr": ARRAY}, "a.npz": {"train_images": ARRAY, "train_labels": np.arange(3)}}
PATIENT = b'{"resourceType": "Patient", "id": "1", "gender": "male", "name": [{"family": "Doe"}]}'
CDA = (
    b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section><title>Findings</title>'
    b"<text>None.</text></section></component></structuredBody></component></ClinicalDocument>"
)
SECONDS = 5.0  # a healthy file takes milliseconds; the machine may be busy


def seeds(folder: Path) -> dict[str, bytes]:
    """One small healthy file of each format and of the main variants."""
    files: dict[str, bytes] = {}
    packed = to_bytes(Image(ARRAY, Geometry((3.0, 1.0, 1.0))))
    files["a.nii.gz"] = packed
    files["a.nii"] = Source("a.nii", data=packed).read_all(limit=1 << 20)
    for suffix in ("nrrd", "mha"):
        for compress in (False, True):
            path = folder / f"{compress}.{suffix}"
            SimpleITK.WriteImage(SimpleITK.GetImageFromArray(ARRAY), str(path), compress)
            files[path.name] = path.read_bytes()
    grey = Pillow.fromarray(ARRAY[0].astype(np.uint8))
    for mode, name in (("L", "a.png"), ("RGB", "b.png"), ("P", "p_mask.png"), ("L", "a.jpg"), ("RGB", "b.jpg")):
        stream = io.BytesIO()
        grey.convert(mode).save(stream, "PNG" if name.endswith("png") else "JPEG")
        files[name] = stream.getvalue()
    for compression in (None, "zlib"):
        stream = io.BytesIO()
        tifffile.imwrite(stream, ARRAY.astype(np.uint16), compression=compression, photometric="minisblack")
        files[f"{compression}.tif"] = stream.getvalue()
    for name, save in (("a.npy", np.save), ("a.npz", np.savez_compressed)):
        stream = io.BytesIO()
        save(stream, **ARRAYS[name])
        files[name] = stream.getvalue()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.nii", "a.png", "a.jpg"):
            archive.writestr(name, files[name])
    files["a.zip"] = stream.getvalue()
    files |= {"a.json": PATIENT, "a.xml": CDA, "a.txt": b"MRN: 12\nFINDINGS: none\nIMPRESSION: normal\n"}
    return files


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The file cut short, or with bytes changed (most often in its header), or with bytes put in."""
    if rng.random() < 0.2:
        return data[: rng.randrange(len(data) + 1)]
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(min(len(changed), rng.choice((64, 400, len(changed)))))
        changed[place] = rng.choice((0, 255, 127, rng.randrange(256), changed[place] ^ (1 << rng.randrange(8))))
    if rng.random() < 0.1:
        place = rng.randrange(len(changed))
        changed[place:place] = rng.randbytes(rng.randrange(20))
    return bytes(changed)


def read(path: Path) -> int:
    """Number of images and documents in a file, the first few loaded."""
    headers = scan_file(Source(str(path)))
    for header in headers[:3]:
        if READERS[header.format].load is not None:
            row = header.values | {
                "uri": str(path),
                "member": header.member,
                "member_name": header.member_name,
                "format": header.format,
            }
            load_image([row], {}, memory_bytes=256 << 20)
    return len(headers)


def survive(folder: Path, rounds: int, seed: int) -> None:
    rng, files = random.Random(seed), seeds(folder)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        assert read(folder / name) > 0, name
    for number in range(rounds):
        name = list(files)[number % len(files)]
        (folder / name).write_bytes(mutated(files[name], rng))
        start = time.monotonic()
        try:
            read(folder / name)
        except ItemError as error:
            assert error.hint
        assert time.monotonic() - start < SECONDS, f"{name} in round {number} of seed {seed}"


def test_mutated_files_give_a_code_or_an_image(tmp_path: Path) -> None:
    survive(tmp_path, 4000, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_more_mutated_files_give_a_code_or_an_image(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, 40_000, seed)

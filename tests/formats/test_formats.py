"""The list of readers and the three doors of the room."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from radlake.core.fault import Ignored, ItemError
from radlake.core.header import Header
from radlake.core.image import Geometry, Image
from radlake.core.schema import INSTANCES
from radlake.formats import READERS, Source, load_image, load_regions, scan_file
from radlake.formats.nifti import to_bytes


def test_every_reader_is_complete_and_can_be_sent_to_a_worker() -> None:
    for name, reader in READERS.items():
        assert reader.name == name
        assert all(s.startswith(".") and s == s.lower() for s in reader.suffixes)
        assert reader.sniff(b"", "") is False
        assert pickle.loads(pickle.dumps(reader)) == reader


def test_listing_the_readers_imports_no_library_of_theirs() -> None:
    code = "import sys, radlake.formats; print(*[m for m in {names} if m in sys.modules])".format(
        names=["pydicom", "nibabel", "SimpleITK", "tifffile", "PIL", "imagecodecs", "cv2", "pandas", "openpyxl"]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_content_decides_before_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(to_bytes(Image(np.zeros((2, 3, 4), np.uint8), Geometry((1.0, 1.0, 1.0)))))
    assert scan_file(Source(str(path)))[0].format == "nifti"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.dat", bytes(range(256)) * 40, "not_an_image"),
        ("a.tar", bytes(257) + b"ustar" + bytes(200), "unsupported_format"),
        ("a.csv", b"id,age\n1,2\n", "side_file"),
        ("a.py", b"print(1)", "side_file"),
        ("README", b"Nothing to see", "side_file"),
        ("a.json", b'{"a": 1}', "side_file"),
        ("a.xml", b"<annotation/>", "side_file"),
        ("a.gif", b"GIF89a" + bytes(50), "unsupported_format"),
        ("a.sqlite", b"SQLite format 3\0" + bytes(90), "side_file"),
    ],
)
def test_files_that_no_reader_takes_get_a_reason(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ItemError) as caught:
        scan_file(Source(str(tmp_path / name)))
    assert caught.value.code == code
    assert caught.value.ignored == (code == "side_file")
    assert caught.value.hint


def test_formats_without_pixels_or_regions_say_so() -> None:
    with pytest.raises(ItemError) as no_pixels:
        load_image([{"format": "fhir", "uri": "a.json"}], {})
    assert no_pixels.value.code == "no_pixels"
    image = Image(np.zeros((2, 2)), Geometry((1.0, 1.0)))
    with pytest.raises(ItemError) as no_regions:
        load_regions({"format": "jpeg", "uri": "a.jpg"}, image)
    assert no_regions.value.code == "unsupported_format"


def all_headers(folder: Path) -> list[tuple[Path, Header]]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                found += [(path, h) for h in scan_file(Source(str(path)))[:3]]
            except Ignored:
                continue
    return found


@pytest.mark.parametrize(
    "name", ["ct_mr_organs", "ibsi", "pyradiomics", "us_nerve_seg", "retina_vessels", "cxr_covid", "medmnist"]
)
def test_shared_folders_load_in_the_size_that_their_headers_state(shared: Path, name: str) -> None:
    columns, images, masks = set(INSTANCES.names), 0, 0
    for path, header in all_headers(shared / name):
        assert header.values.keys() <= columns
        row = header.values | {"uri": str(path), "member": header.member, "format": header.format, "role": header.role}
        if header.format == "dicom":
            continue
        image = load_image([row], {})
        extents = [row[c] or 1 for c in ("frames", "slices", "rows", "columns", "samples")]
        assert image.array.size == np.prod(extents)
        images += header.role == "image"
        if header.role == "label":
            target = Source((header.identity.referenced_series_uid or "").removeprefix("file:"))
            [found] = scan_file(target)
            original = load_image([found.values | {"uri": target.uri, "format": found.format}], {})
            masks += any(mask.any() for _, mask in load_regions(row, original))
    expected = {
        "ct_mr_organs": (8, 1),
        "us_nerve_seg": (41, 41),
        "retina_vessels": (18, 36),
        "cxr_covid": (61, 0),
        "medmnist": (9, 0),
    }
    assert images > 0
    if name in expected:
        assert (images, masks) == expected[name]

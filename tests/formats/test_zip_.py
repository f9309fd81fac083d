from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from radlake.core.fault import Ignored, ItemError
from radlake.core.image import Geometry, Image
from radlake.formats import load_image, load_regions, scan_file
from radlake.formats.nifti import to_bytes
from radlake.formats.source import Source

VOLUME = to_bytes(Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), Geometry((3.0, 2.0, 1.0))))
LABELS = to_bytes(Image(np.eye(3, 4, dtype=np.uint8)[None].repeat(2, 0), Geometry((3.0, 2.0, 1.0)), "label"))


def packed(path: Path, members: dict[str, bytes]) -> Source:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return Source(str(path))


def test_members_of_many_formats_are_read_where_they_lie(tmp_path: Path) -> None:
    dicom = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    members = {
        "Müller/images/a.nii.gz": VOLUME,
        "Müller/labels/a.nii.gz": LABELS,
        "Müller/ct.dcm": dicom,
        "Müller/readme.txt": b"nothing here",
        "__MACOSX/Müller/._ct.dcm": b"\0\5\x16\7",
        "Müller/empty/": b"",
    }
    source = packed(tmp_path / "a.zip", members)
    headers = scan_file(source)
    assert [(h.member, h.format, h.role) for h in headers] == [
        (0, "nifti", "image"),
        (1, "nifti", "label"),
        (2, "dicom", "image"),
    ]
    assert [h.member_name for h in headers] == list(members)[:3]
    rows = [
        h.values | {"uri": source.uri, "member_name": h.member_name, "member": h.member, "format": h.format}
        for h in headers
    ]
    image = load_image(rows[:1], {})
    assert image.array[1, 2, 3] == 23
    [(name, mask)] = load_regions(rows[1] | {"role": "label"}, image)
    assert (name, int(mask.sum())) == ("label_1", 6)
    assert headers[1].identity.referenced_series_uid == headers[0].identity.series_uid


def test_one_bad_member_costs_itself_only(tmp_path: Path) -> None:
    source = packed(tmp_path / "a.zip", {"bad.nii.gz": VOLUME[:40], "good.nii.gz": VOLUME})
    faults: list[ItemError] = []
    headers = scan_file(source, faults=faults)
    assert [h.member_name for h in headers] == ["good.nii.gz"]
    assert [f.code for f in faults] == ["damaged_archive"]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"a.nii.gz": VOLUME[:40], "b.txt": b"text"}, "damaged_archive"),
        ({"inner.zip": b"PK\x03\x04" + bytes(40)}, "unsupported_format"),
        ({"inner.npz": b"PK\x03\x04" + bytes(40)}, "unsupported_format"),
    ],
)
def test_an_archive_without_a_readable_member_gets_its_first_problem(
    tmp_path: Path, members: dict[str, bytes], code: str
) -> None:
    with pytest.raises(ItemError) as caught:
        scan_file(packed(tmp_path / "a.zip", members))
    assert caught.value.code == code


@pytest.mark.parametrize("members", [{}, {"a.csv": b"x,y", "b.md": b"# text"}])
def test_an_archive_of_side_files_is_ignored(tmp_path: Path, members: dict[str, bytes]) -> None:
    with pytest.raises(Ignored):
        scan_file(packed(tmp_path / "a.zip", members))


def test_a_workbook_is_no_archive_of_images(tmp_path: Path) -> None:
    with pytest.raises(Ignored):
        scan_file(packed(tmp_path / "a.xlsx", {"xl/workbook.xml": b"<x/>"}))

"""Every kind of finding can be found: each is planted into a cleaned folder, and verifying the folder tells it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from pydicom import dcmread

from radlake.deid.verify import leak, verify
from tests.deid.heads import head, write_slices
from tests.deid.verify.test_init import cleaned
from tests.deid.verify.test_pictures import _gps
from tests.deid.verify.test_pixels import picture

MORE = {
    "PatientAddress": "Quellgasse 14, Hinterzarten", "PatientTelephoneNumbers": "040-4477123",
    "DeviceSerialNumber": "SN-88231-X", "AdmissionID": "ADM-55120",
}  # fmt: skip


def comment(text: str) -> Callable[[Path, Path], None]:
    """A text in the cleaned file."""
    return lambda dest, source: change(dest, ImageComments=text)


def change(dest: Path, **values: object) -> None:
    """Attributes of the cleaned file; None: gone."""
    dataset = dcmread(dest / "a.dcm")
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(dest / "a.dcm")


def face(dest: Path, source: Path) -> None:
    """Slices of a head that say that no face is left."""
    for path in write_slices(head((5.0, 2.0, 2.0), hu=True).image, dest / "head"):
        dataset = dcmread(path)
        dataset.RecognizableVisualFeatures = "NO"
        dataset.save_as(path)


PLANTS: dict[str, Callable[[Path, Path], object]] = {
    "name": comment("CT of Xenia Q"),
    "patient id": comment("4711 HQX 471108"),
    "accession number": comment("acc99731"),
    "date": comment("11.8.1947"),
    "institution": comment("SANKT-QUIRIN-KLINIK"),
    "address": comment("Quellgasse 14, Hinterzarten"),
    "contact": comment("0404477123"),
    "device": comment("sn 88231 x"),
    "uid": lambda dest, source: change(dest, StudyInstanceUID=dcmread(source / "in.dcm").StudyInstanceUID),
    "other identifier": comment("ADM55120"),
    "mail address": comment("x@y.example.org"),
    "web address": comment("https://example.org/a"),
    "phone number": comment("+49 761 203 1234"),
    "social security number": comment("123-45-6789"),
    "record number": comment("MRN 99482716"),
    "date in text": comment("seen 2019-05-17"),
    "person name": comment("Smythe^Jane"),
    "network address": comment("192.0.2.17"),
    "unreadable": lambda dest, source: (dest / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged"),
    "unknown format": lambda dest, source: (dest / "b.bin").write_bytes(b"\0\1\2"),
    "not marked as cleaned": lambda dest, source: change(dest, PatientIdentityRemoved=None),
    "date kept": lambda dest, source: change(dest, ContentDate="20240615"),
    "place of taking": lambda dest, source: _gps(dest / "b.jpg"),
    "text in pixels": lambda dest, source: picture(dest / "b.png", "QUUXBERG 1947"),
    "face": face,
}


def kinds() -> set[str]:
    """All kinds that the verifier may tell."""
    return {kind for part in (leak.SourceKind, leak.ShapeKind, leak.FileKind) for kind in get_args(part)}


def test_there_is_a_plant_for_each_kind() -> None:
    assert set(PLANTS) == kinds()


@pytest.mark.parametrize("kind", PLANTS)
def test_each_kind_is_told_and_without_the_plant_it_is_not(kind: str, tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path, **MORE)
    looked = "auto" if kind == "text in pixels" else "off"
    assert kind not in verify(dest, source, read_pixels=looked, set_aside=False).counts()
    PLANTS[kind](dest, source)
    assert kind in verify(dest, source, read_pixels=looked).counts()

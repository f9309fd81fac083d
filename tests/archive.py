"""A small messy archive for tests of the whole way: real file layouts, generated pixels, invented identities."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image as Picture
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, UltrasoundImageStorage

ROOT_UID = "1.2.826.0.1.3680043.8.498"
Identify = Callable[[Dataset], None]


def phantom(z: float, size: int = 48) -> np.ndarray:
    """A slice of a round body with a bright core, in stored CT values."""
    y, x = np.mgrid[:size, :size] - size / 2
    body = x**2 + y**2 < (size / 2.6) ** 2
    core = x**2 + y**2 + (4 * z) ** 2 < (size / 6) ** 2
    noise = np.random.default_rng(int(1000 + z)).normal(0, 12, (size, size))
    return (np.where(body, 1040, 24) + 300 * core + noise).clip(0, 4095).astype(np.uint16)


def dicom(path: Path, pixels: np.ndarray, *, uid: str, identify: Identify | None = None, **values: object) -> None:
    """Write a DICOM file with the given elements."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = values.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = uid
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = uid
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 0
    for name, value in values.items():
        setattr(dataset, name, value)
    if identify:
        identify(dataset)
    dataset.PixelData = pixels.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def ct_slice(
    path: Path, number: int, *, patient: str = "P1", series: int = 1, identify: Identify | None = None
) -> None:
    """One slice of a CT series, 3 mm apart."""
    dicom(
        path,
        phantom(number - 3),
        uid=f"{ROOT_UID}.{series}.{number}",
        identify=identify,
        SOPClassUID=CTImageStorage,
        Modality="CT",
        PatientID=patient,
        PatientName=f"Invented^{patient}",
        PatientSex="F",
        PatientAge="061Y",
        StudyDate="20190311",
        StudyInstanceUID=f"{ROOT_UID}.9.{series}",
        SeriesInstanceUID=f"{ROOT_UID}.{series}",
        FrameOfReferenceUID=f"{ROOT_UID}.8.{series}",
        Manufacturer="SIEMENS",
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        InstanceNumber=number,
        ImagePositionPatient=[-20.0, -20.0, 3.0 * number],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        PixelSpacing=[0.8, 0.8],
        SliceThickness=3.0,
        RescaleSlope=1,
        RescaleIntercept=-1024,
        WindowCenter=40,
        WindowWidth=400,
    )


def build(folder: Path, *, identify: Identify | None = None) -> None:
    """Two CT series, an ultrasound picture, a NIfTI pair, a picture, an archive, a report, and broken things."""
    for number in range(1, 7):
        ct_slice(folder / "ct one" / f"IM{number:04d}", number, identify=identify)
        ct_slice(folder / "病人" / f"{number}.dcm", number, patient="P2", series=2, identify=identify)
    ultrasound = np.random.default_rng(5).integers(0, 255, (60, 80)).astype(np.uint8)
    dicom(
        folder / "us.dcm",
        ultrasound,
        uid=f"{ROOT_UID}.3.1",
        identify=identify,
        SOPClassUID=UltrasoundImageStorage,
        Modality="US",
        PatientID="P1",
        StudyInstanceUID=f"{ROOT_UID}.9.3",
        SeriesInstanceUID=f"{ROOT_UID}.3",
    )
    _nifti(folder)
    Picture.fromarray(ultrasound).save(folder / "scan.png")
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        archive.write(folder / "scan.png", "inside/first.png")
        archive.write(folder / "ct one" / "IM0001", "inside/IM0001")
    (folder / "notes.csv").write_text("patient_id,relapse\nP1,1\nP2,0\nP7,1\n")
    (folder / "bundle.json").write_text(json.dumps({"resourceType": "Patient", "id": "x", "gender": "female"}))
    _broken(folder)


def _nifti(folder: Path) -> None:
    """A volume and the label map that belongs to it."""
    volume = np.stack([phantom(z, 32) for z in range(-4, 4)], axis=-1).astype(np.int16)
    affine = np.diag([-1.0, -1.0, 2.5, 1.0])
    nib.save(nib.Nifti1Image(volume, affine), folder / "brain.nii.gz")
    nib.save(nib.Nifti1Image((volume > 1200).astype(np.uint8), affine), folder / "brain_mask.nii.gz")


def _broken(folder: Path) -> None:
    """Files that cannot be used: empty, cut short, random bytes, not an image."""
    (folder / "empty.dcm").write_bytes(b"")
    whole = (folder / "ct one" / "IM0001").read_bytes()
    (folder / "header only.dcm").write_bytes(whole[:400])
    dicom(
        folder / "short.dcm",
        phantom(0),
        uid=f"{ROOT_UID}.4.1",
        SOPClassUID=SecondaryCaptureImageStorage,
        Modality="OT",
        StudyInstanceUID=f"{ROOT_UID}.9.4",
        SeriesInstanceUID=f"{ROOT_UID}.4",
    )
    (folder / "short.dcm").write_bytes((folder / "short.dcm").read_bytes()[:-500])
    (folder / "random.dcm").write_bytes(np.random.default_rng(1).bytes(3000))
    (folder / "program.bin").write_bytes(np.random.default_rng(2).bytes(3000))

"""200 planted identifiers, in headers, paths, archives, texts and tables: no byte of the shareable lake holds one."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import random
import warnings
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pyarrow.parquet as pq
import pytest
from faker import Faker
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ComprehensiveSRStorage

from radlake.deid.join import Request
from radlake.deid.keys import load_key
from radlake.engine.join import join
from radlake.engine.progress import Lines
from radlake.engine.release import release
from radlake.report import write as write_report
from tests import archive
from tests.engine.conftest import Place

_TEXTS = """
    InstitutionName InstitutionAddress StationName ProtocolName SeriesDescription StudyDescription ImageComments
    PatientComments AdditionalPatientHistory Occupation RequestedProcedureDescription DeviceSerialNumber
    InstitutionalDepartmentName PatientAddress MilitaryRank EthnicGroup CountryOfResidence RegionOfResidence
    ManufacturerModelName SoftwareVersions ContrastBolusAgent DerivationDescription FilterType ConvolutionKernel
    SequenceName PatientPosition BodyPartExamined Manufacturer"""
_PEOPLE = """
    PatientName OtherPatientNames PatientMotherBirthName ReferringPhysicianName PerformingPhysicianName OperatorsName
    NameOfPhysiciansReadingStudy RequestingPhysician PhysiciansOfRecord ResponsiblePerson"""
_NUMBERS = "PatientID AccessionNumber StudyID AdmissionID PatientTelephoneNumbers MedicalRecordLocator"


class Planter:
    """Invents identifiers, remembers them, and puts them into files."""

    def __init__(self, seed: int):
        self.fake = Faker(["en_US", "de_DE", "pl_PL"])
        Faker.seed(seed)
        self.rng = random.Random(seed)
        self.planted: set[str] = set()

    def name(self) -> str:
        first, last = self.fake.first_name() + "xq", self.fake.last_name() + "zw"  # no report word ends like this
        self.planted |= {first, last}
        return f"{last}^{first}"

    def number(self) -> str:
        text = f"{self.rng.randrange(10**8, 10**9)}"
        self.planted.add(text)
        return text

    def words(self) -> str:
        plain = "".join(c for c in self.fake.city() if c.isascii() and c.isalpha())
        text = f"{plain[:10]}qv {self.number()}"
        self.planted.add(text.split(maxsplit=1)[0])
        return text

    def identify(self, dataset: Dataset) -> None:
        """Fill a DICOM object with identities at several depths."""
        dataset.SpecificCharacterSet = "ISO_IR 192"
        for keyword in _PEOPLE.split():
            setattr(dataset, keyword, self.name())
        for keyword in _TEXTS.split():
            setattr(dataset, keyword, self.words()[:16].strip())
        for keyword in _NUMBERS.split():
            with contextlib.suppress(Exception):
                setattr(dataset, keyword, self.number()[:16])
        dataset.ImageType = ["ORIGINAL", "PRIMARY", self.words().split()[0].upper()]
        inner = Dataset()
        inner.PatientID, inner.TypeOfPatientID = self.number(), "TEXT"
        outer = Dataset()
        outer.PersonName, outer.OtherPatientIDsSequence = self.name(), Sequence([inner])
        dataset.PersonIdentificationCodeSequence = Sequence([outer])
        block = dataset.private_block(0x0029, self.words()[:16].strip(), create=True)
        block.add_new(0x01, "LO", self.name())


def _report_object(path: Path, planter: Planter) -> None:
    """A structured report whose text names people."""

    def identify(dataset: Dataset) -> None:
        planter.identify(dataset)
        item = Dataset()
        item.ValueType, item.RelationshipType = "TEXT", "CONTAINS"
        who, call = planter.name().replace("^", " "), planter.number()
        item.TextValue = f"Nodule of 12 mm in the left lung. Seen by Dr. {who}, call {call}."
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "121071", "DCM", "Finding"
        item.ConceptNameCodeSequence = Sequence([code])
        dataset.ValueType, dataset.ContentSequence = "CONTAINER", Sequence([item])
        del dataset.Rows

    archive.dicom(
        path,
        np.zeros((2, 2), np.uint8),
        uid=f"{archive.ROOT_UID}.70.1",
        identify=identify,
        SOPClassUID=ComprehensiveSRStorage,
        Modality="SR",
        StudyInstanceUID=f"{archive.ROOT_UID}.71",
        SeriesInstanceUID=f"{archive.ROOT_UID}.72",
    )


def _plant(folder: Path, planter: Planter) -> None:
    """An archive full of identities."""
    home = folder / planter.name() / planter.number()
    for number in range(1, 5):
        archive.ct_slice(home / f"{planter.name()} {number}.dcm", number, identify=planter.identify)
    archive.ct_slice(folder / "broken" / f"{planter.name()}.dcm", 1, series=5, identify=planter.identify)
    broken = next((folder / "broken").iterdir())
    broken.write_bytes(broken.read_bytes()[:-900])
    _report_object(folder / "report.dcm", planter)
    volume = nib.Nifti1Image(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6), np.eye(4))
    volume.header["descrip"], volume.header["db_name"] = planter.name()[:79].encode(), planter.number()[:17].encode()
    nib.save(volume, folder / f"{planter.name()}.nii.gz")
    chunk = PngInfo()
    chunk.add_text("Author", planter.name())
    picture = Picture.fromarray(np.random.default_rng(1).integers(0, 255, (40, 40)).astype(np.uint8))
    picture.save(folder / f"{planter.name()}.png", pnginfo=chunk)
    with zipfile.ZipFile(folder / f"{planter.name()}.zip", "w") as packed:
        packed.write(folder / "report.dcm", f"{planter.name()}/{planter.number()}.dcm")
    patient = {
        "resourceType": "Patient",
        "id": planter.number(),
        "name": [{"family": planter.name()}],
        "telecom": [{"value": planter.number()}],
    }
    (folder / "patient.json").write_text(json.dumps(patient))
    (folder / f"{planter.name()}.txt").write_text(
        f"FINDINGS: {planter.name()} has a cyst.\nIMPRESSION: call {planter.number()}."
    )
    (folder / f"{planter.name()}.xyz").write_bytes(b"\1\2\3" * 50)


def _everything(root: Path) -> dict[str, bytes]:
    """Every byte of the shareable part: files as they are, and what is inside Parquet and gzip."""
    found = {}
    for path in (p for p in root.rglob("*") if p.is_file() and "private" not in p.relative_to(root).parts):
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data += str(pq.read_table(path).to_pydict()).encode() + str(pq.read_metadata(path).metadata).encode()
        elif path.suffix == ".gz":
            data += gzip.decompress(data)
        found[str(path.relative_to(root))] = data + path.name.encode()
    return found


@pytest.mark.slow
def test_no_planted_identifier_reaches_the_shareable_lake(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    planter, place, log = Planter(7), Place(tmp_path), io.StringIO()
    with warnings.catch_warnings(action="ignore"):  # pydicom, about texts that do not fit their attribute
        _plant(place.source, planter)
    place.run(progress=Lines(log))
    table = place.folder / "outcomes.csv"
    known = planter.number()
    table.write_text(f"patient_id,surname,relapse\nP1,{planter.name()},1\n{known},{planter.name()},0\n")
    counts = join(
        place.lake(),
        str(table),
        load_key(place.key_file),
        Request("patient_id", targets=("relapse",), keep=("surname",)),
    )
    write_report(place.lake())
    release(place.lake(), place.folder / "released")
    assert len(planter.planted) >= 200
    assert counts["labels"] + counts["faults"] == 2
    needles = [(t, v.encode()) for t in planter.planted for v in {t, t.lower(), t.upper()}]
    spoken = {"output": "".join(capfd.readouterr()).encode(), "log": log.getvalue().encode()}
    for name, data in {
        **_everything(place.folder / "lake"),
        **_everything(place.folder / "released"),
        **spoken,
    }.items():
        hits = {text for text, needle in needles if needle in data}
        assert not hits, f"{name} holds {hits}"
    held = str(place.lake().read("sources").to_pydict())
    assert any(text in held for text in planter.planted)  # the private part does: the needles are real
    assert place.lake().sql("SELECT count(*) AS n FROM documents WHERE value LIKE '%12 mm%'")["n"][0].as_py() >= 1

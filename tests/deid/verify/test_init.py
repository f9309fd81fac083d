"""The verifier as a whole: independent of the cleaner, and able to see that a cleaner was sabotaged."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

import radlake.deid.verify as package
from radlake import deid
from radlake.deid import actions, dataset, dates, text
from radlake.deid.verify import verify

KEY = b"k" * 32
ALLOWED = ("radlake.core.", "radlake.lake.durable", "radlake.formats.", "radlake.imaging.window", "radlake.deid.verify")
PERSON = {
    "PatientName": "Quuxberg^Xenia", "PatientID": "HQX-471108", "AccessionNumber": "ACC99731",
    "InstitutionName": "Sankt Quirin Klinik", "PatientBirthDate": "19470811",
    "StudyDescription": "Chest CT of Xenia Quuxberg", "StudyDate": "20240228", "StudyTime": "101530",
}  # fmt: skip


def person(folder: Path, **more: str) -> Path:
    """A CT of an invented person."""
    ds = dcmread(get_testdata_file("CT_small.dcm"))
    for keyword, value in {**PERSON, **more}.items():
        setattr(ds, keyword, value)
    folder.mkdir(parents=True, exist_ok=True)
    ds.save_as(folder / "in.dcm")
    return folder / "in.dcm"


def cleaned(tmp_path: Path, profile: str = "strict", **more: str) -> tuple[Path, Path]:
    """Folders of a cleaned file and of its source."""
    source = person(tmp_path / "in", **more)
    deid.deidentify_file(source, tmp_path / "out" / "a.dcm", profile=profile, key=KEY)  # type: ignore[arg-type]
    return tmp_path / "out", tmp_path / "in"


def test_it_shares_no_code_with_the_cleaner() -> None:
    for path in Path(str(package.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith("radlake") or name.startswith(ALLOWED) or name == "radlake.deid", path.name
                if name == "radlake.deid":
                    assert [alias.name for alias in node.names] == ["ledger"], path.name  # the account, no rule


def test_it_does_not_even_load_the_cleaner() -> None:
    script = (
        "import sys, radlake.deid.verify;"
        "loaded = [m for m in sys.modules if m.startswith('radlake.deid.')];"
        "assert all(m.startswith(('radlake.deid.verify', 'radlake.deid.ledger')) for m in loaded), loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("profile", ["strict", "research"])
def test_what_was_cleaned_passes(tmp_path: Path, profile: str) -> None:
    dest, source = cleaned(tmp_path, profile)
    report = verify(dest, source, read_pixels="off")
    assert (report.files, report.sources, report.leaks) == (1, 1, ())


def _texts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "clean_text", lambda value, known: value)


def _uids_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "keyed_uid", lambda key, uid: uid)


def _dates_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dates, "shift_date", lambda value, days: value)


def _names_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions.Person, "other", lambda self, patient_id, issuer: patient_id)


def _nothing_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset._Cleaner, "_drop", lambda self, tag, what="": None)
    monkeypatch.setattr(dataset._Cleaner, "_element", lambda self, source, tag, *_: source.get_item(tag))


@pytest.mark.parametrize(
    ("sabotage", "kind"),
    [
        (_texts_stay, "name"),
        (_uids_stay, "uid"),
        (_dates_stay, "date"),
        (_names_stay, "patient id"),
        (_nothing_is_removed, "institution"),
    ],
)
def test_it_sees_that_the_cleaner_was_sabotaged(
    sabotage: object, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)  # type: ignore[operator]
    dest, source = cleaned(tmp_path, "research")
    report = verify(dest, source, read_pixels="off")
    assert kind in report.counts()
    assert not list(dest.glob("*.dcm"))


def test_the_sabotage_is_not_one_of_a_copy() -> None:
    assert text.clean_text is actions.clean_text  # the name that is replaced above is the one that the cleaner calls


def test_who_made_the_device_is_no_place_of_treatment(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path, InstitutionName="TOSHIBA", Manufacturer="TOSHIBA MEC")
    assert verify(dest, source, read_pixels="off").leaks == ()

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom import dcmread

from radlake.core.errors import UsageError
from radlake.core.fault import Ignored, ItemError
from radlake.deid.files import Input, Settings, clean

KEY = b"k" * 32
FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
FILE_ID = "fi-mnopqrstuvwx"


def test_a_cleaned_object_is_called_by_its_new_uids(tmp_path: Path) -> None:
    found = clean(Input(FOLDER / "CT_small.dcm", "x.dcm", FILE_ID), tmp_path, Settings(KEY, pixels="off"))
    after = dcmread(tmp_path / found.name)
    assert found.name == "/".join(
        [after.PatientID, after.StudyInstanceUID, after.SeriesInstanceUID, f"{after.SOPInstanceUID}_mnopqrst.dcm"]
    )
    assert (found.format, found.pixel_text) == ("dicom", "clean")
    assert any(row.action == "pseudonym" for row in found.audit)


def test_an_old_path_is_kept_as_far_as_it_names_nobody(tmp_path: Path) -> None:
    before = dcmread(FOLDER / "CT_small.dcm")
    relative = f"liver/{before.PatientID}/{before.PatientName}.dcm"
    found = clean(
        Input(FOLDER / "CT_small.dcm", relative, FILE_ID), tmp_path, Settings(KEY, names="keep", pixels="off")
    )
    assert found.name.startswith("liver/")
    assert str(before.PatientID) not in found.name
    assert (tmp_path / found.name).is_file()


def test_pixels_that_nobody_looked_at_are_unchecked(tmp_path: Path, quiet: None) -> None:
    names = {"examples_ybr_color.dcm": "unchecked", "rtplan.dcm": None}
    for name, expected in names.items():
        assert clean(Input(FOLDER / name, name, FILE_ID), tmp_path, Settings(KEY, pixels="off")).pixel_text == expected


def test_what_cannot_be_cleaned_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"resourceType": "Patient"}')
    (tmp_path / "a.py").write_text("print(1)")
    for name, kind, code in (("a.json", ItemError, "not_cleanable"), ("a.py", Ignored, "side_file")):
        with pytest.raises(kind) as caught:
            clean(Input(tmp_path / name, name, FILE_ID), tmp_path / "out", Settings(KEY, pixels="off"))
        assert caught.value.code == code
    assert not (tmp_path / "out").exists()


def test_a_source_is_never_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "liver.dcm"
    place.write_bytes((FOLDER / "CT_small.dcm").read_bytes())
    with pytest.raises(UsageError, match="one file"):
        clean(Input(place, "liver.dcm", FILE_ID), tmp_path, Settings(KEY, names="keep", pixels="off"))
    assert place.read_bytes() == (FOLDER / "CT_small.dcm").read_bytes()


def test_the_key_is_never_shown() -> None:
    assert "kkk" not in repr(Settings(KEY, pixels="off"))

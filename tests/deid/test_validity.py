"""Cleaned objects are as valid as they were: dciodvfy (dicom3tools) finds no error that it did not find before."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest

from radlake import deid
from radlake.core.fault import ItemError
from radlake.deid.profiles import PROFILES

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
PICKED = [
    "CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "test-SR.dcm", "rtplan.dcm", "rtdose.dcm", "examples_ybr_color.dcm",
    "liver_1frame.dcm", "waveform_ecg.dcm", "SC_rgb_jpeg_dcmtk.dcm",
]  # fmt: skip
_UID = re.compile(r"(?<=UID )\d[\d.]*|\d+(?:\.\d+){2,}")


def errors(path: Path) -> set[str]:
    """Errors that dciodvfy reports, without the UIDs that they quote."""
    ended = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False)
    lines = (ended.stderr + ended.stdout).decode("latin-1").splitlines()
    return {_UID.sub("UID", line) for line in lines if line.startswith("Error")}


def check(names: list[str], folder: Path) -> int:
    """Compare errors before and after; return how many files were cleaned."""
    cleaned, worse = 0, {}
    for name in names:
        for profile in PROFILES:
            try:
                deid.deidentify_file(FOLDER / name, folder / "out.dcm", profile=profile, key=b"k" * 32)
            except ItemError:
                continue
            cleaned += 1
            if new := errors(folder / "out.dcm") - errors(FOLDER / name):
                worse[name, profile] = new
    assert worse == {}
    return cleaned


@pytest.fixture
def dciodvfy() -> None:
    """Skip where the oracle is not installed."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy of dicom3tools is absent")


def test_cleaning_makes_no_new_errors(dciodvfy: None, tmp_path: Path, quiet: None) -> None:
    assert errors(FOLDER / "test-SR.dcm")  # the oracle does find some
    assert check(PICKED, tmp_path) == 2 * len(PICKED)


@pytest.mark.soak
def test_cleaning_makes_no_new_errors_in_any_file(dciodvfy: None, tmp_path: Path, quiet: None) -> None:
    assert check([p.name for p in sorted(FOLDER.glob("*.dcm"))], tmp_path) > 100

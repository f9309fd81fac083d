from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from radlake.core.errors import UsageError
from radlake.deid import actions
from radlake.deid.profiles import PROFILES
from radlake.deid.rows import Profile
from radlake.deid.selftest import run, selftest

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
PICTURES = {".csv", ".gz", ".jpeg", ".jpg", ".json", ".md", ".npy", ".npz", ".nrrd", ".png", ".rst", ".txt"}
PICKED = [
    ["CT_small.dcm", "MR_small_implicit.dcm"],
    ["test-SR.dcm", "rtplan.dcm"],
    ["MR_small_bigendian.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm"],
]


@pytest.mark.parametrize(("seed", "profile"), [(1, "research"), (2, "strict"), (2, "research"), (3, "strict")])
def test_nothing_that_was_planted_is_left_and_everything_needed_is(seed: int, profile: Profile, quiet: None) -> None:
    marks = selftest([FOLDER / name for name in PICKED[seed - 1]], seed=seed, profile=profile)
    assert (marks.leaks("listed"), marks.leaks("unlisted"), marks.crashes, marks.refused) == ([], [], [], {})
    assert marks.right == 1
    assert marks.files == len(PICKED[seed - 1])
    assert marks.planted > 4000 * marks.files
    assert marks.sheet.right["patient id consistent"] == (marks.files + 1) // 2


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100))
def test_a_hundred_plantings_leave_nothing(seed: int, shared: Path, quiet: None) -> None:
    every = sorted(p for f in (FOLDER, shared) for p in f.rglob("*") if p.is_file() and p.suffix not in PICTURES)
    for profile in PROFILES:
        marks = selftest(every[seed % 10 :: 10], seed=seed, profile=profile, again=5)
        assert (marks.leaks("listed"), marks.leaks("unlisted"), marks.crashes) == ([], [], [])
        assert marks.right >= 0.999
        assert not marks.sheet.wrong.get("tag retained")


def test_stand_ins_that_differ_from_time_to_time_are_marked_down(monkeypatch: pytest.MonkeyPatch, quiet: None) -> None:
    count = itertools.count()
    monkeypatch.setattr(actions, "keyed_uid", lambda key, uid: f"2.25.{next(count)}")
    monkeypatch.setattr(actions.Person, "other", lambda self, patient_id, issuer: f"pt-{next(count)}")
    marks = selftest([FOLDER / "CT_small.dcm", FOLDER / "MR_small.dcm"], seed=1, profile="strict")
    wrong = Counter(marks.sheet.wrong["UID consistent"])
    assert wrong == {"UID consistent": 1, "in another process": 2}
    assert len(marks.sheet.wrong["patient id consistent"]) == 1


def test_what_a_pseudonym_spells_is_no_leak_and_what_any_key_leaves_is(tmp_path: Path, quiet: None) -> None:
    marks = run.Marks("strict")
    sitting = run._sit(FOLDER / "CT_small.dcm", tmp_path, 0, 7, "strict")
    assert sitting is not None
    assert run._clean(sitting, marks)
    pseudonym = max(re.findall("[a-z]+", str(pydicom.dcmread(sitting.out).PatientID)), key=len)
    sitting.key.needles.update({pseudonym: "listed by chance", "Confidentiality": "listed and left"})
    assert sitting.key.leaks(sitting.out.read_bytes()) == ["listed and left", "listed by chance"]
    run._mark(sitting, marks)
    assert marks.leaks("listed") == ["listed and left"]


def test_crashes_are_counted_and_do_not_end_the_examination(monkeypatch: pytest.MonkeyPatch, quiet: None) -> None:
    def crash(*_: object, **__: object) -> Dataset:
        raise RuntimeError

    monkeypatch.setattr("radlake.deid.dataset.write_method", crash)
    marks = selftest([FOLDER / "CT_small.dcm"], seed=1, profile="strict")
    assert (marks.crashes, marks.files) == (["RuntimeError"], 0)


def test_a_folder_without_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no scan")
    with pytest.raises(UsageError, match="found none"):
        selftest([tmp_path / "a.txt"], seed=1, profile="strict")


def test_the_score_table_has_a_line_for_each_action(quiet: None) -> None:
    lines = list(selftest([FOLDER / "CT_small.dcm"], seed=4, profile="strict").lines())
    assert len(lines) == 13
    assert "text removed" in lines[4]
    assert "0 listed, 0 unlisted; 0 crashes" in lines[-1]

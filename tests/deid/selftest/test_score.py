"""Each of the ten actions can be marked wrong."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from radlake import deid
from radlake.deid.profiles import options_of
from radlake.deid.ps315 import rules_for
from radlake.deid.selftest.plant import Key, plant
from radlake.deid.selftest.score import Sheet, mark_file
from tests.deid.selftest.test_plant import written

OPTIONS = options_of("research")


@pytest.fixture(scope="module")
def sitting() -> tuple[Dataset, Dataset, Key]:
    """A planted file, cleaned, with its key."""
    before = dcmread(str(get_testdata_file("CT_small.dcm")))
    key = plant(before, rules_for(str(before.SOPClassUID), OPTIONS), 5)
    after, _ = deid.deidentify(before, profile="research", key=b"k" * 32)
    return before, after, key


def marked(sitting: tuple[Dataset, Dataset, Key], after: Dataset) -> Sheet:
    """The sheet of a file."""
    before, _, key = sitting
    return mark_file(before, after, written(after), key, rules_for(str(before.SOPClassUID), OPTIONS))


def test_a_well_cleaned_file_has_everything_right(sitting: tuple[Dataset, Dataset, Key]) -> None:
    sheet = marked(sitting, sitting[1])
    assert {action: places for action, places in sheet.wrong.items() if places} == {}
    assert all(sheet.right[a] > 10 for a in ("tag retained", "text not null", "text retained", "text removed"))
    assert all(sheet.right[a] > 10 for a in ("date shifted", "UID changed"))
    assert sheet.rate("pixels hidden") is None


@pytest.mark.parametrize(
    ("keyword", "bad", "left", "good"),
    [
        ("NumberOfFrames", "1A", "", True),  # no number: nothing of it may stay
        ("NumberOfFrames", "1A", "1A", False),
        ("NumberOfFrames", "2", "", False),
        ("PixelPaddingValue", [0, 40, 4176], None, True),
        ("SOPClassUID", "1.2.3.4711", "2.25.1", True),  # as "UID changed" asks for
        ("SOPClassUID", "1.2.3.4711", None, True),
        ("SOPClassUID", "1.2.3.4711", "1.2.3.4711", False),
        ("SOPClassUID", "1.3.46.670589.5.0.1.1", "1.3.46.670589.5.0.1.1", True),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.66.7", True),  # newer than pydicom
    ],
)
def test_what_an_attribute_cannot_hold_must_go_and_the_rest_must_stay(
    keyword: str, bad: object, left: object, good: bool, quiet: None
) -> None:
    before, after = holding(keyword, bad), Dataset() if left is None else holding(keyword, left)
    sheet = mark_file(before, after, b"", Key(), rules_for("", OPTIONS))
    assert (sheet.right["tag retained"], len(sheet.wrong.get("tag retained", ()))) == (int(good), int(not good))


def test_no_mark_asks_for_what_another_forbids(quiet: None) -> None:
    before, other = holding("SOPClassUID", "1.2.3.4711"), holding("SOPClassUID", "2.25.1")
    sheets = [mark_file(before, after, b"", Key(), rules_for("", OPTIONS)) for after in (other, Dataset(), before)]
    assert [(sheet.right["tag retained"], sheet.right["UID changed"]) for sheet in sheets] == [(1, 1), (1, 0), (0, 0)]


def holding(keyword: str, value: object) -> Dataset:
    """A data set with one element; 1A, which nothing but a damaged file makes an IS of, comes from such a file."""
    found = Dataset()
    if value == "1A":
        found[keyword] = dcmread(str(get_testdata_file("badVR.dcm")))[keyword]
    else:
        found.add_new(keyword, dictionary_VR(keyword), value)
    return found


SPOILS: dict[str, tuple[str, Callable[[Dataset, Dataset], object]]] = {
    "a needed attribute is gone": ("tag retained", lambda ds, old: delattr(ds, "PixelSpacing")),
    "a needed attribute is another": ("tag retained", lambda ds, old: setattr(ds, "Rows", 1)),
    "an attribute that must be filled is empty": (
        "text not null",
        lambda ds, old: setattr(ds, "VerifyingObserverName", ""),
    ),
    "harmless words are gone": ("text retained", lambda ds, old: setattr(ds, "StudyDescription", "[...]")),
    "a name is left": ("text removed", lambda ds, old: setattr(ds, "PatientComments", str(old.PatientName))),
    "a date is gone": ("date shifted", lambda ds, old: delattr(ds, "StudyDate")),
    "a date stayed": ("date shifted", lambda ds, old: setattr(ds, "StudyDate", old.StudyDate)),
    "a date moved otherwise": ("date shifted", lambda ds, old: setattr(ds, "StudyDate", "19330101")),
    "a UID stayed": ("UID changed", lambda ds, old: setattr(ds, "StudyInstanceUID", old.StudyInstanceUID)),
    "a UID is gone": ("UID changed", lambda ds, old: delattr(ds, "SeriesInstanceUID")),
    "a UID is none": ("UID changed", lambda ds, old: setattr(ds, "SeriesInstanceUID", "2.25.01")),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_badly_cleaned_file_is_marked_down(spoil: str, sitting: tuple[Dataset, Dataset, Key], quiet: None) -> None:
    action, change = SPOILS[spoil]
    after = deepcopy(sitting[1])
    change(after, sitting[0])
    sheet = marked(sitting, after)
    assert sheet.wrong[action]
    assert (sheet.rate(action) or 0) < 1

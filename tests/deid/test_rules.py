from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radlake import deid
from radlake.core.errors import UsageError
from radlake.deid.rules import Rule, Rulebook, apply, apply_to_element, edges_of, parse, rulebook

KEY = b"k" * 32
TEXT = """
profile: research
options: [retain-uids]
dicom:
  PatientAge: {bin: 10}
  PatientWeight: {generalise: 5}
  InstitutionName: hash
  StudyDescription: drop
  PatientName: {mask: 1}
  ProtocolName: {generalise: {Thorax routine: CHEST}}
  "0018,1020": {replace: "1.0"}
tables:
  zip: {mask: 3}
"""


def test_rules_are_read_with_their_profile_and_options() -> None:
    book = parse(TEXT)
    assert (book.profile, book.options, book.tables) == ("research", ("retain-uids",), {"zip": Rule("mask", 3)})
    assert book.dicom[0x00181020] == Rule("replace", "1.0")
    assert rulebook("strict") == Rulebook("strict")
    assert rulebook(book) is book


def test_own_rules_are_the_last_word_at_every_depth(tmp_path: Path) -> None:
    (tmp_path / "规则.yaml").write_text(TEXT, encoding="utf-8")
    ds, item = Dataset(), Dataset()
    ds.PatientName, ds.PatientAge, ds.PatientWeight, ds.InstitutionName = "Doe^John", "047Y", "71.5", "Clinic"
    ds.StudyDescription, ds.ProtocolName, ds.SoftwareVersions = "Chest", "Thorax routine", "7"
    item.InstitutionName, item.PatientAge = "Clinic", "101Y"
    ds.SourceImageSequence = Sequence([item])
    ds.SOPInstanceUID = "1.2.3.4"
    clean, audit = deid.deidentify(ds, profile=tmp_path / "规则.yaml", key=KEY)
    assert (clean.PatientName, clean.PatientAge, clean.PatientWeight) == ("D*******", "040Y", 70)
    assert (clean.ProtocolName, clean.SoftwareVersions, clean.SOPInstanceUID) == ("CHEST", "1.0", "1.2.3.4")
    assert "StudyDescription" not in clean
    assert clean.InstitutionName == clean.SourceImageSequence[0].InstitutionName
    assert clean.InstitutionName.startswith("code-")
    assert clean.SourceImageSequence[0].PatientAge == "100Y"
    binned = [(row.path, row.count) for row in audit if row.action == "own rule: bin"]
    assert binned == [("0008,2112/0010,1010", 1), ("0010,1010", 1)]
    assert "own rules" in clean.DeidentificationMethod


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (Rule("drop"), "x", None),
        (Rule("replace", "y"), "x", "y"),
        (Rule("mask", 3), "66123", "661**"),
        (Rule("mask", 9), "661", "***"),
        (Rule("generalise", 5), "72.5", "75"),
        (Rule("generalise", 5), "-72.6", "-75"),
        (Rule("generalise", {"a": "b"}), "c", "other"),
        (Rule("bin", 10), "47", "40-50"),
        (Rule("bin", (0.0, 18.0, 65.0)), "65", None),
        (Rule("bin", 10), "Smith", None),
    ],
)
def test_values_follow_their_rule(rule: Rule, value: str, expected: str | None) -> None:
    assert apply(rule, value, KEY, "column") == expected


def test_stand_ins_are_keyed_and_differ_between_columns() -> None:
    first = apply(Rule("hash"), "Clinic", KEY, "a")
    assert first == apply(Rule("hash"), " Clinic", KEY, "a")
    assert first not in {apply(Rule("hash"), "Clinic", KEY, "b"), apply(Rule("hash"), "Clinic", b"other", "a")}
    assert len(first or "") <= 16


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000))
def test_a_number_lies_in_its_bin(number: int, width: int) -> None:
    low, high = edges_of(Rule("bin", width), number) or (0, 0)
    assert low <= number < high
    assert high - low == width


def test_ages_keep_their_unit() -> None:
    assert apply_to_element(Rule("generalise", 5), "AS", "013M", KEY, 0x00101010) == "015M"
    assert apply_to_element(Rule("bin", 10), "AS", "abcY", KEY, 0x00101010) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dicomm: {}", "did you mean dicom"),
        ("profile: strikt", "no profile"),
        ("options: [retain-uid]", "did you mean retain-uids"),
        ("dicom: {PatientAgee: drop}", "did you mean PatientAge"),
        ("dicom: {PatientAge: binn}", "did you mean bin"),
        ("dicom: {PatientAge: bin}", "bin needs a width"),
        ("dicom: {PatientAge: {bin: [65, 18]}}", "ascending"),
        ("dicom: {PatientAge: {mask: 1}}", "holds numbers"),
        ("dicom: {PatientName: {bin: 1}}", "holds text"),
        ("dicom: {StudyInstanceUID: hash}", "only be dropped"),
        ("dicom: {PatientName: {mask: -1}}", "characters that stay"),
        ("dicom: {PatientName: {hash: 3}}", "hash needs nothing"),
        ("dicom: [a]", "expected a rule for each name"),
        ("[a", "no YAML"),
        ("a", "expected the sections"),
    ],
)
def test_what_is_no_rule_is_refused_with_the_nearest_word(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        rulebook(tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match="no profile"):
        rulebook("reserch")  # type: ignore[arg-type]


def test_a_rulebook_is_called_by_its_profile_and_a_digest_of_its_rules() -> None:
    first, second = parse("dicom: {PatientAge: {bin: 10}}"), parse("dicom: {PatientAge: {bin: 5}}")
    assert rulebook("research").name == "research"
    assert first.name.startswith("strict with own rules ")
    assert len({first.name, second.name, parse("dicom: {PatientAge: {bin: 10}}").name}) == 2

"""The list of kept elements, and that nobody asks for an element which is not on it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from radlake.formats.dicom import tags

ACCESSORS = {"text", "texts", "number", "numbers", "integer", "tag", "items", "first", "common", "of", "vector"}
MODULES = sorted(Path(tags.__file__).parent.glob("*.py"))
NAMES = {wanted.name for wanted in tags.WANTED.values()}


def asked_for(path: Path) -> set[str]:
    """Keywords, recognised by their capitals, among the arguments of calls that ask `Elements`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(getattr(node, "func", None), "attr", None) or getattr(getattr(node, "func", None), "id", None)
        if isinstance(node, ast.Call) and name in ACCESSORS:
            found |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return {keyword for keyword in found if keyword[:1].isupper() and keyword.isalnum()}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_modules_ask_only_for_listed_elements(path: Path) -> None:
    if path.stem in ("suv", "values", "header", "multiframe", "placement", "identity", "content"):
        assert asked_for(path) <= NAMES


def test_the_search_for_questions_finds_some() -> None:
    assert sum(len(asked_for(path)) for path in MODULES) > 60


def test_standard_elements_have_the_vr_of_the_dictionary() -> None:
    for wanted in tags.WANTED.values():
        tag = tag_for_keyword(wanted.name)
        if tag is not None and not wanted.stop:
            assert wanted.vr.decode() == dictionary_VR(tag)


def test_every_listed_keyword_exists() -> None:
    groups = (tags.META, tags.IDENTITY, tags.IDENTIFYING, tags.ACQUISITION, tags.PLACE, tags.PIXELS)
    groups += (tags.FUNCTIONAL_GROUPS, tags.PET, tags.REFERENCES, tags.REGIONS, tags.REPORT)
    assert set(" ".join(groups).split()) <= NAMES


def test_all_person_names_are_kept() -> None:
    assert {"PatientName", "OperatorsName", "ReferringPhysicianName", "PersonName"} <= set(tags.PERSON_NAMES) <= NAMES

"""SOP classes and modalities, against pydicom's registry of UIDs."""

from __future__ import annotations

import pytest
from pydicom._uid_dict import UID_dictionary

from radlake.core.fault import Ignored
from radlake.core.image import KINDS
from radlake.formats.dicom.classes import is_image_class, kind_of, modality_of, role_of

STORAGE = {uid: name for uid, (name, *_) in UID_dictionary.items() if name.endswith("Storage")}
STORAGE |= {uid: name for uid, (name, *_) in UID_dictionary.items() if "Image Storage" in name}


def reason(uid: str) -> str | None:
    try:
        role_of(uid)
    except Ignored as nothing:
        return nothing.code
    return None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Presentation State Storage", "presentation_only"),
        ("Key Object Selection", "selection_only"),
        ("Treatment Record", "plan_only"),
        ("RT Plan", "plan_only"),
        ("RT Ion Plan", "plan_only"),
        ("Radiation Record", "plan_only"),
        ("Waveform Storage", "waveform_only"),
        ("Hanging Protocol", "presentation_only"),
        ("Color Palette", "presentation_only"),
        ("Procedure Protocol Storage", "plan_only"),
    ],
)
def test_objects_without_anything_to_keep_say_why(words: str, code: str) -> None:
    uids = [uid for uid, name in STORAGE.items() if words in name and " SR " not in name]
    assert uids
    assert {reason(uid) for uid in uids} == {code}


def test_every_image_class_is_an_image() -> None:
    images = [uid for uid, name in STORAGE.items() if "Image Storage" in name]
    assert len(images) > 50
    assert {role_of(uid) for uid in images} == {"image"}
    assert all(map(is_image_class, images))


def test_every_structured_report_is_a_document() -> None:
    reports = [uid for uid, name in STORAGE.items() if " SR Storage" in name]
    assert len(reports) > 15
    assert {role_of(uid) for uid in reports} == {"document"}


def test_segmentations_and_structure_sets_have_their_roles() -> None:
    by_name = {name: uid for uid, name in STORAGE.items()}
    assert role_of(by_name["Segmentation Storage"]) == "segmentation"
    assert role_of("1.2.840.10008.5.1.4.1.1.66.7") == "segmentation"
    assert role_of(by_name["RT Structure Set Storage"]) == "structures"
    assert reason("1.2.840.10008.1.3.10") == "directory_record"


def test_a_uid_is_no_prefix_of_its_neighbour() -> None:
    """...1.1.11 is a presentation state, ...1.1.1 and ...1.1.128 are images; 481.2 is a dose, 481.25 an instruction."""
    root = "1.2.840.10008.5.1.4.1.1."
    assert [reason(root + tail) for tail in ("1", "128", "481.2", "481.23")] == [None] * 4
    assert reason(root + "481.25") == "plan_only"


def test_unknown_classes_are_images_if_they_have_pixels() -> None:
    assert role_of("1.2.3.4") == role_of("") == "image"
    assert not is_image_class("1.2.3.4")


def test_modality_falls_back_to_the_class_and_never_to_free_text() -> None:
    assert modality_of("MR", "") == "MR"
    assert modality_of("mr of Mr Smith", "1.2.840.10008.5.1.4.1.1.128") == "PT"
    assert modality_of("Smith", "1.2.3") == modality_of(None, "") == "OT"


def test_every_kind_is_known() -> None:
    terms = ["CT", "MR", "PT", "NM", "US", "CR", "DX", "MG", "XA", "RF", "SM", "ES", "SEG", "SR", "OT", "RTDOSE"]
    assert {kind_of(term) for term in terms} <= set(KINDS)
    assert [kind_of(t) for t in ("CT", "MR", "PT", "NM", "IVUS", "DX", "OP", "nonsense")] == [
        "ct", "mr", "pet", "nm", "us", "xray", "optical", "other",
    ]  # fmt: skip

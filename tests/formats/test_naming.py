from __future__ import annotations

from pathlib import Path

import pytest

from radlake.formats.naming import kind_of, modality_of, referenced_by
from radlake.formats.source import Source


def laid_out(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


@pytest.mark.parametrize(
    ("label", "image"),
    [
        ("labels/hippocampus_001.nii.gz", "images/hippocampus_001.nii.gz"),  # Decathlon, course copy
        ("labelsTr/case_1.nii.gz", "imagesTr/case_1_0000.nii.gz"),  # nnU-Net
        ("masks/0042.png", "images/0042.jpg"),
        ("CT_mask.nii.gz", "CT_image.nii.gz"),  # IBSI validation cohort
        ("brain1_label.nrrd", "brain1_image.nrrd"),  # PyRadiomics
        ("subvolume-label.nrrd", "subvolume.nrrd"),
        ("Image_01L_1stHO.png", "Image_01L.jpg"),  # CHASE_DB1
        ("mask/mask.nii.gz", "image/phantom.nii.gz"),  # IBSI phantoms
        ("segmentations/liver.nii.gz", "ct.nii.gz"),  # TotalSegmentator
        ("example_seg_mr.nii.gz", "example_mr_sm.nii.gz"),
        ("scan (1) mask.nii", "scan (1).nii"),
        ("肺_seg.nii", "肺.nii"),
    ],
)
def test_a_label_map_finds_its_image(tmp_path: Path, label: str, image: str) -> None:
    laid_out(tmp_path, label, image)
    named, found = referenced_by(Source(str(tmp_path / label)))
    assert named
    assert found == Source(str(tmp_path / image))
    assert referenced_by(Source(str(tmp_path / image))) == (False, None)


def test_a_label_map_with_two_possible_images_names_none(tmp_path: Path) -> None:
    laid_out(tmp_path, "case_seg.nii", "case_t1.nii", "case_t2.nii")
    assert referenced_by(Source(str(tmp_path / "case_seg.nii"))) == (True, None)


def test_a_word_inside_a_word_says_nothing(tmp_path: Path) -> None:
    laid_out(tmp_path, "segovia_masked.nii", "segovia.nii")
    assert referenced_by(Source(str(tmp_path / "segovia_masked.nii"))) == (False, None)


def test_a_crowded_folder_is_not_listed(tmp_path: Path) -> None:
    laid_out(tmp_path, "a_mr_seg.nii", "a_x_mr.nii", *(f"other_{i}.nii" for i in range(600)))
    assert referenced_by(Source(str(tmp_path / "a_mr_seg.nii"))) == (True, None)


@pytest.mark.parametrize(
    ("path", "kind", "modality"),
    [
        ("x/CT_image.nii", "ct", "CT"),
        ("set_ct/nifti/image/phantom.nii", "ct", "CT"),
        ("a/b/c/ct/d/e/f/phantom.nii", "other", "OT"),
        ("us_nerve_seg/images/1.png", "us", "US"),
        ("sub-1_T1w.nii.gz", "mr", "MR"),
        ("ct_mr/sm.nii", "other", "OT"),
        ("ct_mr/sm_mr.nii", "mr", "MR"),
        ("retina_vessels/x.jpg", "optical", "OT"),
        ("doctor/active.png", "other", "OT"),
    ],
)
def test_names_tell_the_kind(path: str, kind: str, modality: str) -> None:
    assert kind_of(Source(path)) == kind
    assert modality_of(kind_of(Source(path))) == modality

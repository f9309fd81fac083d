"""Features from files: equal to those of the arrays, whatever the format; what does not fit is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.engine.measure import BadSettings, measure, settings
from radlake.engine.one import Unfit
from radlake.engine.parameters import BadParameter
from radlake.engine.registry import UnknownName
from radlake.features import extract
from radlake.features.pyradiomics import execute
from radlake.features.pyradiomics_settings import Parameters
from radlake.formats.nifti import to_bytes

RNG = np.random.default_rng(8)
GRID = Geometry((3.0, 1.0, 0.8), origin=(4.0, -20.0, 7.0))
SCAN = Image(RNG.normal(50, 20, (6, 14, 15)).astype(np.int16), GRID, "ct", "HU")
LABELS = Image(np.zeros((6, 14, 15), np.uint8), GRID, "label", "label")
LABELS.array[1:4, 3:9, 2:9] = 2
LABELS.array[5, 10:13, 10:14] = 7


def _write(folder: Path, image: Image, name: str) -> Path:
    path = folder / name
    path.write_bytes(to_bytes(image))
    return path


def _values(table: object, roi: str) -> dict[str, float]:
    rows = table.to_pylist()  # type: ignore[attr-defined]
    return {row["name"]: row["value"] for row in rows if row["roi"] == roi}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """An image and its labels, in a folder with an awkward name."""
    folder = tmp_path / "a study 病人"
    folder.mkdir()
    return _write(folder, SCAN, "ct.nii.gz"), _write(folder, LABELS, "ct_labels.nii.gz")


def test_values_are_those_of_extract(pair: tuple[Path, Path]) -> None:
    table = measure(*pair, settings("default", None))
    assert table["roi"].unique().to_pylist() == ["label_2", "label_7"]
    expected = extract(SCAN, LABELS.array == 2, preset="default")
    ours = table.filter([row == "label_2" for row in table["roi"].to_pylist()])
    for column in ("family", "aggregation", "code", "name", "unit", "reason"):
        assert ours[column].to_pylist() == expected[column].to_pylist()
    # NIfTI keeps spacing in single precision
    assert ours["value"].to_numpy(zero_copy_only=False) == pytest.approx(
        expected["value"].to_numpy(zero_copy_only=False), rel=1e-5, nan_ok=True
    )


def test_one_label_is_chosen_by_name_and_goes_by_its_alias(pair: tuple[Path, Path]) -> None:
    table = measure(*pair, settings("default", None), rois=["nodule"], aliases={"label_7": "nodule"})
    assert table["roi"].unique().to_pylist() == ["nodule"]
    with pytest.raises(Unfit, match="no region is called so; there are: label_2, label_7"):
        measure(*pair, settings("default", None), rois=["label_3"])


def test_a_cut_and_turned_mask_is_put_in_its_place_and_a_shifted_one_refused(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    turned = Image(
        LABELS.array[:, ::-1, 1:],
        Geometry(GRID.spacing, (4.8, -20.0 + 13.0, 7.0), ((0, 0, 1), (0, -1, 0), (1, 0, 0))),
        "label",
        "label",
    )
    same = measure(pair[0], _write(tmp_path, turned, "m.nii"), settings("default", None))
    assert _values(same, "label_2") == pytest.approx(
        _values(measure(*pair, settings("default", None)), "label_2"), rel=1e-5
    )
    shifted = Image(LABELS.array, Geometry(GRID.spacing, (4.4, -20.0, 7.0)), "label", "label")
    with pytest.raises(Unfit, match=r"lie between those of the image \(image 6 x 14 x 15, .*resample the mask"):
        measure(pair[0], _write(tmp_path, shifted, "m.nii"), settings("default", None))


def test_masks_without_a_region_are_told(pair: tuple[Path, Path], tmp_path: Path) -> None:
    empty = _write(tmp_path, LABELS.with_array(np.zeros_like(LABELS.array)), "m.nii")
    with pytest.raises(Unfit, match="the mask holds no voxel; check the outline"):
        measure(pair[0], empty, settings("default", None))
    with pytest.raises(Unfit, match="label map with fractions"):
        measure(pair[0], _write(tmp_path, SCAN.with_array(SCAN.array / np.float32(3)), "f.nii"), settings(None, None))
    (tmp_path / "text.nii").write_text("no image")
    with pytest.raises(Unfit, match="accompanies other data"):
        measure(pair[0], tmp_path / "text.nii", settings(None, None))


def test_one_voxel_and_one_grey_level_have_reasons_and_no_nan(tmp_path: Path) -> None:
    scan = _write(tmp_path, SCAN.with_array(np.full_like(SCAN.array, 9)), "ct.nii")
    single = np.zeros_like(LABELS.array)
    single[2, 2, 2] = 1
    for mask in (LABELS.array, single):
        table = measure(scan, _write(tmp_path, LABELS.with_array(mask), "m.nii"), settings(None, None))
        for row in table.to_pylist():
            assert (row["value"] is None) != (row["reason"] is None)
            assert row["value"] is None or np.isfinite(row["value"])
        assert any(row["reason"] for row in table.to_pylist())


def test_settings_come_from_a_preset_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("families: [glcm]\nbin_width: 25\nintensity_range: [-100, 400]\n")
    found = settings(None, path)
    assert (found["families"], found["bin_width"], found["intensity_range"]) == (["glcm"], 25.0, [-100.0, 400.0])
    assert settings("ibsi-c", None)["preset"] == "ibsi-c"
    with pytest.raises(BadSettings, match="give --preset or --config"):
        settings("ibsi-c", path)


def test_parameter_files_of_pyradiomics_are_known_by_their_sections(pair: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "Params.yaml"
    path.write_text("imageType:\n  Original: {}\nfeatureClass:\n  glcm: [Contrast]\nsetting:\n  binWidth: 10\n")
    table = measure(*pair, settings(None, path), rois=["label_2"])
    expected = execute(SCAN, LABELS.array == 2, Parameters(binWidth=10, classes=(("glcm", ("Contrast",)),)))
    assert _values(table, "label_2") == expected
    assert set(_values(measure(*pair, settings("pyradiomics", None)), "label_7")) == set(
        execute(SCAN, LABELS, Parameters(label=7))
    )
    path.write_text("setting:\n  binWidht: 10\n")
    with pytest.raises(BadSettings, match="'binWidht' is not supported"):
        settings(None, path)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("bin_widht: 3", UnknownName, "did you mean 'bin_width'"),
        ("bin_width: wide", BadParameter, "must be a number"),
        ("bin_width: -1", BadSettings, "greater than 0"),
        ("preset: ibsi-z", BadSettings, "unknown preset"),
        ("preset: ibsi-c\nbin_width: 3", BadSettings, "brings its own bin_width"),
        ("families: [glmc]", BadSettings, "unknown feature family"),
        ("intensity_range: [1]", BadSettings, "two numbers"),
        ("mask: seg", UnknownName, "unknown setting 'mask'"),
        ("- a list", BadSettings, "must be a mapping"),
        ("{", BadSettings, "no YAML"),
    ],
)
def test_settings_that_do_not_fit_are_met_with_advice(tmp_path: Path, text: str, error: type, said: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(error, match=said):
        settings(None, path)


@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
@pytest.mark.parametrize("patient", ["STS_002", "STS_008"])
def test_sarcomas_give_the_same_from_dicom_and_from_nifti(shared: Path, patient: str, modality: str) -> None:
    folder = shared / "ibsi_sts"
    dicom = folder / "dicom" / patient / modality
    nifti = folder / "nifti" / patient
    chosen = settings("default", None)
    ours = measure(dicom / "image", dicom / "mask", chosen, rois=["gtv*"])
    theirs = measure(nifti / f"{modality}_image.nii.gz", nifti / f"{modality}_mask.nii.gz", chosen)
    assert ours["name"].to_pylist() == theirs["name"].to_pylist()
    # NIfTI keeps spacing and these PET values in single precision
    np.testing.assert_allclose(
        ours["value"].to_numpy(zero_copy_only=False), theirs["value"].to_numpy(zero_copy_only=False), rtol=1e-6
    )


def test_the_first_case_of_a_process_loads_no_room_that_it_does_not_need() -> None:
    program = (
        "import sys; from radlake.engine.measure import measure, settings; settings('default', None);"
        "assert not {'duckdb', 'deltalake', 'sklearn', 'torch', 'radlake.learn', 'radlake.lake'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

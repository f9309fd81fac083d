"""Features of the masks that a lake holds, by other settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from radlake.deid.keys import load_key
from radlake.engine.local import Local
from radlake.engine.measure import settings
from radlake.engine.options import Options
from radlake.engine.remeasure import NoMasks, remeasure
from radlake.lake.trace import trace
from tests.engine.conftest import Place

HERE = Options(engine=Local(0), strict=True)


@pytest.fixture
def copy(done: Place, tmp_path: Path) -> Place:
    """A copy of the made lake with its archive's place and key."""
    shutil.copytree(done.folder / "lake", tmp_path / "lake", copy_function=shutil.copy2)
    shutil.copy(done.key_file, tmp_path / "key")
    (tmp_path / "the archive").symlink_to(done.source)
    return Place(tmp_path)


def _features(place: Place) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = place.lake().sql("SELECT * FROM features ORDER BY ALL").to_pylist()
    return rows


def _measure(place: Place, options: Options = HERE, **choices: object) -> list[dict[str, object]]:
    lake, key = place.lake(), load_key(place.key_file, create=False)
    choices = {"source": "auto", "parameters": settings("default", None)} | choices
    rows: list[dict[str, object]] = remeasure(lake, key, options=options, **choices).to_pylist()  # type: ignore[arg-type]
    return rows


def test_the_numbers_of_the_study_come_again_and_stay_beside_the_new_ones(copy: Place) -> None:
    before = _features(copy)
    found = _measure(copy, parameters=settings(None, _config(copy, "families: [shape, intensity, ngtdm]")))
    after = _features(copy)
    assert [row for row in after if row in before] == before
    old = {(r["mask_id"], r["name"]): r["value"] for r in before}
    new = {(r["mask_id"], r["name"]): r["value"] for r in found}
    assert {k: v for k, v in new.items() if k in old} == old
    assert len(after) == len(before) + len(found)
    assert {r["roi"] for r in found} == {"foreground"}
    assert all(r["series_id"] for r in found)


def _config(place: Place, text: str) -> Path:
    path = place.folder / "settings.yaml"
    path.write_text(text)
    return path


def test_doing_it_again_does_nothing_and_two_workers_give_the_same(copy: Place, done: Place) -> None:
    first = _measure(copy)
    versions = {name: state.version for name, state in copy.lake().snapshot().items()}
    assert _measure(copy) == first
    assert {name: state.version for name, state in copy.lake().snapshot().items()} == versions
    other = Place(copy.folder / "other")
    shutil.copytree(done.folder / "lake", other.folder / "lake", copy_function=shutil.copy2)
    shutil.copy(done.key_file, other.key_file)
    assert _measure(other, Options(engine=Local(2))) == first


def test_an_image_that_changes_loses_what_was_measured_on_it_until_it_is_measured_again(place: Place) -> None:
    def measured() -> set[str]:
        owners = (str(row["owner"]) for row in _features(place))
        return {owner.split("+")[0] for owner in owners if "+" in owner}

    place.run()
    _measure(place)
    everything = measured()
    [labelled] = {str(row["image_id"]) for row in _measure(place, source="label")}
    brain = place.source / "brain_mask.nii.gz"
    labels = nib.load(brain)
    nib.save(nib.Nifti1Image(np.asarray(labels.dataobj)[::-1], labels.affine), brain)
    place.run()
    assert measured() == everything - {labelled}
    _measure(place)
    assert measured() == everything


def test_a_parameter_file_of_pyradiomics_measures_a_lake(copy: Place) -> None:
    text = "setting: {binWidth: 10}\nimageType: {Original: {}, Square: {}}\nfeatureClass: {firstorder: [Mean, Entropy]}"
    found = _measure(copy, parameters=settings(None, _config(copy, text)))
    whole = [row for row in found if row["name"] is not None]
    assert {row["name"] for row in whole} == {
        f"{image}_firstorder_{name}" for image in ("original", "square") for name in ("Mean", "Entropy")
    }
    by_default = _measure(copy, parameters=settings("pyradiomics", None))
    means = {(r["mask_id"], r["value"]) for r in whole if r["name"] == "original_firstorder_Mean"}
    assert means == {(r["mask_id"], r["value"]) for r in by_default if r["name"] == "original_firstorder_Mean"}
    assert {r["settings_id"] for r in found}.isdisjoint(r["settings_id"] for r in by_default)


def test_a_trace_names_the_settings(copy: Place) -> None:
    found = _measure(copy)
    work = trace(copy.lake(), str(found[0]["mask_id"])).work
    [measured] = [w for w in work if w.unit == "measure"]
    assert [step["stage"] for step in measured.steps] == ["load", "regions.stored", "features"]
    assert measured.steps[2]["preset"] == "default"


def test_masks_that_are_not_there_are_told(copy: Place) -> None:
    with pytest.raises(NoMasks, match="holds no masks of source 'rtstruct'; it has: auto, label"):
        _measure(copy, source="rtstruct")
    with pytest.raises(NoMasks, match="no region is called so; there are: foreground"):
        _measure(copy, rois=["liver"])

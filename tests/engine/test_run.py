"""The main job: every input one row, equal tables however it is run, nothing done twice."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from radlake.core.schema import PRIVATE_TABLES, TABLES
from radlake.engine.local import Local
from radlake.engine.pipeline import Pipeline, step
from radlake.lake.errors import KeyMismatchError, PrivatePartError
from tests import archive
from tests.engine.conftest import Place


def test_every_input_ends_as_one_row_with_a_reason(done: Place) -> None:
    files = done.lake().sql("SELECT * FROM files")
    inputs = [p for p in done.source.rglob("*") if p.is_file()]
    assert files.num_rows == len(inputs) == len(set(files["file_id"].to_pylist()))
    for row in files.to_pylist():
        assert row["status"] in ("done", "quarantined", "ignored")
        assert (row["status"] == "done") or (row["fault_code"] and row["fault_message"] and row["fault_hint"])
        assert row["fault_code"] != "unexpected"


def test_broken_inputs_have_the_fault_that_fits(done: Place) -> None:
    rows = done.lake().sql("SELECT uri, status, fault_code FROM files JOIN private.sources USING (file_id)").to_pylist()
    found = {Path(r["uri"]).name: (r["status"], r["fault_code"]) for r in rows}
    assert found["empty.dcm"] == ("quarantined", "empty_file")
    assert found["short.dcm"] == ("quarantined", "truncated_pixels")
    assert found["random.dcm"] == ("quarantined", "unreadable_header")
    assert found["program.bin"] == ("quarantined", "not_an_image")
    assert found["notes.csv"] == ("ignored", "side_file")
    assert found["IM0001"] == found["brain_mask.nii.gz"] == found["export.zip"] == ("done", None)


def test_the_format_is_told_also_of_files_that_could_not_be_used(done: Place) -> None:
    rows = done.lake().sql("SELECT uri, f.format FROM files f JOIN private.sources USING (file_id)").to_pylist()
    found = {Path(r["uri"]).name: r["format"] for r in rows}
    assert found["header only.dcm"] == found["short.dcm"] == "dicom"
    assert (found["export.zip"], found["brain.nii.gz"], found["program.bin"]) == ("zip", "nifti", None)


def test_slices_become_volumes_in_millimetres(done: Place) -> None:
    (row,) = (
        done.lake()
        .sql("SELECT DISTINCT rows, slices, spacing_z, spacing_x, unit FROM images WHERE kind = 'ct'")
        .to_pylist()
    )
    assert row == {"rows": 48, "slices": 6, "spacing_z": 3.0, "spacing_x": 0.8, "unit": "HU"}


def test_each_image_has_a_mask_and_numbers(done: Place) -> None:
    lake = done.lake()
    images = lake.sql("SELECT count(*) AS n FROM images")["n"][0].as_py()
    auto = lake.sql("SELECT count(DISTINCT image_id) AS n FROM masks WHERE source = 'auto'")["n"][0].as_py()
    assert auto == images - 1  # one image has its pixels cut short
    label = lake.sql("SELECT voxels, volume_mm3 FROM masks WHERE source = 'label'").to_pylist()
    assert label and label[0]["volume_mm3"] == pytest.approx(2.5 * label[0]["voxels"])
    assert lake.sql("SELECT count(*) AS n FROM features WHERE value IS NOT NULL")["n"][0].as_py() > 50


def test_the_same_slices_for_two_patients_are_duplicates_across_patients(done: Place) -> None:
    rows = done.lake().sql(
        "SELECT d.kind, d.across_patients FROM duplicates d JOIN images USING (image_id) WHERE modality = 'CT'"
    )
    assert rows.num_rows >= 2
    assert set(rows["kind"].to_pylist()) == {"exact"}
    assert all(rows["across_patients"].to_pylist())


def test_two_workers_give_the_tables_of_one(done: Place, tmp_path: Path) -> None:
    other = Place(done.folder)
    try:
        summary = other.run("two", engine=Local(2))
        assert summary.worked["files"] > 20
        assert other.tables("two") == done.tables()
    finally:
        shutil.rmtree(other.folder / "two")


def test_an_unchanged_rerun_opens_no_input(place: Place) -> None:
    place.run()
    before = place.tables()
    opened: list[str] = []
    watching = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event == "open" and str(place.source) in str(arguments[0]):
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    summary = place.run()
    watching = False
    assert opened == []
    assert not any(summary.worked.values())
    assert place.tables() == before
    assert place.lake().sql("SELECT count(*) AS n FROM runs")["n"][0].as_py() == 1


def test_a_late_slice_gives_the_lake_of_a_fresh_run(place: Place) -> None:
    late = place.source / "ct one" / "IM0006"
    kept = late.read_bytes()
    late.unlink()
    place.run()
    assert place.lake().sql("SELECT min(slices) AS n FROM images WHERE kind = 'ct'")["n"][0].as_py() == 5
    late.write_bytes(kept)
    summary = place.run()
    assert summary.worked == {"files": 1, "series": 1, "images": 1}
    place.run("fresh")
    assert place.tables() == place.tables("fresh")


def test_a_changed_file_replaces_its_rows(place: Place) -> None:
    place.run()
    archive.ct_slice(place.source / "病人" / "3.dcm", 3, patient="P3", series=7)
    place.run()
    place.run("fresh")
    assert place.tables() == place.tables("fresh")


def test_other_parameters_replace_what_depends_on_them(place: Place) -> None:
    place.run()
    study = Pipeline(
        "smooth",
        [step("deid"), step("filter.gaussian", sigma_mm=2.0, to="smooth"), step("segment.otsu", image="smooth")],
    )
    summary = place.run(study=study)
    assert summary.worked["files"] == 0
    assert summary.worked["images"] > 0
    place.run("fresh", study=study)
    ours, fresh = place.tables(), place.tables("fresh")
    assert len(ours.pop("chains")) > len(fresh.pop("chains"))
    assert ours.pop("runs") != fresh.pop("runs")  # one run more
    derived = ("duplicates",)  # steps over the whole lake: this study has none, what the first found stays
    assert {t: r for t, r in ours.items() if t not in derived} == {t: r for t, r in fresh.items() if t not in derived}


def test_another_key_is_refused(place: Place) -> None:
    place.run()
    place.key_file.rename(place.folder / "old key")
    with pytest.raises(KeyMismatchError, match="--key-file"):
        place.run()


def test_what_was_set_aside_is_tried_again_after_retry(place: Place) -> None:
    from radlake.lake.quarantine import retry

    place.run()
    good = (place.source / "ct one" / "IM0001").read_bytes()
    before = (place.source / "random.dcm").stat()
    assert len(retry(place.lake(), "not_an_image")) == 1
    summary = place.run()
    assert summary.worked["files"] == 1
    assert good and before
    tables = place.tables()
    place.run("fresh")
    assert tables == place.tables("fresh")


def test_a_broken_slice_costs_that_slice_and_not_its_series(place: Place) -> None:
    slice_ = place.source / "ct one" / "IM0004"
    whole = slice_.read_bytes()
    slice_.write_bytes(whole[:-700])
    place.run()
    lake = place.lake()
    rows = lake.sql("SELECT uri, status, fault_code FROM files JOIN private.sources USING (file_id)").to_pylist()
    found = {r["uri"]: (r["status"], r["fault_code"]) for r in rows}
    assert found.pop(str(slice_)) == ("quarantined", "truncated_pixels")
    assert {v for k, v in found.items() if "ct one" in k} == {("done", None)}
    assert lake.sql("SELECT min(slices) AS n FROM images WHERE kind = 'ct'")["n"][0].as_py() == 5
    assert lake.sql("SELECT count(*) AS n FROM quality WHERE \"check\" = 'missing_slices'")["n"][0].as_py() == 1
    assert not any(place.run().worked.values())
    slice_.write_bytes(whole)
    place.run()
    place.run("fresh")
    assert place.tables() == place.tables("fresh")


@pytest.mark.parametrize("name", ["a", "b", "c", "d"])  # the key decides which copy is tried first
def test_a_broken_copy_does_not_spoil_the_whole_one(tmp_path: Path, name: str) -> None:
    place = Place(tmp_path)
    archive.ct_slice(place.source / "whole.dcm", 1)
    (place.source / "cut.dcm").write_bytes((place.source / "whole.dcm").read_bytes()[:-700])
    place.key_file.write_text(hashlib.sha256(name.encode()).hexdigest())
    place.key_file.chmod(0o600)
    place.run()
    rows = (
        place.lake().sql("SELECT uri, status, fault_code FROM files JOIN private.sources USING (file_id)").to_pylist()
    )
    found = {Path(r["uri"]).name: (r["status"], r["fault_code"]) for r in rows}
    assert found["whole.dcm"] == ("done", None)
    assert found["cut.dcm"] in (("quarantined", "truncated_pixels"), ("done", None))
    assert place.lake().sql("SELECT count(*) AS n FROM masks")["n"][0].as_py() == 1


def test_an_empty_folder_makes_an_empty_lake(tmp_path: Path) -> None:
    empty = Place(tmp_path)
    empty.source.mkdir()
    summary = empty.run()
    assert summary.files == {}
    assert empty.lake().sql("SELECT count(*) AS n FROM files")["n"][0].as_py() == 0


def test_every_written_column_is_declared(done: Place) -> None:
    lake = done.lake()
    for table in lake.tables():
        assert lake.read(table).schema.names == (TABLES | PRIVATE_TABLES)[table].names


def test_another_pattern_for_patients_reads_the_headers_again(place: Place) -> None:
    place.run(patient_regex="/(brain)")
    query = "SELECT count(DISTINCT patient_id) AS n FROM instances WHERE format = 'nifti'"
    assert place.lake().sql(query)["n"].to_pylist() == [1]
    assert place.run(patient_regex="/(brain)").worked["files"] == 0
    assert place.run().worked["files"] > 0
    assert place.lake().sql(query)["n"].to_pylist() == [0]
    assert "brain" not in str(place.lake().read("chains").to_pylist())


def test_a_lost_private_part_stops_the_run_before_anything_is_written(place: Place) -> None:
    place.run()
    before = place.lake().sql("SELECT count(*) AS n FROM runs")["n"].to_pylist()
    shutil.rmtree(place.folder / "lake" / "private")
    with pytest.raises(PrivatePartError, match="is not there"):
        place.run()
    (place.folder / "another").mkdir(mode=0o700)
    with pytest.raises(PrivatePartError, match="does not know 24 files"):
        place.run(private=place.folder / "another")
    assert place.lake().sql("SELECT count(*) AS n FROM runs")["n"].to_pylist() == before


def test_folders_that_may_not_be_listed_are_counted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("ct one"):
            raise PermissionError
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    summary = place.run()
    assert summary.unreadable_folders == 1
    assert sum(summary.files.values()) == 18

"""The look before the run: counts, estimates, and no value of any file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radlake.engine import plan as planning
from radlake.engine.inputs import NoInput
from radlake.engine.plan import MIB, Plan, free_bytes, plan
from tests import archive
from tests.engine.conftest import Place


def test_a_plan_counts_what_a_run_would_meet(done: Place) -> None:
    found = plan([done.source])
    assert (found.files, found.looked_at) == (24, 24)
    assert found.modalities == {"CT": 13, "OT": 4, "US": 1}
    assert found.faults == {"empty_file": 1, "no_pixels": 1, "not_an_image": 1, "unreadable_header": 1}
    assert found.ignored == {"side_file": 1}
    images = done.lake().sql("SELECT count(*) AS n FROM images")["n"][0].as_py()
    assert found.images == images
    assert found.largest_bytes == 7 * 48 * 48 * 2, "six slices and the one in the archive"


def test_fields_are_named_and_never_quoted(done: Place) -> None:
    text = "\n".join(plan([done.source]).lines(2, 1 << 40))
    assert "PatientID, PatientSex" in text
    for secret in ("P1", "P2", "Invented", archive.ROOT_UID, "病人", "20190311"):
        assert secret not in text


def test_a_modality_that_is_no_defined_term_is_not_shown(tmp_path: Path) -> None:
    archive.ct_slice(tmp_path / "a", 1, identify=lambda ds: setattr(ds, "Modality", "DOE"))
    found = plan([tmp_path])
    assert found.modalities == {"CT": 1}, "what the kind of object implies stands for it"


def test_a_large_folder_is_sampled_and_scaled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_LOOKED_AT", 10)
    for number in range(40):
        archive.ct_slice(tmp_path / f"{number:03d}", number % 20 + 1, series=number // 20)
    found = plan([tmp_path])
    assert (found.files, found.looked_at) == (40, 10)
    assert found.pixel_bytes == 40 * 48 * 48 * 2
    assert found.largest_bytes == 20 * 48 * 48 * 2
    assert found.images == 2


def test_more_workers_take_less_time_and_more_pixels_more() -> None:
    small, large = Plan(files=100, images=10), Plan(files=100, images=10, pixel_bytes=1000 * MIB)
    assert small.seconds(1) < large.seconds(1)
    assert large.seconds(4) < large.seconds(1)


def test_lines_warn_where_there_is_no_room_and_where_folders_are_closed() -> None:
    lines = list(Plan(files=10, unreadable_folders=2).lines(1, 100))
    assert lines[-2].startswith("not enough room")
    assert lines[-1].endswith("2 folders that may not be listed")
    assert "modalities:         none seen" in lines


def test_free_space_is_that_of_the_nearest_folder_there_is(tmp_path: Path) -> None:
    there, to_be = free_bytes(tmp_path), free_bytes(tmp_path / "not" / "yet")
    assert abs(there - to_be) < 1 << 30
    assert there <= os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoInput):
        plan([tmp_path / "nowhere"])

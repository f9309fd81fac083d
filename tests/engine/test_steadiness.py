"""Stability of a lake's features by command: measured once, judged anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from radlake.deid.keys import load_key
from radlake.engine.local import Local
from radlake.engine.measure import settings
from radlake.engine.options import Options
from radlake.engine.steadiness import Bounds, steadiness
from tests.engine.conftest import Place

HERE = Options(engine=Local(0), strict=True)


@pytest.fixture
def copy(done: Place, tmp_path: Path) -> Place:
    """A copy of the made lake with its archive's place and key."""
    shutil.copytree(done.folder / "lake", tmp_path / "lake", copy_function=shutil.copy2)
    shutil.copy(done.key_file, tmp_path / "key")
    (tmp_path / "the archive").symlink_to(done.source)
    (tmp_path / "settings.yaml").write_text("families: [intensity]\n")
    return Place(tmp_path)


def test_masks_are_measured_once_and_judged_as_often_as_asked(copy: Place) -> None:
    lake, key = copy.lake(), load_key(copy.key_file, create=False)
    parameters = settings(None, copy.folder / "settings.yaml")
    found = steadiness(lake, key, parameters, source="auto", options=HERE).to_pylist()
    repeats = lake.sql("SELECT * FROM repeats ORDER BY ALL")
    assert len({row["name"] for row in found}) == 18
    assert {row["measurements"] for row in found} == {9}
    assert [row["kept"] for row in found] == sorted((row["kept"] for row in found), reverse=True)
    loose = steadiness(lake, key, parameters, source="auto", options=HERE, bounds=Bounds(least=0.0)).to_pylist()
    assert sum(row["reliable"] for row in loose) >= sum(row["reliable"] for row in found)
    assert lake.sql("SELECT * FROM repeats ORDER BY ALL").equals(repeats)


def test_a_parameter_file_of_pyradiomics_measures_masks_again(copy: Place) -> None:
    (copy.folder / "theirs.yaml").write_text("setting: {binWidth: 10}\nfeatureClass: {firstorder: [Mean, Median]}\n")
    lake, key = copy.lake(), load_key(copy.key_file, create=False)
    found = steadiness(lake, key, settings(None, copy.folder / "theirs.yaml"), source="auto", options=HERE).to_pylist()
    assert {row["name"] for row in found} == {"original_firstorder_Mean", "original_firstorder_Median"}
    steadiness(lake, key, settings(None, copy.folder / "settings.yaml"), source="auto", options=HERE)
    theirs, own = (
        {(r["mask_id"], r["change"]): r["value"] for r in lake.sql(f"FROM repeats WHERE name = '{name}'").to_pylist()}
        for name in ("original_firstorder_Mean", "stat_mean")
    )
    assert len(theirs) == 9 * 3  # three volumes; PyRadiomics' settings measure no planes
    assert theirs == pytest.approx({at: own[at] for at in theirs})

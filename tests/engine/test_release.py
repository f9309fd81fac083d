from __future__ import annotations

from pathlib import Path

import pytest

from radlake.engine.release import release
from radlake.lake.errors import ReleaseError
from radlake.lake.parts import write_part
from radlake.lake.store import Change, Lake


def lake_with(tmp_path: Path, value: str) -> Lake:
    """A lake with one statement of a report."""
    lake = Lake.create(tmp_path / "lake", key_fingerprint="1f2e")
    rows = [{"owner": "fi-a", "file_id": "fi-a", "name": "Findings", "value": value}]
    part = write_part(lake.root, lake.private, "documents", rows, name="a")  # type: ignore[arg-type]
    lake.commit("run1", 0, [Change("documents", (part,))])
    return lake


def test_a_clean_lake_is_released(tmp_path: Path) -> None:
    lake = lake_with(tmp_path, "12 mm nodule in the left lung, [...]")
    assert release(lake, tmp_path / "out", read_pixels="off").rows == 1
    assert Lake.open(tmp_path / "out").exists("documents")


def test_a_finding_stops_the_release_and_is_told_without_its_value(tmp_path: Path) -> None:
    lake = lake_with(tmp_path, "seen by Dr. Quuxberg, x@clinic.example.org")
    with pytest.raises(ReleaseError, match="person name in tables/documents, column value") as caught:
        release(lake, tmp_path / "out", read_pixels="off")
    assert "Quuxberg" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["lake"]

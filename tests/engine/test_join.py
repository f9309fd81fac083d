"""Tables of labels brought to a lake and committed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from radlake.core.errors import UsageError
from radlake.deid.join import MissingColumn, Request
from radlake.deid.keys import load_key
from radlake.engine.join import BadTable, NothingAsked, join
from radlake.lake.errors import KeyMismatchError, LakeLockedError
from radlake.lake.store import Lake
from tests.engine.conftest import Place

RELAPSE = Request("patient_id", targets=("relapse",), keep=("age",))


@pytest.fixture
def place(done: Place, tmp_path: Path) -> Place:
    """A copy of the lake made once, to join to."""
    copy = Place(tmp_path)
    shutil.copytree(done.folder / "lake", tmp_path / "lake")
    shutil.copy(done.key_file, copy.key_file)
    (tmp_path / "table.csv").write_text("Patient ID,relapse,age\nP1,1,50\nP2,0,61\nP7,1,70\n,1,1\n")
    return copy


def bring(place: Place, request: Request = RELAPSE, table: str = "table.csv") -> dict[str, int]:
    return join(place.lake(), str(place.folder / table), load_key(place.key_file), request)


def test_rows_become_labels_and_clinical_values_of_pseudonyms(place: Place) -> None:
    assert bring(place) == {"labels": 2, "clinical": 2, "faults": 2}
    lake = place.lake()
    rows = lake.sql(
        "SELECT l.value, c.number, c.name, l.unit FROM labels l JOIN clinical c USING (patient_id) "
        "JOIN (SELECT DISTINCT patient_id FROM series) USING (patient_id) ORDER BY 1"
    ).to_pylist()
    assert [tuple(r.values()) for r in rows] == [(0.0, 61.0, "age", "patient"), (1.0, 50.0, "age", "patient")]
    faults = lake.sql("SELECT code, message, file_id FROM faults WHERE stage = 'join' ORDER BY message").to_pylist()
    assert [f["code"] for f in faults] == ["unmatched_key"] * 2
    assert "P7" not in str(faults)


def test_joining_again_replaces_and_another_table_adds(place: Place) -> None:
    for _ in range(2):
        bring(place)
    other = place.folder / "other.csv"
    shutil.copy(place.folder / "table.csv", other)
    assert place.lake().sql("SELECT count(*) AS n FROM labels")["n"].to_pylist() == [2]
    bring(place, Request("patient_id", targets=("age",)), "other.csv")
    found = place.lake().sql("SELECT target, count(*) AS n FROM labels GROUP BY 1 ORDER BY 1").to_pylist()
    assert [(f["target"], f["n"]) for f in found] == [("age", 2), ("relapse", 2)]


def test_a_run_afterwards_leaves_the_labels_alone(place: Place, done: Place) -> None:
    bring(place)
    before = place.tables()["labels"]
    shutil.copytree(done.source, place.source)
    place.run()
    assert place.tables()["labels"] == before


def test_nothing_is_committed_when_the_request_does_not_fit(place: Place) -> None:
    versions = place.lake().sql("SELECT count(*) AS n FROM faults")["n"].to_pylist()
    for request, problem in (
        (Request("patient_id"), NothingAsked),
        (Request("patient_id", targets=("relaps",)), MissingColumn),
        (Request("accession", targets=("relapse",)), MissingColumn),
    ):
        with pytest.raises(problem):
            bring(place, request)
    with pytest.raises(BadTable, match="could not be opened; check that it exists"):
        bring(place, table="absent.csv")
    assert issubclass(BadTable, UsageError)
    assert place.lake().sql("SELECT count(*) AS n FROM faults")["n"].to_pylist() == versions


def test_another_key_and_another_writer_are_refused(place: Place) -> None:
    with pytest.raises(KeyMismatchError):
        join(place.lake(), str(place.folder / "table.csv"), b"x" * 32, RELAPSE)
    with Lake.open(place.folder / "lake").lock(), pytest.raises(LakeLockedError):
        bring(place)

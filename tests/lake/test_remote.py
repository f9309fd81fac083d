"""Lakes in stores: the same tables as on a disk, one writer at a time, and no two commits over each other."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from radlake.core.place import place
from radlake.lake import delta, lock
from radlake.lake.errors import DamagedPartError, LakeLockedError, NotALakeError, PrivatePartError, ReleaseError
from radlake.lake.journal import Change
from radlake.lake.maintain import compact, orphans, sweep
from radlake.lake.parts import write_part
from radlake.lake.release import release
from radlake.lake.store import Lake
from tests.conftest import Store

# HDFS takes 0.3 s to close a file, so the whole proof there is long.
COMMITS = [("s3", 50), ("hdfs", 6), pytest.param("hdfs", 50, marks=pytest.mark.soak)]
DRIVER = Path(__file__).with_name("driver_of_remote_test.py")


def lake_in(store: Store) -> Lake:
    return Lake.create(store.root, private=store.private, key_fingerprint="0011aabb")


def put(lake: Lake, number: int, *, replaces: tuple[str, ...] = ()) -> None:
    changes = []
    for table, column in (("features", "name"), ("sources", "uri")):
        rows = [{"owner": f"im-{number}", column: str(number)} for _ in range(3)]
        part = write_part(lake.root, lake.private, table, rows, name=f"p{number}")
        changes.append(Change(table, (part,), replaces))
    lake.commit("run", number, changes)


def test_a_lake_in_a_store_answers_as_one_on_a_disk(store: Store, tmp_path: Path) -> None:
    lakes = lake_in(store), Lake.create(tmp_path / "lake", key_fingerprint="0011aabb")
    rows = [
        {"owner": "a", "name": "Größe 大小", "value": 1.5},
        {"owner": "b", "name": "nothing", "value": None},
        {"owner": "c", "name": "no number", "value": math.nan},
    ]
    questions = [
        "SELECT * FROM features ORDER BY owner",
        "SELECT count(*) AS n FROM features WHERE value > 1",  # a NaN is larger than every number in SQL
        "SELECT owner, uri FROM features LEFT JOIN private.sources USING (owner) ORDER BY owner",
        "SELECT count(*) AS n FROM quality",
    ]
    answers = []
    for lake in lakes:
        put(lake, 0)
        part = write_part(lake.root, lake.private, "features", rows, name="more")
        lake.commit("run", 1, [Change("features", (part,), ("im-0",))])
        assert lake.objects.get(lake.objects.put(b"picture", ".png")) == b"picture"
        answers.append([lake.sql(text).to_pylist() for text in questions])
    assert repr(answers[0]) == repr(answers[1])
    opened = Lake.open(store.root, private=store.private)
    assert opened.tables() == ["features", "sources"]
    assert opened.read("features", columns=["owner"], where="value IS NULL")["owner"].to_pylist() == ["b"]


def test_upkeep_works_in_a_store(store: Store) -> None:
    lake = lake_in(store)
    for number in range(4):
        put(lake, number)
    lost = write_part(lake.root, lake.private, "features", [{"owner": "x"}], name="lost")
    assert [p.name for p in orphans(lake)] == [lost.name]
    assert sweep(lake).files == 1
    before = lake.sql("SELECT * FROM features ORDER BY ALL")
    assert compact(lake) == 8
    assert len(lake.snapshot()["features"].files) == 1
    assert lake.sql("SELECT * FROM features ORDER BY ALL").equals(before)
    kept = lake.read("features")
    assert not lake.replace("features", kept)
    assert lake.replace("features", kept.slice(0, 2))


def test_a_lake_in_a_store_is_released_to_this_machine(s3: Store, tmp_path: Path) -> None:
    lake = lake_in(s3)
    put(lake, 0)
    reference = lake.objects.put(b"picture", ".png")
    part = write_part(lake.root, lake.private, "previews", [{"owner": "im-0", "object": reference}], name="p")
    lake.commit("run", 1, [Change("previews", (part,))])
    with pytest.raises(ReleaseError, match="local folder"):
        release(lake, "s3://cohort/elsewhere")
    release(lake, tmp_path / "copy")
    copy = Lake.open(tmp_path / "copy")
    assert copy.read("features").num_rows == 3
    assert copy.objects.get(reference) == b"picture"
    assert not any("private" in str(p) or "cohort" in p.read_text("latin-1") for p in copy.root.rglob("*.json"))


def test_an_object_store_wants_another_place_for_the_private_part(s3: Store) -> None:
    for private in (None, s3.root, f"{s3.root}/private"):
        with pytest.raises(PrivatePartError, match="--private"):
            Lake.create(s3.root, private=private, key_fingerprint="0011aabb")
    with pytest.raises(NotALakeError):
        Lake.open(s3.root)


def test_hdfs_keeps_the_private_part_closed(hdfs: Store) -> None:
    lake = Lake.create(hdfs.root, key_fingerprint="0011aabb")
    private = place(f"{hdfs.root}/private")
    assert private.mode() == 0o700  # type: ignore[union-attr]
    private.store.client.set_permission(private.key, 0o755)  # type: ignore[union-attr]
    with pytest.raises(PrivatePartError, match="only you"):
        Lake.create(hdfs.root, key_fingerprint="0011aabb")
    assert lake.has_private


def test_hdfs_takes_plain_names_only(hdfs: Store) -> None:
    with pytest.raises(NotALakeError, match="letters"):
        Lake.create(f"{hdfs.root} of 医院", key_fingerprint="0011aabb")


def test_a_part_that_is_lost_or_cut_short_is_never_committed(store: Store) -> None:
    lake = lake_in(store)
    part = write_part(lake.root, lake.private, "features", [{"owner": "a"}], name="p")
    path = lake.folders()["features"] / part.name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(DamagedPartError, match="cut short"):
        lake.commit("run", 0, [Change("features", (part,))])
    path.unlink()
    with pytest.raises(DamagedPartError, match="missing"):
        lake.commit("run", 0, [Change("features", (part,))])


@pytest.mark.parametrize(("kind", "commits"), COMMITS)
def test_two_drivers_lose_no_commit(request: pytest.FixtureRequest, kind: str, commits: int) -> None:
    store = request.getfixturevalue(kind)
    lake = lake_in(store)
    found = delta.open_or_create(lake.folders()["features"], "features")
    assert found.version() == 0
    command = [sys.executable, str(DRIVER), store.root, store.private, str(commits)]
    drivers = [subprocess.Popen([*command, name]) for name in ("one", "two")]
    assert [d.wait(600) for d in drivers] == [0, 0]
    rows = lake.sql("SELECT owner, count(*) AS n FROM features GROUP BY 1 ORDER BY 1").to_pylist()
    assert rows == [{"owner": f"{name}-{n:02d}", "n": 3} for name in ("one", "two") for n in range(commits)]
    log = delta.open_table(lake.folders()["features"])
    assert log is not None
    assert log.version() == 2 * commits


def test_a_second_writer_is_refused_waits_or_takes_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LEASE_S", 1.5)
    lake, other = lake_in(store), Lake.open(store.root, private=store.private)
    monkeypatch.setattr(lock, "_HELD", _Nobody())  # as two processes are to each other
    with lake.lock():
        with pytest.raises(LakeLockedError, match="another radlake"):
            put(other, 0)
        put(lake, 0)
    put(other, 1)
    with lake.lock():
        _fall_silent(lake, monkeypatch)
        put(other, 2)
        with pytest.raises(LakeLockedError, match="took this lake over"):
            put(lake, 3)
    assert lake.read("features").num_rows == 9


class _Nobody(set):  # type: ignore[type-arg]
    """A set that never holds anything."""

    def add(self, _: object) -> None:
        pass


def _fall_silent(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the thread that keeps a lease alive, as a process that sleeps would."""
    still_mine = lake._still_mine
    still_mine.__self__.ended.set()  # type: ignore[attr-defined]

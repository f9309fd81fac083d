from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as example_count
from hypothesis import strategies as st

from radlake.core import schema as schemas
from radlake.core.schema import FEATURES, TABLES
from radlake.lake import delta, journal
from radlake.lake.errors import (
    DamagedPartError,
    DeidentificationError,
    DiskFullError,
    KeyMismatchError,
    LakeLockedError,
    NotALakeError,
    NotWritableError,
    PrivatePartError,
    SqlError,
    StorageError,
)
from radlake.lake.journal import Change
from radlake.lake.parts import Part, write_part
from radlake.lake.store import Lake

Put = Callable[..., None]


def owners(lake: Lake, table: str = "features") -> list[str]:
    return sorted(lake.read(table)["owner"].to_pylist())


def test_creating_twice_opens_the_same_lake(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "im-a"}]})
    again = Lake.create(lake.root, key_fingerprint="0011aabb")
    assert owners(again) == ["im-a"]
    assert again.private.stat().st_mode & 0o777 == 0o700


def test_another_key_is_refused_with_a_way_out(lake: Lake) -> None:
    with pytest.raises(KeyMismatchError, match="--key-file"):
        Lake.create(lake.root, key_fingerprint="other")


def test_raw_and_cleaned_identities_do_not_mix(lake: Lake) -> None:
    with pytest.raises(DeidentificationError):
        Lake.create(lake.root, key_fingerprint="0011aabb", deidentified=False)


def test_a_folder_with_other_content_is_never_taken_over(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(NotALakeError, match="not empty"):
        Lake.create(tmp_path, key_fingerprint="x")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


def test_opening_and_reading_write_nothing(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "im-a"}]})
    before = {p: p.stat().st_mtime_ns for p in lake.root.rglob("*")}
    opened = Lake.open(lake.root)
    opened.sql("SELECT * FROM features")
    opened.read("quality")
    assert {p: p.stat().st_mtime_ns for p in lake.root.rglob("*")} == before


def test_no_lake_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(NotALakeError):
        Lake.open(tmp_path / "absent")


def test_the_private_part_may_lie_elsewhere(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake", private=tmp_path / "safe", key_fingerprint="x")
    part = write_part(lake.root, lake.private, "sources", [{"owner": "fi-a", "uri": "/scan/1"}], name="x")
    lake.commit("run", 0, [Change("sources", (part,))])
    assert str(tmp_path / "safe").encode() not in b"".join(p.read_bytes() for p in lake.root.rglob("*") if p.is_file())
    assert Lake.open(tmp_path / "lake", private=tmp_path / "safe").sql("FROM private.sources").num_rows == 1
    without = Lake.open(tmp_path / "lake")
    with pytest.raises(PrivatePartError, match="--private"):
        _ = without.private
    with pytest.raises(PrivatePartError):
        without.read("sources")
    with pytest.raises(SqlError):
        without.sql("SELECT * FROM private.sources")


def test_read_has_the_schema_of_every_table_before_it_exists(lake: Lake) -> None:
    for table, schema in TABLES.items():
        assert lake.read(table).schema.equals(schema)
        assert not lake.exists(table)
    assert lake.tables() == []
    assert lake.sql("SELECT count(*) AS n FROM images")["n"].to_pylist() == [0]


def test_read_by_columns_and_condition(lake: Lake, put: Put) -> None:
    put(
        {"quality": [{"owner": "im-a", "check": "snr", "value": 2.0}, {"owner": "im-b", "check": "blur", "value": 3.0}]}
    )
    assert lake.read("quality", columns=["value", "check"], where="value > 2").to_pylist() == [
        {"value": 3.0, "check": "blur"}
    ]
    assert lake.read("quality", columns=["value"])["value"].to_pylist() == [2.0, 3.0]
    with pytest.raises(SqlError):
        lake.read("quality", where="no_such_column = 1")


def test_reading_a_table_that_no_schema_names_is_a_bug(lake: Lake) -> None:
    with pytest.raises(KeyError):
        lake.read("patients")


def test_values_of_every_type_come_back(lake: Lake, put: Put) -> None:
    row = {"owner": "im-a", "hashes": [1, -(2**62)], "thumb": b"\x00\xff", "digest": "é"}
    put({"fingerprints": [row], "quality": [{"owner": "im-a", "value": math.inf}, {"owner": "im-a", "value": None}]})
    found = lake.read("fingerprints", columns=list(row)).to_pylist()
    assert found == [row]
    assert lake.sql(f"SELECT {', '.join(row)} FROM fingerprints").to_pylist() == [row]
    assert lake.read("quality")["value"].to_pylist() == [math.inf, None]


def test_plain_readers_of_parquet_agree_with_sql(lake: Lake, put: Put) -> None:
    for number in range(3):
        put({"features": [{"owner": f"im-{number}", "value": float(number)}]})
    put({"features": [{"owner": "im-1", "value": 9.0}]}, replaces=["im-1"])
    files = [f.path for f in lake.snapshot()["features"].files]
    plain = pa.concat_tables([pq.read_table(path) for path in files]).to_pylist()
    found = delta.open_table(lake.folders()["features"])
    assert found is not None
    rust = pa.table(found.scan()).to_pylist()
    by_sql = lake.sql("SELECT * FROM features").to_pylist()
    key = str
    assert sorted(plain, key=key) == sorted(by_sql, key=key) == sorted(rust, key=key)
    assert sorted(r["value"] for r in by_sql) == [0.0, 2.0, 9.0]


def test_a_commit_replaces_rows_of_owners_in_all_tables(lake: Lake, put: Put) -> None:
    put({t: [{"owner": "a", "value": 1.0}, {"owner": "b", "value": 1.0}] for t in ("features", "quality")})
    put({"features": [{"owner": "a", "value": 2.0}], "quality": []}, replaces=["a"])
    assert sorted((r["owner"], r["value"]) for r in lake.read("features").to_pylist()) == [("a", 2.0), ("b", 1.0)]
    assert owners(lake, "quality") == ["b"]


def test_removing_from_a_table_that_does_not_exist_makes_none(lake: Lake) -> None:
    lake.commit("run", 0, [Change("masks", (), ("im-a",))])
    assert not lake.exists("masks")


def test_the_same_commit_twice_counts_once(lake: Lake, put: Put) -> None:
    for _ in range(3):
        put({"features": [{"owner": "im-a"}]}, number=0)
    assert owners(lake) == ["im-a"]
    assert lake.next_sequence("test") == 1


def test_many_owners_are_replaced_in_one_commit(lake: Lake) -> None:
    count = 100_000
    names = [f"im-{i:06d}" for i in range(count)]
    table = pa.table({f.name: names if f.name == "owner" else pa.nulls(count, f.type) for f in FEATURES})
    lake.commit("run", 0, [Change("features", (write_part(lake.root, lake.private, "features", table, name="x"),))])
    lake.commit("run", 1, [Change("features", (), tuple(names[1:]))])
    assert owners(lake) == names[:1]
    assert lake.snapshot()["features"].version == 2


def test_a_damaged_part_stops_the_commit_before_any_table_changes(lake: Lake, put: Put) -> None:
    good = write_part(lake.root, lake.private, "features", [{"owner": "a"}], name="x")
    bad = Part("quality", "gone.parquet", 1, 1)
    with pytest.raises(DamagedPartError):
        lake.commit("run", 0, [Change("features", (good,)), Change("quality", (bad,))])
    assert lake.tables() == []
    put({"features": [{"owner": "b"}]})
    assert owners(lake) == ["b"]


def crashed_commit(lake: Lake, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """A commit to three tables whose process ends after some of them."""
    real, done = delta.commit, []

    def commit(*args: object, **names: object) -> None:
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(args)
        real(*args, **names)  # type: ignore[arg-type]

    parts = [write_part(lake.root, lake.private, t, [{"owner": "new"}], name="c") for t in THREE]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(delta, "commit", commit)
        lake.commit("crash", 0, [Change(p.table, (p,), ("old",)) for p in parts])


THREE = ("features", "quality", "sources")


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_commit_cut_off_is_invisible_until_the_next_writer_ends_it(
    lake: Lake, put: Put, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    put({t: [{"owner": "old"}, {"owner": "other"}] for t in THREE})
    crashed_commit(lake, monkeypatch, after)
    reader = Lake.open(lake.root)
    for table in THREE:
        assert owners(reader, table) == ["old", "other"]
    assert reader.sql("SELECT count(*) AS n FROM private.sources JOIN features USING (owner)")["n"].to_pylist() == [2]
    assert lake.recover() == 1
    for table in THREE:
        assert owners(lake, table) == ["new", "other"]
    assert journal.pending(lake.root / "journal") == []


def test_the_next_commit_ends_the_one_before_it(lake: Lake, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    crashed_commit(lake, monkeypatch, 1)
    put({"features": [{"owner": "later"}]}, replaces=["new"])
    assert owners(lake) == ["later"]
    assert owners(lake, "quality") == ["new"]


def test_a_lake_that_is_being_written_refuses_a_second_writer(lake: Lake, put: Put) -> None:
    other = Lake.open(lake.root)
    with lake.lock():
        put({"features": [{"owner": "a"}]})
        assert owners(other) == ["a"]
        with pytest.raises(LakeLockedError):
            other.commit("run", 0, [])
        with pytest.raises(LakeLockedError):
            other.replace("features", FEATURES.empty_table())


def test_replace_writes_the_rows_and_nothing_the_second_time(lake: Lake) -> None:
    rows = pa.Table.from_pylist([{"owner": "b", "value": math.nan}, {"owner": "a", "value": 1.0}], schema=FEATURES)
    assert lake.replace("features", rows)
    version = lake.snapshot()["features"].version
    assert lake.read("features")["owner"].to_pylist() == ["a", "b"]
    assert not lake.replace("features", rows.take([1, 0]))
    assert lake.snapshot()["features"].version == version
    assert lake.replace("features", rows.slice(1))
    assert owners(lake) == ["a"]
    assert lake.replace("features", rows.slice(0, 0))
    assert lake.read("features").num_rows == 0
    assert lake.replace("features", rows)
    assert owners(lake) == ["a", "b"]


def test_replace_takes_columns_in_any_order_and_refuses_other_columns(lake: Lake) -> None:
    rows = pa.Table.from_pylist([{"owner": "a"}], schema=FEATURES)
    assert lake.replace("features", rows.select(list(reversed(FEATURES.names))))
    with pytest.raises(KeyError):
        lake.replace("features", rows.drop_columns(["code"]))


ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=6)
STEPS = st.lists(st.tuples(ROWS, st.sets(st.sampled_from("abcd"))), min_size=1, max_size=4)


@example_count(max_examples=12)
@given(steps=STEPS)
def test_commits_do_what_a_list_of_rows_would(
    steps: list[tuple[list[tuple[str, int]], set[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lake = Lake.create(tmp_path_factory.mktemp("model") / "lake", key_fingerprint="x")
    expected: list[tuple[str, int]] = []
    for number, (rows, replaced) in enumerate(steps):
        data = [{"owner": o, "count": c} for o, c in rows]
        parts = (write_part(lake.root, lake.private, "audit", data, name=f"p{number}"),) if data else ()
        lake.commit("run", number, [Change("audit", parts, tuple(replaced))])
        expected = [r for r in expected if r[0] not in replaced] + rows
        assert sorted((r["owner"], r["count"]) for r in lake.read("audit").to_pylist()) == sorted(expected)


def test_a_lake_of_older_code_is_read_and_written_by_newer(
    lake: Lake, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put({"quality": [{"owner": "old", "value": 1.0}]})
    newer = schemas.QUALITY.append(pa.field("reviewed", pa.bool_()))
    monkeypatch.setitem(schemas.TABLES, "quality", newer)
    assert lake.read("quality")["reviewed"].to_pylist() == [None]
    assert lake.sql("SELECT reviewed FROM quality")["reviewed"].to_pylist() == [None]
    put({"quality": [{"owner": "new", "reviewed": True}]})
    assert lake.sql("SELECT owner, reviewed FROM quality ORDER BY 1").to_pylist() == [
        {"owner": "new", "reviewed": True},
        {"owner": "old", "reviewed": None},
    ]
    put({"quality": []}, replaces=["new"])
    assert lake.read("quality").to_pylist() == [{**dict.fromkeys(newer.names), "owner": "old", "value": 1.0}]


def test_streams_see_the_lake_as_it_was_when_they_were_asked_for(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "a"}]})
    stream = lake.stream("SELECT owner FROM features")
    put({"features": [{"owner": "b"}]}, replaces=["a"])
    assert [o for batch in stream for o in batch.column(0).to_pylist()] == ["a"]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take away every right to write; root has it anyway, so root becomes nobody for a while."""
    places = [folder, *folder.rglob("*")]
    modes = [p.stat().st_mode for p in places]
    for place, mode in zip(places, modes, strict=True):
        place.chmod(mode & ~0o222)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for place, mode in zip(places, modes, strict=True):
            place.chmod(mode)


def test_a_read_only_lake_can_be_read_and_says_so_when_written() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to nobody
        Path(folder).chmod(0o755)
        made = Lake.create(Path(folder) / "lake", key_fingerprint="x")
        part = write_part(made.root, made.private, "features", [{"owner": "a"}], name="x")
        made.commit("run", 0, [Change("features", (part,))])
        with read_only(made.root):
            lake = Lake.open(made.root)
            assert owners(lake) == ["a"]
            writes: list[Callable[[], object]] = [
                lambda: lake.commit("run", 1, []),
                lambda: lake.objects.put(b"x", ""),
                lambda: write_part(lake.root, lake.private, "features", [{"owner": "b"}], name="x"),
                lambda: lake.replace("features", FEATURES.empty_table()),
                lambda: Lake.create(lake.root / "new", key_fingerprint="x"),
            ]
            for write in writes:
                with pytest.raises(NotWritableError):
                    write()


def test_a_full_disk_stops_a_commit_and_loses_nothing(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "a"}], "quality": [{"owner": "a"}]})
    rows = [{"owner": f"b{i}", "message": os.urandom(64).hex()} for i in range(3000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, hard))
    try:
        with pytest.raises(DiskFullError, match="nothing is lost"):
            put({"quality": rows})
        with pytest.raises(DiskFullError):
            lake.objects.put(os.urandom(128 << 10), ".bin")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert owners(lake, "quality") == ["a"]
    put({"quality": rows})
    assert len(owners(lake, "quality")) == 3001


def test_a_disk_that_fills_up_between_two_tables_is_made_good_by_the_next_writer(
    lake: Lake, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put({"features": [{"owner": "a"}], "quality": [{"owner": "a"}]})
    real = delta.commit

    def full(found: object, folder: Path, *args: object, **names: object) -> None:
        if folder.name == "quality":
            raise OSError(28, "No space left on device")
        real(found, folder, *args, **names)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(delta, "commit", full)
        with pytest.raises(DiskFullError):
            put({"features": [{"owner": "b"}], "quality": [{"owner": "b"}]})
        assert owners(lake) == owners(lake, "quality") == ["a"]
        with pytest.raises(DiskFullError):
            lake.recover()
    assert lake.recover() == 1
    assert owners(lake) == owners(lake, "quality") == ["a", "b"]


def test_a_table_with_a_damaged_log_is_a_storage_error(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "a"}]})
    for entry in (lake.folders()["features"] / "_delta_log").iterdir():
        entry.write_bytes(b"{")
    with pytest.raises(StorageError):
        lake.read("features")


def test_the_interpreter_ends_cleanly_after_reading(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "a"}]})
    script = (
        "import sys; from radlake.lake.store import Lake; lake = Lake.open(sys.argv[1]); lake.read('features'); "
        "lake.sql('FROM features'); stream = lake.stream('FROM features'); next(stream)"
    )
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script, str(lake.root)], capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_in_the_place_of_a_lake_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("mine")
    with pytest.raises(NotALakeError, match="there is a file"):
        Lake.create(tmp_path / "lake", key_fingerprint="1f2e")
    assert (tmp_path / "lake").read_text() == "mine"


def test_the_key_can_be_checked_without_writing(tmp_path: Path) -> None:
    made = Lake.create(tmp_path / "lake", key_fingerprint="1f2e")
    made.require_key("1f2e")
    with pytest.raises(KeyMismatchError, match="1f2e, not 5a5a"):
        made.require_key("5a5a")

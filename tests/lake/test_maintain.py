from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from radlake.lake.errors import LakeLockedError
from radlake.lake.maintain import compact, orphans, references, sweep
from radlake.lake.parts import write_part
from radlake.lake.store import Lake

Put = Callable[..., None]


def files(lake: Lake, table: str) -> list[Path]:
    return [f.path for f in lake.snapshot()[table].files]


def test_compaction_merges_small_files_and_keeps_the_rows(lake: Lake, put: Put) -> None:
    for number in range(5):
        put({"features": [{"owner": f"im-{number}"}], "sources": [{"owner": f"fi-{number}"}]})
    before = lake.sql("SELECT * FROM features ORDER BY owner")
    assert compact(lake) == 10
    assert len(files(lake, "features")) == len(files(lake, "sources")) == 1
    assert lake.sql("SELECT * FROM features ORDER BY owner").equals(before)
    assert compact(lake) == 0


def test_files_of_the_wanted_size_are_left_alone(lake: Lake, put: Put) -> None:
    rows = [{"owner": f"im-{i}", "message": os.urandom(600).hex()} for i in range(1500)]
    put({"quality": rows})
    put({"quality": rows[:1]})
    large = max(files(lake, "quality"), key=lambda p: p.stat().st_size)
    assert compact(lake, target_mib=1) == 0
    assert large in files(lake, "quality")


def test_replaced_files_stay_for_readers_and_go_in_the_end(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "a"}]})
    (old,) = files(lake, "features")
    put({"features": [{"owner": "b"}]}, replaces=["a"])
    stream = lake.stream("SELECT owner FROM features")
    compact(lake)
    assert old.is_file()
    compact(lake, keep_hours=0)
    assert not old.exists()
    assert [b.num_rows for b in stream] == [1]


def test_a_part_that_left_and_came_back_survives_compaction(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "a"}]}, number=0)
    (path,) = files(lake, "features")
    part = write_part(lake.root, lake.private, "features", [{"owner": "a"}], name="p0")
    assert part.name == path.name
    put({"features": []}, replaces=["a"])
    put({"features": [{"owner": "a"}]}, run="other", number=0)
    assert files(lake, "features") == [path]
    compact(lake, keep_hours=0)
    assert lake.read("features").num_rows == 1


def test_what_no_commit_names_is_swept_and_nothing_else(lake: Lake, put: Put) -> None:
    kept = lake.objects.put(b"kept", ".png")
    put({"previews": [{"owner": "im-a", "object": kept}], "sources": [{"owner": "fi-a"}]})
    put({"previews": [{"owner": "im-b", "object": None}]}, replaces=["im-b"])
    lost = [
        lake.objects.path(lake.objects.put(b"lost", ".png")),
        *(
            lake.folders()[t] / write_part(lake.root, lake.private, t, [{"owner": "x"}], name="lost").name
            for t in ("previews", "masks", "sources")
        ),
        lake.folders()["previews"] / ".tmp-abc",
        lake.folders()["previews"] / "_delta_log" / f"{9:020d}.json#1",
        lake.objects.root / "ab" / ".tmp-abc",
    ]
    for path in lost:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert orphans(lake) == sorted(lost)
    swept = sweep(lake)
    assert (swept.files, swept.bytes > 0) == (len(lost), True)
    assert orphans(lake) == []
    assert references(lake) == {kept}
    assert lake.objects.get(kept) == b"kept"
    assert lake.read("previews").num_rows == 2
    assert lake.read("sources").num_rows == 1


def test_replaced_files_are_no_orphans(lake: Lake, put: Put) -> None:
    put({"features": [{"owner": "a"}, {"owner": "b"}]})
    put({"features": []}, replaces=["a"])
    assert orphans(lake) == []


def test_upkeep_waits_for_the_writer(lake: Lake) -> None:
    other = Lake.open(lake.root)
    with lake.lock():
        for work in (sweep, compact):
            with pytest.raises(LakeLockedError):
                work(other)  # type: ignore[operator]

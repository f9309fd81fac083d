"""Commits on a small disk that is nearly full: test_store_full_disk.py starts it in a place with a small tmpfs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from radlake.lake.errors import DiskFullError
from radlake.lake.journal import Change
from radlake.lake.maintain import orphans, sweep
from radlake.lake.parts import write_part
from radlake.lake.store import Lake

TABLES = ("features", "quality", "sources")


def owners(lake: Lake) -> list[str]:
    """Owners in all tables, after making sure that the tables agree."""
    found = [sorted(lake.read(t, columns=["owner"])["owner"].to_pylist()) for t in TABLES]
    assert found[0] == found[1] == found[2], "a reader saw half of a commit"
    return list(found[0])


def main(disk: Path) -> None:
    """Leave more and more room, commit, make room, recover, look; print what happened."""
    lake = Lake.create(disk / "lake", key_fingerprint="x")
    failed = whole = ended = 0
    for number, free in enumerate(range(0, 52 << 10, 4 << 10)):
        before = owners(lake)
        parts = [
            write_part(lake.root, lake.private, t, [{"owner": f"im-{number:02d}"}], name=f"p{number}") for t in TABLES
        ]
        room = os.statvfs(disk)
        (disk / "filler").write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - free)))
        try:
            lake.commit("run", number, [Change(p.table, (p,)) for p in parts])
            whole += 1
        except DiskFullError:
            failed += 1
            assert owners(lake) in (before, [*before, f"im-{number:02d}"])
        (disk / "filler").unlink()
        begun = lake.recover()
        ended += begun
        assert begun == 0 or owners(lake) == [*before, f"im-{number:02d}"], "a commit that had begun was lost"
    sweep(lake)
    assert orphans(lake) == []
    print(failed, whole, ended)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

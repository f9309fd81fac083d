"""Commits to one table of a lake in a store, beside another driver: test_remote.py starts it twice."""

from __future__ import annotations

import sys

from radlake.lake.journal import Change
from radlake.lake.parts import write_part
from radlake.lake.store import Lake


def main(root: str, private: str, commits: int, name: str) -> None:
    """A part and a commit at a time, waiting for the other driver where it is at work."""
    lake = Lake.open(root, private=private)
    for number in range(commits):
        rows = [{"owner": f"{name}-{number:02d}"} for _ in range(3)]
        part = write_part(lake.root, lake.private, "features", rows, name=f"{name}{number}")
        with lake.lock(wait_s=120):
            lake.commit(name, number, [Change("features", (part,))])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])

"""Commits to four tables in a loop, to be killed: test_store_killed.py starts it with a lake and a number of rounds."""

from __future__ import annotations

import sys

from radlake.lake.journal import Change
from radlake.lake.parts import write_part
from radlake.lake.store import Lake

TABLES = ("features", "quality", "documents", "sources")
OWNERS = 7  # owner n % OWNERS is replaced in round n


def main(root: str, rounds: int) -> None:
    """Go on where the last process stopped."""
    lake = Lake.open(root)
    with lake.lock():
        lake.recover()
        first = lake.next_sequence("run")
        print("ready", flush=True)
        for number in range(first, rounds):
            owner = f"im-{number % OWNERS}"
            changes = []
            for table in TABLES:
                column = {"features": "name", "quality": "message", "documents": "value", "sources": "uri"}[table]
                rows = [{"owner": owner, column: str(number)} for _ in range(3)]
                part = write_part(lake.root, lake.private, table, rows, name=f"round{number}")
                changes.append(Change(table, (part,), (owner,)))
            lake.commit("run", number, changes)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""Compacts a lake when told to, to be killed: test_compact_killed.py starts it."""

from __future__ import annotations

import sys

from radlake.lake.maintain import compact
from radlake.lake.store import Lake

if __name__ == "__main__":
    lake = Lake.open(sys.argv[1])
    print("ready", flush=True)
    compact(lake, keep_hours=24)
    print("done", flush=True)

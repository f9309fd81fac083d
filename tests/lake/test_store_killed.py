from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radlake.lake.maintain import orphans, sweep
from radlake.lake.store import Lake

DRIVER = Path(__file__).with_name("driver_of_kill_test.py")
COLUMNS = {"features": "name", "quality": "message", "documents": "value", "sources": "uri"}
OWNERS = 7


def seen(lake: Lake) -> dict[str, list[tuple[str, int]]]:
    """Owner and round of every row, table by table."""
    return {
        table: sorted((r["owner"], int(r[column])) for r in lake.read(table, columns=["owner", column]).to_pylist())
        for table, column in COLUMNS.items()
    }


def expected(rounds: int) -> list[tuple[str, int]]:
    """The last round of each owner, three rows each."""
    last = {f"im-{n % OWNERS}": n for n in range(rounds)}
    return sorted((owner, n) for owner, n in last.items() for _ in range(3))


def killed_run(lake: Lake, rounds: int, seconds: float) -> None:
    """Run the driver and kill it that long after its first commit could begin."""
    command = [sys.executable, str(DRIVER), str(lake.root), str(rounds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        assert driver.stdout.readline() == b"ready\n", driver.stderr.read()
        time.sleep(seconds)
        driver.kill()
        driver.wait()


@pytest.mark.slow
@pytest.mark.parametrize("kills", [20, pytest.param(300, marks=pytest.mark.soak)])
def test_a_driver_killed_at_random_moments_loses_and_doubles_nothing(lake: Lake, kills: int) -> None:
    random_moment = random.Random(20261122)
    stopped_at = 0
    for _ in range(kills):
        killed_run(lake, 1_000_000, random_moment.uniform(0, 0.25))
        reader = Lake.open(lake.root)
        tables = seen(reader)
        assert len({str(rows) for rows in tables.values()}) == 1, "a reader saw half of a commit"
        lake.recover()
        now = lake.next_sequence("run")
        assert now >= stopped_at
        stopped_at = now
        for table, rows in seen(lake).items():
            assert rows == expected(now), table
    assert stopped_at > 0
    sweep(lake)
    assert orphans(lake) == []
    assert seen(lake)["features"] == expected(stopped_at)

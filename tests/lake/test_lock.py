from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from radlake.lake.errors import LakeLockedError
from radlake.lake.lock import exclusive

HOLD = """
import sys
from pathlib import Path
from radlake.lake.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LakeLockedError, match=f"process {other.pid}"), exclusive(path):
            pass
        other.kill()
        other.wait()
    with exclusive(path):  # the lock went with its process
        assert path.read_text() == str(os.getpid())


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with exclusive(path), pytest.raises(LakeLockedError, match="already"), exclusive(path):
        pass
    with exclusive(path):
        pass


def test_a_refusal_within_the_process_does_not_drop_the_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with exclusive(path):
        with pytest.raises(LakeLockedError), exclusive(path):
            pass
        code = subprocess.run(
            [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert b"LakeLockedError" in code.stderr


def test_a_forked_child_that_outlives_its_parent_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    script = f"""
import os, time
from pathlib import Path
from radlake.lake.lock import exclusive
with exclusive(Path({str(path)!r})):
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    print(child, flush=True)
    os.kill(os.getpid(), 9)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.wait()
        try:
            with exclusive(path):
                pass
        finally:
            os.kill(child, 9)

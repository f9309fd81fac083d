"""Starting Spark, and telling in one sentence why it does not start or why a job ended."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from radlake.core.errors import RadlakeError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENVIRONMENT = "radlake_environment"  # what a shipped environment is called on a worker
_NEEDS_JAVA = "Spark needs Java 17 or later: install it and set JAVA_HOME"
_JOIN_SECONDS = 60.0
_QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
}


class NoSpark(RadlakeError):  # noqa: N818 - names the problem
    """Spark cannot start; the message says what is missing."""


class SparkFailed(RadlakeError):  # noqa: N818 - names the problem
    """Spark gave a job up; what was committed before stays."""


def session(master: str, settings: Mapping[str, str], *, archive: str = "") -> SparkSession:
    """The running session, or a new one.

    Parameters
    ----------
    master : str
        "local[2,4]" or "spark://HOST:7077".
    settings : mapping
        Spark's configuration.
    archive : str
        A packed environment (venv-pack, conda-pack) for the workers; empty: they have this Python at the same place.

    Raises
    ------
    UsageError
        For an address of Spark Connect, or an archive that is not there.
    NoSpark
        Without pyspark or Java, or when the master does not answer.
    """
    if archive and not Path(archive).is_file():
        raise UsageError("there is no such file for --archive: pack an environment first, see docs/scale.md")
    if master.startswith("sc://"):
        raise UsageError(
            "radlake does not run on Spark Connect (sc://): its jobs need the cluster itself; name it as spark://HOST:7077"
        )
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError:
        raise NoSpark("Spark is not installed: pip install 'radlake[spark]'") from None
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    if not _has_java():
        raise NoSpark(_NEEDS_JAVA)
    # Workers start the Python that is shipped to them, the one that the user names, or this one.
    if archive:
        os.environ["PYSPARK_PYTHON"] = f"./{ENVIRONMENT}/bin/python"
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("radlake")
    for name, value in {**_QUIET, **settings}.items():
        builder = builder.config(name, value)
    try:
        started = builder.getOrCreate()
        if not master.startswith("local"):
            _await_executors(started, master)
        return started
    except PySparkRuntimeError:  # a Java that is too old, or ends at once
        raise NoSpark(_NEEDS_JAVA) from None
    except Py4JError:  # its text is a stack of Java's
        raise NoSpark(f"no Spark answers at {master}: check the address, and `radlake cluster check`") from None


def _await_executors(started: SparkSession, master: str) -> None:
    """Wait until the number of executors stands still: it decides how work is cut."""
    deadline, before = time.monotonic() + _JOIN_SECONDS, 0
    while time.monotonic() < deadline:
        # The driver counts itself.
        joined = int(started.sparkContext._jsc.sc().getExecutorMemoryStatus().size()) - 1
        if joined and joined == before:
            return
        before = joined
        time.sleep(1.0)
    started.stop()
    raise NoSpark(f"no worker of {master} took the job within {_JOIN_SECONDS:.0f} s: are there free cores and memory?")


@contextmanager
def told(passed: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn a job's end into one sentence: Spark's own text may quote what was in a row.

    Parameters
    ----------
    passed : tuple of exception types
        Left as they are.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        if isinstance(error, passed):
            raise
        raise SparkFailed(
            "Spark gave a job up: ask `radlake cluster check --master ...` why, and run the same command again to go on"
        ) from None


def _has_java() -> bool:
    """Whether Spark's own start script would find Java."""
    home = os.environ.get("JAVA_HOME")
    return (Path(home) / "bin" / "java").is_file() if home else shutil.which("java") is not None

"""The main job: from input folders to a settled lake, chain by chain, resumable at any moment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from radlake.core.place import Place
from radlake.engine.chain import Chain
from radlake.engine.driver import Driver
from radlake.engine.options import Options
from radlake.engine.pipeline import Pipeline
from radlake.engine.settle import settle
from radlake.lake.errors import PrivatePartError
from radlake.lake.store import Lake


@dataclass(frozen=True)
class Summary:
    """How a run ended.

    Parameters
    ----------
    files : dict
        Number of input files by status: done, quarantined, ignored.
    worked : dict
        Items that this run did, by unit; all zero when nothing had changed.
    seconds : float
        Wall time.
    unreadable_folders : int
        Folders that may not be listed: what lies in them was left out.
    """

    files: dict[str, int]
    worked: dict[str, int]
    seconds: float
    unreadable_folders: int = 0


def run(
    pipeline: Pipeline, folders: Sequence[str | Place], lake: Lake, key: bytes, options: Options | None = None
) -> Summary:
    """Take everything under the folders into the lake.

    Parameters
    ----------
    pipeline : Pipeline
        Checked before any file is opened.
    folders : sequence of paths or URIs
        Files or folders; empty: only what the lake already knows.
    lake : Lake
    key : bytes
        The owner's secret.
    options : Options, optional

    Raises
    ------
    PipelineError, UnknownName, BadParameter
        Before anything is read.
    PrivatePartError
        When the lake has files of which its private part does not know the places.
    WorkerFailed
        Under `strict`, at the first unforeseen exception.
    """
    options = options or Options()
    chains = pipeline.check()
    chains["files"] = replace(chains["files"], setting=options.patient_regex or "")
    started = time.perf_counter()
    with lake.lock():
        lake.recover()
        _check_private(lake)
        driver = Driver(lake, key, options)
        status = "stopped"
        try:
            driver.files(chains["files"], folders)
            driver.build(chains["series"], chains["images"])
            if driver.changed or _unsettled(lake, chains["lake"]):
                driver.whole(chains["lake"])
                settle(lake)
            status = "finished"
        finally:
            driver.record(pipeline, chains, status, started)
    counts = lake.sql("SELECT status, count(*) AS n FROM files GROUP BY 1").to_pylist()
    files = {r["status"]: r["n"] for r in counts}
    return Summary(files, dict(driver.worked), time.perf_counter() - started, driver.unreadable_folders)


def _check_private(lake: Lake) -> None:
    """Refuse to go on with a lake whose private part was lost or is another lake's: pixels could not be found."""
    query = "SELECT count(*) AS n FROM work ANTI JOIN private.sources USING (owner) WHERE unit = 'file'"
    unknown = lake.sql(query)["n"][0].as_py()
    if unknown:
        raise PrivatePartError(
            f"the private part does not know {unknown:,} files of this lake: restore it from a backup, name the right "
            "one with --private, or run into a new lake"
        )


def _unsettled(lake: Lake, whole: Chain) -> bool:
    """True when an earlier run ended before its last steps, or when those steps have changed."""
    chains = set(lake.read("chains", columns=["chain_key"])["chain_key"].to_pylist())
    query = "SELECT count(*) AS n FROM work WHERE run_id NOT IN (SELECT run_id FROM runs WHERE status = 'finished')"
    return whole.key not in chains or lake.sql(query)["n"][0].as_py() > 0

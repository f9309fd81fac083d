"""Can this cluster do the work: the same Python and packages on every worker, the key, and every place within reach."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from radlake.core.errors import RadlakeError
from radlake.core.place import Place, place
from radlake.engine.inputs import absolute
from radlake.engine.spark.jobs import Spark
from radlake.engine.spark.session import told

# What decides the bits of a result: these must be equal on all workers.
PACKAGES = (
    "radlake", "numpy", "scipy", "pyarrow", "pydicom", "opencv-python-headless", "SimpleITK", "imagecodecs", "numba",
)  # fmt: skip


@dataclass(frozen=True)
class Worker:
    """What one worker process said.

    Parameters
    ----------
    host : str
        Its machine.
    python : str
        Version and place of its Python.
    problems : tuple of str
        What must change before a run; empty when all is well.
    """

    host: str
    python: str
    problems: tuple[str, ...]


def check(engine: Spark, wanted: str, key_file: str, places: Sequence[tuple[str, bool]]) -> list[Worker]:
    """Ask every core of a cluster at the same time.

    Parameters
    ----------
    engine : Spark
    wanted : str
        Fingerprint of the key that workers must hold.
    key_file : str
        Where they find it; empty: in their user's configuration.
    places : sequence of (address, whether to write there)
        A place to write gets a small file, which is removed again.

    Returns
    -------
    list of Worker
        One a core, ordered by host.

    Raises
    ------
    NoSpark, SparkFailed
        When there is no cluster, or it cannot run Python at all.
    """
    context = engine.session().sparkContext
    cores = engine.workers
    versions = {name: version(name) for name in PACKAGES}
    probe = _probe(
        versions,
        platform.python_version(),
        (wanted, key_file),
        [(str(absolute(where)), writes) for where, writes in places],
    )
    with told():
        found = context.parallelize(range(cores), cores).barrier().mapPartitions(probe).collect()
    return sorted((Worker(*answer) for answer in found), key=lambda w: w.host)


def lines(workers: Iterable[Worker]) -> Iterator[str]:
    """The answers in words: a line a machine, and one for each problem."""
    hosts: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for worker in workers:
        key = (worker.host, worker.python, worker.problems)
        hosts[key] = hosts.get(key, 0) + 1
    for (host, python, problems), count in hosts.items():
        yield f"{host}: {count} core{'s' * (count != 1)}, Python {python}: {'ready' if not problems else 'not ready'}"
        yield from (f"  {problem}" for problem in problems)


def problems_of(key: tuple[str, str], places: Sequence[tuple[str, bool]]) -> list[str]:
    """What keeps this process from working with a key and with places; runs on the workers."""
    found = [p for p in (_key_problem(*key),) if p]
    for address, writes in places:
        try:
            _touch(place(address), writes=writes)
        except (OSError, RadlakeError) as error:
            reason = error if isinstance(error, RadlakeError) else (error.strerror or type(error).__name__)
            found.append(f"{'cannot write to' if writes else 'cannot read'} {address}: {reason}")
    return found


def _key_problem(wanted: str, key_file: str) -> str | None:
    """Why the key cannot be used here, if so."""
    from pathlib import Path

    from radlake.deid.keys import KeyProblem, fingerprint, load_key

    try:
        here = fingerprint(load_key(Path(key_file) if key_file else None))
    except KeyProblem as problem:
        return str(problem)
    return None if here == wanted else f"the key here is {here}, not {wanted}: give every worker the same key file"


def _touch(where: Place, *, writes: bool) -> None:
    """Look into a folder or file, or write a file and remove it."""
    import secrets

    if not writes:
        if not where.exists():
            raise FileNotFoundError(2, "it is not there")
        return
    where.mkdir(parents=True, exist_ok=True)
    file = where / f".probe-{secrets.token_hex(8)}"
    file.write_bytes(b"")
    file.unlink()


def _probe(
    versions: dict[str, str], python: str, key: tuple[str, str], places: Sequence[tuple[str, bool]]
) -> Callable[[Any], Iterator[tuple[str, str, tuple[str, ...]]]]:
    """What a worker does. It travels as code, so that it can tell also where radlake is not installed."""

    def probe(_: Any) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        import platform
        import socket
        import sys
        from importlib.metadata import PackageNotFoundError, version

        here = platform.python_version()
        problems = [] if here == python else [f"Python {here}, the driver has {python}: ship one with --archive"]
        for name, expected in versions.items():
            try:
                installed = version(name)
            except PackageNotFoundError:
                installed = "not installed"
            if installed != expected:
                problems.append(f"{name} {installed}, the driver has {expected}: ship one environment with --archive")
        try:
            from radlake.engine.spark.check import problems_of

            problems += problems_of(key, places)
        except ImportError:
            problems.append("radlake cannot be imported: ship an environment with --archive")
        yield socket.gethostname(), f"{here} ({sys.executable})", tuple(problems)

    return probe

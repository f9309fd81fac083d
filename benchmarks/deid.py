"""Cleaning DICOM files by PS3.15 against reading and writing them plainly with pydicom, and one worker against two.

Cleans copies of real files in a temporary folder in turns with a plain read and write of the same files, and prints the
ratio of the medians in process CPU time: the share of pydicom's speed that is left. Then `radlake deidentify` cleans a
folder of copies with one worker and with two, without reading pixels, in wall time: run it where nothing else runs.

    python benchmarks/deid.py [--files 100] [--rounds 5] [--folder 4000] [DICOM_FILE ...]
        [--peer dicom-anonymizer=PYTHON] [--peer dicognito=PYTHON]

PYTHON is the interpreter of an environment that holds the peer (`deid_peers.py`); its ratio is to the plain read and
write of the same run there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pydicom
from deid_peers import PROGRAMS, peer
from pydicom.data import get_testdata_file

from radlake.deid import deidentify_file
from radlake.deid.files import Settings
from radlake.engine.deidentify import Options, deidentify
from radlake.engine.local import Local

KEY = b"k" * 32


def plain(source: Path, dest: Path) -> None:
    """Read and write by pydicom."""
    pydicom.dcmread(source).save_as(dest)


def strict(source: Path, dest: Path) -> None:
    """Clean by the profile "strict"."""
    deidentify_file(source, dest, profile="strict", key=KEY)


def research(source: Path, dest: Path) -> None:
    """Clean by the profile "research"."""
    deidentify_file(source, dest, profile="research", key=KEY)


def seconds(work: Callable[[Path, Path], None], sources: list[Path], dest: Path) -> float:
    """CPU time of one pass over all files."""
    start = time.process_time()
    for source in sources:
        work(source, dest)
    return time.process_time() - start


def copies(originals: list[Path], folder: Path, number: int) -> list[Path]:
    """So many files, copies of the originals in turns."""
    folder.mkdir()
    made = [folder / f"{n}.dcm" for n in range(number)]
    for n, path in enumerate(made):
        path.write_bytes(originals[n % len(originals)].read_bytes())
    return made


def workers(originals: list[Path], folder: Path, number: int) -> None:
    """Prints how much faster two workers are than one, start-up included."""
    copies(originals, folder / "scans", number)
    took = {}
    for count in (1, 2):
        options = Options(Local(count), strict=True)
        took[count] = deidentify(folder / "scans", folder / f"out{count}", Settings(KEY, pixels="off"), options).seconds
    print(f"{number} files: {took[1]:.1f} s with one worker, {took[2]:.1f} s with two, {took[1] / took[2]:.2f} x")


def named(text: str) -> tuple[str, str]:
    """A peer with its interpreter, from NAME=PYTHON."""
    name, _, python = text.partition("=")
    if name not in PROGRAMS or not python:
        raise argparse.ArgumentTypeError(f"expected NAME=PYTHON with a name of {', '.join(PROGRAMS)}")
    return name, python


def against(peers: list[tuple[str, str]], sources: list[Path], folder: Path, rounds: int) -> None:
    """Prints a line for each peer."""
    for name, python in peers:
        found = peer(name, python, sources, folder, rounds)
        if found is None:
            print(f"{name}: cannot be run by {python}")
        else:
            plain_s, clean_s = found
            took = 1000 * clean_s / len(sources)
            print(f"{name}: {took:.2f} ms a file, {plain_s / clean_s:.2f} of plain read and write")


def main() -> None:
    """Prints one line for each profile and peer, and one for the workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("originals", nargs="*", type=Path)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=int, default=4000)
    parser.add_argument("--peer", type=named, action="append", default=[], metavar="NAME=PYTHON")
    args = parser.parse_args()
    originals = args.originals or [Path(str(get_testdata_file(n))) for n in ("CT_small.dcm", "MR_small.dcm")]
    with tempfile.TemporaryDirectory() as folder:
        sources = copies(originals, Path(folder) / "files", args.files)
        dest = Path(folder) / "out.dcm"
        times: dict[str, list[float]] = {"plain": [], "strict": [], "research": []}
        for _ in range(args.rounds):
            for work in (plain, strict, research):
                times[work.__name__].append(seconds(work, sources, dest))
        against(args.peer, sources, Path(folder), args.rounds)
        workers(originals, Path(folder), args.folder)
    base = statistics.median(times["plain"])
    for name in ("strict", "research"):
        took = statistics.median(times[name])
        print(f"{name}: {1000 * took / args.files:.2f} ms a file, {base / took:.2f} of plain read and write")


if __name__ == "__main__":
    main()

"""Cleaning DICOM files by PS3.15 against reading and writing them plainly with pydicom, in process CPU time.

Cleans copies of real files in a temporary folder in turns with a plain read and write of the same files, and prints the
ratio of the medians: the share of pydicom's speed that is left.

    python benchmarks/deid_files.py [--files 100] [--rounds 5] [DICOM_FILE ...]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file

from radlake.deid import deidentify_file

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


def main() -> None:
    """Prints one line for each profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("originals", nargs="*", type=Path)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    originals = args.originals or [Path(str(get_testdata_file(n))) for n in ("CT_small.dcm", "MR_small.dcm")]
    with tempfile.TemporaryDirectory() as folder:
        sources = []
        for number in range(args.files):
            original = originals[number % len(originals)]
            sources.append(Path(folder) / f"{number}.dcm")
            sources[-1].write_bytes(original.read_bytes())
        dest = Path(folder) / "out.dcm"
        times: dict[str, list[float]] = {"plain": [], "strict": [], "research": []}
        for _ in range(args.rounds):
            for work in (plain, strict, research):
                times[work.__name__].append(seconds(work, sources, dest))
    base = statistics.median(times["plain"])
    for name in ("strict", "research"):
        took = statistics.median(times[name])
        print(f"{name}: {1000 * took / args.files:.2f} ms a file, {base / took:.2f} of plain read and write")


if __name__ == "__main__":
    main()

"""What other cleaners take for the same DICOM files, each in an environment of its own.

A peer is named with the interpreter of an environment that holds it (it need not hold radlake). Its program reads paths
from a file, cleans them into one place in several rounds, and prints the median CPU seconds of a round, and of a plain
read and write by the pydicom that it has.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

_FRAME = """
import json, statistics, sys, time, warnings, logging
import pydicom
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
paths, dest, rounds = open(sys.argv[1]).read().split(chr(10)), sys.argv[2], int(sys.argv[3])
{setup}
def plain(source):
    pydicom.dcmread(source).save_as(dest)
def seconds(work):
    start = time.process_time()
    for path in paths:
        work(path)
    return time.process_time() - start
took = [[seconds(plain), seconds(clean)] for _ in range(rounds + 1)][1:]
print(json.dumps([statistics.median(column) for column in zip(*took)]))
"""
PROGRAMS = {
    "dicom-anonymizer": """
from dicomanonymizer import anonymize_dicom_file
def clean(source):
    anonymize_dicom_file(source, dest)
""",
    "dicognito": """
from dicognito.anonymizer import Anonymizer
anonymizer = Anonymizer(seed="seed")
def clean(source):
    dataset = pydicom.dcmread(source)
    anonymizer.anonymize(dataset)
    dataset.save_as(dest)
""",
}


def peer(name: str, python: str, paths: Sequence[Path], folder: Path, rounds: int) -> tuple[float, float] | None:
    """CPU seconds of a round of plain reading and writing, and of cleaning; None where the peer cannot be run."""
    listed = folder / "paths.txt"
    listed.write_text("\n".join(map(str, paths)))
    program = _FRAME.format(setup=PROGRAMS[name])
    command = [python, "-c", program, str(listed), str(folder / "peer.dcm"), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    plain, clean = json.loads(done.stdout.splitlines()[-1])
    return plain, clean

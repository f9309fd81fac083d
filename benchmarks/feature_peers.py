"""What other packages take for the same regions, each in an environment of its own.

A peer is named with the interpreter of an environment that holds it (it need not hold radlake). Its program reads the
arrays from a file, warms up, and prints the least CPU seconds of some calls and how many features came.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

_FRAME = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
data, repeats = np.load(sys.argv[1]), int(sys.argv[2])
image, mask = data["image"], data["mask"]
spacing, width = [float(v) for v in data["spacing"]], float(data["width"])
{setup}
def call():
{call}
seconds = []
for _ in range(repeats + 1):
    start = time.process_time()
    found = call()
    seconds.append(time.process_time() - start)
print(json.dumps({{"seconds": min(seconds[1:] or seconds), "features": found}}))
"""
_SITK = """
import SimpleITK as sitk
image, mask = (sitk.GetImageFromArray(a) for a in (image, mask))
for i in (image, mask):
    i.SetSpacing(spacing[::-1])
"""
_PICTOLOGICS = """
from pictologics import RadiomicsPipeline
from pictologics.loader import Image
image, mask = (Image(np.ascontiguousarray(a.T), tuple(spacing[::-1]), (0.0, 0.0, 0.0)) for a in (image, mask))
least = float(data["image"][data["mask"] > 0].min())
pipeline = RadiomicsPipeline(load_standard=False)
pipeline.add_config("all", [
    {"step": "discretise", "params": {"method": "FBS", "bin_width": width, "min_val": least}},
    {"step": "extract_features", "params": {
        "families": ["intensity", "morphology", "texture", "histogram", "ivh"],
        "include_spatial_intensity": SLOW, "include_local_intensity": SLOW}},
])
"""
PROGRAMS = {
    "pyradiomics": (
        _SITK
        + """
import radiomics
from radiomics.featureextractor import RadiomicsFeatureExtractor
radiomics.setVerbosity(60)
extractor = RadiomicsFeatureExtractor(binWidth=width)
""",
        "return sum(not k.startswith('diagnostics') for k in extractor.execute(image, mask))",
    ),
    "flash": (
        _SITK
        + """
from flash_radiomics.featureextractor import RadiomicsFeatureExtractor
extractor = RadiomicsFeatureExtractor(binWidth=width, backend="cpu", num_threads=1)
""",
        "return sum(not k.startswith('diagnostics') for k in extractor.execute(image, mask))",
    ),
    "pictologics": (_PICTOLOGICS.replace("SLOW", "False"), "return len(pipeline.run(image, mask)['all'])"),
    "pictologics-slow": (_PICTOLOGICS.replace("SLOW", "True"), "return len(pipeline.run(image, mask)['all'])"),
    "nyxus": (
        """
from nyxus import Nyxus
nyx = Nyxus(["*ALL_INTENSITY*", "*ALL_GLCM*", "*ALL_GLRLM*", "*ALL_GLSZM*", "*ALL_GLDZM*", "*ALL_NGTDM*",
             "*ALL_NGLDM*", "*ALL_MORPHOLOGY*"], n_feature_calc_threads=1)
""",
        "return nyx.featurize(image.astype(np.uint16), mask.astype(np.uint16)).shape[1]",
    ),
}


def peer(name: str, python: str, arrays: dict[str, Any], repeats: int) -> dict[str, float] | str:
    """CPU seconds and number of features of a peer; why there are none, where it fails."""
    setup, call = PROGRAMS[name]
    program = _FRAME.format(setup=setup, call=f"    {call}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.npz"
        np.savez(path, **arrays)
        command = [python, "-c", program, str(path), str(repeats)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[-1][:160]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found

"""What measuring takes at most: by hand, and never less than what a process was seen to take."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from radlake.features.filtered import KNOWN
from radlake.features.memory import (
    _FILTERS,
    features_bytes,
    perturbed_bytes,
    perturbed_pyradiomics_bytes,
    pyradiomics_bytes,
)

CT = {"rows": 100, "columns": 100, "slices": 50, "spacing_z": 5.0, "spacing_y": 1.0, "spacing_x": 1.0}
SEEN = """
import sys
from pathlib import Path
import numpy as np
from radlake.features import extract
from radlake.features.stability import Perturbation, perturbed
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) << 10
def measured(shape):
    image, mask = np.random.default_rng(0).normal(100, 30, shape).astype(np.int16), np.zeros(shape, bool)
    mask[2:4, 3:6, 3:6] = True
    if sys.argv[1:]:
        extract(image, mask, families=["intensity"], spacing=(1.0, 1.0, 1.0), filters=sys.argv[1:])
    else:
        perturbed(mask, Perturbation(turn_degrees=5))
measured((6, 12, 12))
before = peak()
measured((60, 120, 120))
print(peak() - before)
"""


def test_every_filter_has_a_rate() -> None:
    assert _FILTERS.keys() == KNOWN.keys()


def test_the_hungriest_filter_counts_not_all_of_them() -> None:
    plain, *filtered = (
        features_bytes({"filters": f}, CT) for f in ((), ("mean size_vox=3",), ("mean size_vox=3", "wavelet"))
    )
    assert plain == 6 * 500_000
    assert [f - plain for f in filtered] == [(7 + 4) * 500_000, (30 + 4) * 500_000]


def test_masks_are_changed_before_they_are_measured_by() -> None:
    assert perturbed_bytes({"filters": ("wavelet",)}, CT) == 95 * 500_000
    assert perturbed_bytes({"filters": ("riesz order=1,0,0 sigma_mm=2",)}, CT) == (6 + 150 + 4 + 6) * 500_000
    assert perturbed_pyradiomics_bytes({}, CT) == 95 * 500_000
    assert perturbed_pyradiomics_bytes({"parameters": '{"imageType": {"Wavelet": {}}}'}, CT) == (101 + 6) * 500_000


def test_a_finer_grid_takes_more() -> None:
    assert features_bytes({"spacing_mm": (1, 1, 1)}, CT) == (6 + 12) * 5 * 500_000
    assert features_bytes({"preset": "ibsi2-b"}, CT) == (6 + 12) * 5 * 500_000
    assert features_bytes({"spacing_mm": (0, 2, 2)}, CT) == (6 + 12) / 4 * 500_000
    assert features_bytes({"spacing_mm": (1, 1, 1)}, {"rows": 10, "columns": 10}) == (6 + 12) * 100


def test_image_types_of_pyradiomics_count() -> None:
    wavelet = json.dumps({"imageType": {"Original": {}, "Wavelet": {}}})
    finer = json.dumps({"setting": {"resampledPixelSpacing": [1, 1, 2.5], "normalize": True}})
    assert pyradiomics_bytes({}, CT) == 30 * 500_000
    assert pyradiomics_bytes({"parameters": wavelet}, CT) == 101 * 500_000
    assert pyradiomics_bytes({"parameters": finer}, CT) == (30 + 27) * 2 * 500_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of a process from /proc")
@pytest.mark.parametrize("words", [[], ["simoncelli level=1"], ["riesz order=1,0,0 sigma_mm=2"]])
def test_no_filter_and_no_change_takes_more_than_its_rate(words: list[str]) -> None:
    found = subprocess.run([sys.executable, "-c", SEEN, *words], capture_output=True, text=True, check=True)
    image = {"rows": 120, "columns": 120, "slices": 60}
    own = (2 + 1) * 60 * 120 * 120  # of the image and its mask
    expected = (features_bytes({"filters": words}, image) if words else perturbed_bytes({}, image)) + own
    # not by far either; the peak of a process moves in steps of what its allocator asks for: 2 MiB
    assert 0.5 * expected < int(found.stdout) < expected + (2 << 20)

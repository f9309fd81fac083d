"""Every registered check against every layout of image and row that may come."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.core.schema import IMAGES, INSTANCES
from radlake.quality import CHECKS

RNG = np.random.default_rng(0)
SECRET = "Doe^Jane 1.2.840.99 /data/ward"  # in every text column: no message may repeat any part of it


def _volume(dtype: str) -> np.ndarray:
    values = RNG.normal(100, 40, (4, 100, 110))
    return (values > 100) if dtype == "bool" else np.abs(values).astype(dtype)


def _with(array: np.ndarray, value: float) -> np.ndarray:
    array[..., ::3] = value
    return array


def _image(array: np.ndarray, **options: Any) -> Image:
    extra = sum(options.get(k) is not None for k in ("channel_axis", "time_axis"))
    spacing = options.pop("spacing", (1.0,) * (array.ndim - extra))
    return Image(array, Geometry(spacing, calibrated=options.pop("calibrated", True)), **options)


IMAGES_OF = {
    **{t: _image(_volume(t)) for t in ("uint8", "int16", "uint16", "int32", "float32", "float64", "bool")},
    "2-D": _image(_volume("int16")[0], kind="xray"),
    "CT": _image(_volume("int16"), kind="ct", unit="HU", padding=-2000.0),
    "CT not in HU": _image(_volume("int16"), kind="ct"),
    "colour": _image(RNG.integers(0, 255, (100, 100, 3), dtype=np.uint8), channel_axis=2, kind="us"),
    "colour first": _image(RNG.integers(0, 255, (3, 100, 100), dtype=np.uint8), channel_axis=0),
    "cine": _image(_volume("uint8"), time_axis=0, kind="us"),
    "colour cine": _image(RNG.integers(0, 255, (3, 40, 40, 3), dtype=np.uint8), channel_axis=-1, time_axis=0),
    "4-D": _image(RNG.normal(size=(2, 3, 40, 40)), time_axis=0, kind="mr"),
    "anisotropic": _image(_volume("int16"), spacing=(9.0, 0.5, 0.5), kind="mr"),
    "uncalibrated": _image(_volume("int16"), calibrated=False, kind="mr"),
    "constant": _image(np.full((3, 100, 100), 7, np.int16), kind="ct", unit="HU"),
    "zero": _image(np.zeros((100, 100), np.float32), kind="mr"),
    "NaN": _image(_with(_volume("float32"), np.nan), kind="mr"),
    "infinite": _image(_with(_volume("float32"), np.inf), kind="ct", unit="HU"),
    "all NaN": _image(np.full((2, 100, 100), np.nan), kind="xray"),
    "half": _image(_volume("float16"), kind="pet", unit="SUVbw"),
    "complex": _image(_volume("float32") + 1j, kind="mr"),
    "big endian": _image(_volume("int16").astype(">i2"), kind="mr"),
    "single voxel": _image(np.ones((1, 1, 1), np.int16), kind="ct", unit="HU"),
    "single pixel": _image(np.ones((1, 1), np.uint8), kind="xray"),
    "one row": _image(np.arange(200)[None], kind="xray"),
    "no slices": _image(np.zeros((0, 8, 8)), kind="ct", unit="HU"),
    "no columns": _image(np.zeros((3, 8, 0)), kind="mr"),
    "label": _image(_volume("uint8") // 60, kind="label", unit="label"),
    "not contiguous": _image(_volume("int16")[:, ::-1, ::2], kind="mr"),
}

NULL = dict.fromkeys(INSTANCES.names)
TEXT = {name: SECRET if str(INSTANCES.field(name).type) == "string" else None for name in INSTANCES.names}
PLACE = {"orientation": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], "bits_stored": 12, "bits_allocated": 8, "samples": 3}
MEMBERS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "bare": [{}],
    "null": [NULL, NULL],
    "text": [TEXT, TEXT],
    "a gap": [
        {**TEXT, **PLACE, "position": [0.0, 0.1 * z, z], "instance_number": int(z)} for z in (0.0, 1, 2, 2, 5, 5.5)
    ],
    "frames": [{**TEXT, **PLACE, "frame_positions": [0.0, 0, 0, 0, 0, 1, 0, 0, 3], "frames": [0, 1, 2]}],
    "odd frames": [{**NULL, "frame_positions": [0.0, 0], "frames": [7], "frame_orientations": [1.0]}],
    "not finite": [{**NULL, **PLACE, "position": [math.nan, math.inf, z], "gantry_tilt": math.nan} for z in (0.0, 1.0)],
}
ROWS = {"bare": {}, "null": dict.fromkeys(IMAGES.names), "text": dict.fromkeys(IMAGES.names, SECRET)}


@pytest.mark.parametrize("members", MEMBERS)
@pytest.mark.parametrize("layout", IMAGES_OF)
@pytest.mark.parametrize("name", CHECKS)
def test_a_check_reports_and_does_nothing_else(name, layout, members):
    image = IMAGES_OF[layout]
    before = image.array.copy()
    for row in ROWS.values():
        rows, one = copy.deepcopy(MEMBERS[members]), copy.deepcopy(row)
        with np.errstate(all="raise", under="ignore"):
            found = CHECKS[name](image, one, rows)
        assert _text(rows) == _text(MEMBERS[members])
        assert one == row
        assert found == CHECKS[name](image, row, MEMBERS[members])
        assert pickle.loads(pickle.dumps(found)) == found
        for finding in found:
            assert finding.check == name
            assert finding.level in ("info", "warning", "error")
            assert finding.message
            assert finding.fix
            assert finding.value is None or (type(finding.value) is float and math.isfinite(finding.value))
            said = finding.message + finding.fix
            assert not any(word in said for word in ("Doe", "Jane", "840", "/data", "ward"))
    assert np.array_equal(image.array, before, equal_nan=before.dtype.kind in "fc")


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_picklable_and_documented(name):
    assert pickle.loads(pickle.dumps(CHECKS[name])) is CHECKS[name]
    assert CHECKS[name].__module__ == f"radlake.quality.{name}"
    assert len(CHECKS[name].__doc__ or "") > 40


def _text(rows: list[dict[str, Any]]) -> str:
    """Rows as text, in which NaN equals NaN."""
    return repr(rows)

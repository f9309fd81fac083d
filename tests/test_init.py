"""The public names of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import radlake as rl
from radlake.lake.errors import NotALakeError
from tests import archive
from tests.engine.conftest import Place

HEAVY = ("torch", "numba", "matplotlib", "pyspark", "sklearn", "cv2", "pandas", "pyarrow", "pydicom", "scipy", "duckdb")


def test_importing_radlake_imports_nothing_heavy() -> None:
    script = "import radlake, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())


def test_every_public_name_is_there() -> None:
    assert set(rl.__all__) <= set(dir(rl))
    for name in rl.__all__:
        assert getattr(rl, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = rl.nothing


def test_a_study_is_run_and_its_lake_asked(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for number in range(1, 4):
        archive.ct_slice(place.source / str(number), number)
    study = rl.Pipeline("small", [rl.step("deid"), rl.step("quality")])
    summary = rl.run(study, place.source, tmp_path / "lake", engine=rl.Local(0), key_file=place.key_file)
    assert summary.files == {"done": 3}
    frame = rl.open_lake(tmp_path / "lake").sql("select * from series").to_pandas()
    assert frame["instances"].tolist() == [3]
    assert frame["modality"].tolist() == ["CT"]


def test_a_folder_that_is_no_lake_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotALakeError):
        rl.open_lake(tmp_path)


def test_a_folder_of_slices_is_read_as_one_image(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        archive.ct_slice(tmp_path / f"{9 - number}", number)
    image = rl.read_image(tmp_path)
    assert isinstance(image, rl.Image)
    assert image.array.shape == (3, 48, 48)
    assert image.unit == "HU"
    np.testing.assert_allclose(image.geometry.spacing, (3.0, 0.8, 0.8))

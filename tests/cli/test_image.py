"""Commands on single images, as a user types them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage
from typer.testing import CliRunner

from radlake.cli import app
from radlake.core.image import Geometry, Image
from radlake.formats.read import read_image
from radlake.formats.write import write_image


def test_a_volume_larger_than_the_memory_goes_slab_by_slab(tmp_path: Path) -> None:
    source, dest = tmp_path / "Aufnahme 影像.npy", tmp_path / "out.npy"
    volume = np.random.default_rng(5).integers(-900, 900, (120, 512, 512), np.int16)  # with the work on it 660 MiB
    np.save(source, volume)
    words = ["filter", "median", str(source), str(dest), "--radius-mm", "1.5", "--spacing", "[5, 1, 1]"]
    done = CliRunner().invoke(app, [*words, "--memory", "256MiB"])
    assert done.exit_code == 0, done.output
    assert "done in 3 slabs" in done.output
    assert np.array_equal(np.load(dest), ndimage.median_filter(volume, (1, 3, 3)))
    refused = CliRunner().invoke(app, [*words, "--compare", str(tmp_path / "side.png")])
    assert refused.exit_code == 2


def test_nifti_goes_by_slabs_where_memory_is_given(tmp_path: Path) -> None:
    values = np.random.default_rng(5).integers(-900, 900, (12, 96, 128), np.int16)
    source, whole, slabs = tmp_path / "影像.nii", tmp_path / "whole.nii", tmp_path / "slabs.nii.gz"
    write_image(Image(values, Geometry((3.0, 0.7, 0.7))), source)
    words = ["filter", "gaussian", str(source)]
    for dest, how in ((whole, []), (slabs, ["--memory", "256MiB"])):
        done = CliRunner().invoke(app, [*words, str(dest), "--sigma-mm", "2", *how])
        assert done.exit_code == 0, done.output
        assert ("done in 1 slab" in done.output) == bool(how)
    assert read_image(whole).array.tobytes() == read_image(slabs).array.tobytes()
    refused = CliRunner().invoke(app, [*words, str(slabs), "--sigma-mm", "2", *how, "--spacing", "[1, 1, 1]"])
    assert (refused.exit_code, "the file says its own spacing" in refused.output) == (1, True)

"""Commands on single images, as a user types them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage
from typer.testing import CliRunner

from radlake.cli import app


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

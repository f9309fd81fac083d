"""Fixtures for all tests: where the real data is, and hypothesis settings that do not depend on the clock."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from hypothesis import settings

# pydicom and nibabel warn about damaged files, which are the very inputs that the tests feed them.
settings.register_profile("radlake", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("radlake")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real images with reference values; the test skips where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real images is absent")
    return folder


@pytest.fixture
def quiet() -> None:
    """Let a library warn: for tests whose input is damaged on purpose."""
    warnings.simplefilter("ignore")

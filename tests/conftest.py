"""Fixtures for all tests: where the real data is, and hypothesis settings that do not depend on the clock."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from tests import stores

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


@dataclass(frozen=True)
class Store:
    """A store on loopback: where to put a lake, and where its private part."""

    kind: str
    root: str
    private: str


_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """One S3 server for all tests; the environment that leads to it."""
    try:
        with stores.s3(tmp_path_factory.mktemp("s3")) as environment:
            yield environment
    except stores.NoServer as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def hdfs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One HDFS for all tests; its address."""
    try:
        with stores.hdfs(tmp_path_factory.mktemp("hdfs")) as address:
            yield address
    except stores.NoServer as problem:
        pytest.skip(str(problem))


@pytest.fixture
def s3(s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Store:
    """Fresh places in S3, whose names have spaces and Chinese characters."""
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    number = next(_NUMBERS)
    return Store("s3", f"s3://cohort/lake of 医院 {number}", f"s3://owner-only/{number}")


@pytest.fixture
def hdfs(hdfs_server: str) -> Store:
    """Fresh places in HDFS, where the Delta library takes plain names only."""
    number = next(_NUMBERS)
    return Store("hdfs", f"{hdfs_server}/lakes/{number}", f"{hdfs_server}/owner-only/{number}")


@pytest.fixture(params=["s3", "hdfs"])
def store(request: pytest.FixtureRequest) -> Store:
    """Either store."""
    found: Store = request.getfixturevalue(request.param)
    return found

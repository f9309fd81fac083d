from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.schema import DUPLICATES, FINGERPRINTS, to_table
from radlake.quality.duplicates import cluster


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The benchmark itself, so that what it prints is what is asserted here."""
    path = Path(__file__).parents[2] / "benchmarks" / "duplicates.py"
    found = importlib.util.spec_from_file_location("benchmark_duplicates", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _smooth(seed: int, side: int = 96) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(side, side))
    return ((noise.cumsum(axis=0).cumsum(axis=1)) % 50 + 5 * noise).astype(np.float32)


def test_a_mirrored_copy_of_another_patient_is_near_and_a_copy_exact(benchmark):
    rows = [benchmark.row(f"im-{k}", _smooth(k), f"pt-{k}") for k in range(6)]
    rows.append(benchmark.row("im-6", _smooth(0)[:, ::-1].copy(), "pt-6"))
    rows.append(benchmark.row("im-7", _smooth(3).copy(), "pt-3"))
    found = cluster(to_table("fingerprints", rows)).to_pylist()
    by_image = {r["image_id"]: r for r in found}
    assert set(by_image) == {"im-0", "im-6", "im-3", "im-7"}
    assert (by_image["im-6"]["kind"], by_image["im-6"]["across_patients"]) == ("near", True)
    assert by_image["im-6"]["distance"] < 0.05
    assert (by_image["im-7"]["kind"], by_image["im-7"]["distance"]) == ("exact", 0.0)
    assert by_image["im-7"]["across_patients"] is False
    assert by_image["im-0"]["cluster_id"] == by_image["im-6"]["cluster_id"] != by_image["im-3"]["cluster_id"]


@given(st.permutations(range(8)))
@settings(max_examples=8)
def test_the_order_of_rows_does_not_matter(order):
    from radlake.core.image import Geometry, Image
    from radlake.quality.fingerprint import fingerprint

    arrays = [_smooth(k % 5, 48) for k in range(8)]
    rows = [{"image_id": f"im-{k}", **vars(fingerprint(Image(a, Geometry((1.0, 1.0)))))} for k, a in enumerate(arrays)]
    expected = cluster(to_table("fingerprints", rows))
    assert expected.num_rows == 6
    assert cluster(to_table("fingerprints", [rows[k] for k in order])).equals(expected)


def test_a_volume_is_found_again_upside_down(benchmark):
    volume = np.stack([_smooth(k) for k in range(9)])
    names = {
        "one": volume,
        "flipped": volume[::-1, ::-1].copy(),
        "other": np.stack([_smooth(k + 50) for k in range(9)]),
    }
    found = cluster(to_table("fingerprints", [benchmark.row(n, a) for n, a in names.items()]))
    assert found["image_id"].to_pylist() == ["flipped", "one"]


def test_a_volume_whose_first_third_is_empty_is_found_again(benchmark):
    volume = np.stack([np.zeros((96, 96))] * 3 + [_smooth(k) for k in range(6)])
    found = cluster(to_table("fingerprints", [benchmark.row("one", volume), benchmark.row("two", volume[:, ::-1] + 1)]))
    assert found["image_id"].to_pylist() == ["one", "two"]


def test_flat_images_are_never_duplicates(benchmark):
    rows = [benchmark.row(f"im-{k}", np.full((32, 32), v)) for k, v in enumerate((0, 0, 7))]
    assert cluster(to_table("fingerprints", rows)).num_rows == 0


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_images_give_an_empty_table(benchmark, count):
    table = to_table("fingerprints", [benchmark.row("im-0", _smooth(0))][:count])
    assert cluster(table).schema == DUPLICATES
    assert cluster(table).num_rows == 0


def test_a_table_in_several_chunks_gives_the_same_rows(benchmark):
    rows = [benchmark.row(f"im-{k}", _smooth(k % 3, 48)) for k in range(6)]
    chunks = pa.concat_tables([to_table("fingerprints", [r]) for r in rows])
    assert chunks["thumb"].num_chunks == 6
    assert cluster(chunks).equals(cluster(to_table("fingerprints", rows)))
    assert chunks.schema == FINGERPRINTS


def test_planted_copies_of_real_pictures_are_found(benchmark, shared):
    found = dict(list(benchmark.pictures(shared).items())[::3])
    recall, precision, pairs = benchmark.planted(found, seed=1)
    assert pairs > 500
    assert precision >= 0.99
    assert {kind: r for kind, r in recall.items() if r < 0.95} == {}


def test_the_leaks_of_breast_ultrasound_are_found(benchmark, shared):
    found = benchmark.leaks(shared / "medmnist" / "breastmnist.npz")
    # 48 by 28-pixel correlation above .98, without mirrored or cropped ones
    assert 48 <= found["test images in train"] <= 65
    assert found["equal"] == 1


@pytest.mark.slow
def test_chest_radiographs_that_look_alike_are_not_called_duplicates(benchmark, shared):
    found = benchmark.leaks(shared / "medmnist" / "pneumoniamnist.npz")
    assert found["equal"] == 31
    assert found["pairs"] <= 33  # of 17 million
    assert found["test images in train"] <= 1

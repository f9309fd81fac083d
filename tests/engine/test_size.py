"""What a chain is expected to take for an image."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radlake.engine.chain import Chain, Step
from radlake.engine.parameters import checked
from radlake.engine.pipeline import DEFAULT
from radlake.engine.registry import stage
from radlake.engine.size import peak_bytes

MIB = 1 << 20
PLAIN = Chain("images", (Step("load"), Step("segment.otsu")))


def test_a_volume_takes_its_loading_the_hungriest_step_and_one_widened_plane() -> None:
    image = {"rows": 10, "columns": 20, "slices": 30, "estimated_bytes": 1000}
    assert peak_bytes(PLAIN, image) == 1000 + 7 * 6000 + 32 * 200


def test_a_filtered_image_stays_beside_the_steps_after_it() -> None:
    filtered = Chain("images", (Step("load"), Step("filter.gaussian"), Step("segment.otsu")))
    image = {"rows": 10, "columns": 20, "slices": 30, "estimated_bytes": 0}
    assert peak_bytes(filtered, image) - peak_bytes(PLAIN, image) == 4 * 6000


def test_time_points_count_only_for_steps_that_make_an_image() -> None:
    still = {"rows": 10, "columns": 20, "slices": None, "frames": None, "channels": 3, "estimated_bytes": 0}
    assert peak_bytes(PLAIN, still) == peak_bytes(PLAIN, still | {"frames": 500})
    filtered = Chain("images", (Step("load"), Step("filter.mean")))
    assert peak_bytes(filtered, still | {"frames": 500}) > 4 * 500 * 600 > peak_bytes(PLAIN, still)


def test_a_ct_of_600_slices_fits_into_two_gibibytes_with_the_default_study() -> None:
    chain = DEFAULT.check()["images"]
    # int16 that may widen to int32 while it is loaded: 6 bytes a sample
    image = {"rows": 512, "columns": 512, "slices": 600, "estimated_bytes": 6 * 512 * 512 * 600 + 24 * 512 * 512}
    assert 1500 * MIB < peak_bytes(chain, image) <= 2048 * MIB


def test_the_filters_that_features_are_asked_for_count() -> None:
    image = {"rows": 10, "columns": 20, "slices": 30, "estimated_bytes": 0}
    plain, filtered = (
        Chain("images", (*PLAIN.steps, Step("features", checked(stage("features"), {"filters": f}))))
        for f in ([], ["riesz order=1,0,0 sigma_mm=2"])
    )
    assert peak_bytes(filtered, image) - peak_bytes(plain, image) > 100 * 6000


@given(st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 2000), st.integers(0, 1 << 40))
def test_no_step_makes_an_image_smaller_than_its_loading(rows: int, columns: int, slices: int, loading: int) -> None:
    steps = tuple(Step(n, checked(stage(n), {})) for n in ("load", "regions", "quality", "preview"))
    image = {"rows": rows, "columns": columns, "slices": slices, "estimated_bytes": loading}
    assert peak_bytes(Chain("images", steps[:1]), image) >= loading
    assert peak_bytes(Chain("images", steps), image) >= peak_bytes(Chain("images", steps[:1]), image)

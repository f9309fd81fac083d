"""Two processes train the network that one makes of the same batches, and both end with the same bits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from radlake.learn.deep.distributed import dealt, own_rows
from radlake.learn.deep.shared_norm import SharedNorm, with_shared_norms
from radlake.learn.deep.trainer import Recipe
from tests.learn.deep import driver_of_distributed_test as driver

Found = Mapping[str, np.ndarray]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Found, Found]:
    """What each of two processes ended with."""
    folder = tmp_path_factory.mktemp("two processes")
    command = [sys.executable, "-m", driver.__name__]
    both = [subprocess.Popen([*command, str(rank), str(folder)], cwd=ROOT) for rank in (0, 1)]
    assert [process.wait(300) for process in both] == [0, 0]
    return np.load(folder / "0.npz"), np.load(folder / "1.npz")


def test_all_processes_end_with_the_same_bits(found: tuple[Found, Found]) -> None:
    ours, theirs = found
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_array_equal(theirs[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("name", "recipe", "held_out"), [("plain", driver.PLAIN, None), ("patient", driver.PATIENT, driver.HELD_OUT)]
)
def test_the_weights_are_those_of_one_process(
    found: tuple[Found, Found], name: str, recipe: Recipe, held_out: np.ndarray | None
) -> None:
    network, history = driver.alone(recipe, held_out)
    # float32 sums in another order: a millionth was seen after twenty steps
    for key, value in network.state_dict().items():
        np.testing.assert_allclose(found[0][f"{name}/{key}"], value.numpy(), rtol=1e-4, atol=1e-5, err_msg=key)
    np.testing.assert_allclose(found[0][f"{name} losses"], history.losses, rtol=1e-5)
    np.testing.assert_allclose(found[0][f"{name} validation"], history.validation, rtol=1e-5)


def test_a_training_that_was_killed_goes_on_to_the_same_bits(found: tuple[Found, Found]) -> None:
    for key in driver.network().state_dict():
        np.testing.assert_array_equal(found[0][f"resumed/{key}"], found[0][f"plain/{key}"])


def test_an_estimator_inside_a_group_learns_from_all_ranges(found: tuple[Found, Found]) -> None:
    _, y = driver.images()
    assert np.mean(np.argmax(found[0]["answers"], axis=1) == y) > 0.6  # two epochs
    assert "model/0.weight" in found[0]


@given(st.permutations(range(60)), st.sampled_from([[0, 60], [0, 30, 60], [0, 7, 20, 60]]), st.integers(1, 60))
def test_every_stretch_of_an_epoch_holds_an_even_share_of_each_range(
    order: list[int], bounds: list[int], length: int
) -> None:
    found = dealt(np.array(order), np.array(bounds))
    assert sorted(found) == list(range(60))
    ranges = len(bounds) - 1
    for low, high in pairwise(bounds):
        inside = (found >= low) & (found < high)
        assert found[inside].tolist() == [n for n in order if low <= n < high]
        held = np.convolve(inside, np.ones(length, int), "valid")
        # A stretch may begin and end anywhere between the cases of each range.
        assert np.all(np.abs(held - length * (high - low) / 60) <= ranges)


def test_outside_a_group_a_process_holds_all_rows() -> None:
    assert own_rows(7) == slice(0, 7)


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_shared_norm_alone_is_torchs_batch_norm(
    dims: int, momentum: float | None, tmp_path: Path, one_process: None
) -> None:
    torch.manual_seed(1)
    plain = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[dims](3, momentum=momentum)
    with torch.no_grad():
        plain.weight.uniform_(0.5, 1.5)
        plain.bias.uniform_(-1, 1)
    other = type(plain)(3, momentum=momentum)
    other.load_state_dict(plain.state_dict())
    shared = with_shared_norms(nn.Sequential(other))
    assert isinstance(shared[0], SharedNorm)  # type: ignore[index]
    for _ in range(2):
        values = torch.randn(6, 3, *[4] * (dims if dims > 1 else 0)) * 3 + 100
        ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
        said = shared(ours), plain(theirs)
        torch.testing.assert_close(*said, atol=1e-4, rtol=1e-4)  # float32 at values of a hundred
        for one in said:
            (one**3).sum().backward()
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(shared[0].weight.grad, plain.weight.grad, atol=1e-3, rtol=1e-3)  # type: ignore[index]
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[f"0.{name}"], value, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(shared.eval()(values), plain.eval()(values))


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    """A group of this process alone."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()

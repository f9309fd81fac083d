"""Every network on real data: the same promises for all."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle, load, save
from radlake.learn.deep import ImageClassifier
from radlake.learn.deep.networks import NETWORKS, build
from radlake.learn.validate import Fitted

OWN = [name for name in NETWORKS if not name.startswith("monai-")]
PAIRS = [(name, spatial) for name in OWN for spatial in NETWORKS[name].spatial]
# (cases, epochs, floor of the accuracy): what is learned in a few seconds; chance is one half
EFFORT = {"resnet-18": (40, 2, 0.7), "vit-small": (120, 8, 0.8)}


@cache
def real(spatial: str) -> tuple[np.ndarray, np.ndarray]:
    """Scikit-learn's digits 0 and 1; as volumes: three digits of one kind behind each other."""
    x, y = load_digits(n_class=2, return_X_y=True)
    order = np.argsort(y, kind="stable")[: 2 * (len(y) // 2)]
    x, y = x.reshape(-1, 8, 8)[order], y[order]
    if spatial == "zyx":
        x, y = np.stack([x[:-2], x[1:-1], x[2:]], axis=1)[y[:-2] == y[2:]], y[:-2][y[:-2] == y[2:]]
    mixed = np.random.default_rng(0).permutation(len(y))
    return x[mixed], y[mixed]


@cache
def trained(name: str, spatial: str) -> tuple[ImageClassifier, float]:
    """The network after a few seconds of training, and its accuracy on digits that it has not seen."""
    x, y = real(spatial)
    cases, epochs, _ = EFFORT.get(name, (200, 6, 0.9))
    model = ImageClassifier(name, epochs=epochs, batch=20, augment="none", average=0.8, threads=1)
    model.fit(x[:cases], y[:cases])
    return model, float((model.predict(x[-100:]) == y[-100:]).mean())


@pytest.mark.parametrize(("name", "spatial"), PAIRS)
def test_networks_learn_from_real_images(name: str, spatial: str) -> None:
    _, accuracy = trained(name, spatial)
    assert accuracy > EFFORT.get(name, (0, 0, 0.9))[2]


@pytest.mark.parametrize(("name", "spatial"), PAIRS)
def test_networks_round_trip_through_a_bundle(name: str, spatial: str, tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path)) / "模型 one"
    model, _ = trained(name, spatial)
    x = real(spatial)[0][-20:]
    save(Bundle(name, "one", (), Fitted({}, model, None), contract=model.contract_), folder)
    assert load(folder).predict_proba(x).tobytes() == model.predict_proba(x).tobytes()


@pytest.mark.parametrize(("name", "spatial"), PAIRS)
@pytest.mark.parametrize(("size", "channels"), [((3, 4, 5), 1), ((5, 13, 10), 3)])
def test_networks_take_any_size_and_channels(name: str, spatial: str, channels: int, size: tuple[int, ...]) -> None:
    if name == "resnet-18":
        size = (3, 4, 5)  # eleven million weights: larger ones take seconds
    size = size[-len(spatial) :]
    torch.manual_seed(0)
    network = build(name, channels=channels, outputs=4, size=size)
    x = torch.randn(2, channels, *size)
    before = x.clone()
    said = network(x)
    assert said.shape == (2, 4)
    assert torch.isfinite(said).all()
    assert torch.equal(x, before)
    said.sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    network.eval()
    assert torch.equal(network(x), copy.deepcopy(network)(x))
    alone, together = network(x[:1]), network(x)[:1]
    assert torch.allclose(alone, together, atol=1e-4)  # float32 sums in another order


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_say_what_they_are(name: str) -> None:
    network = NETWORKS[name]
    assert all((network.title, network.structure, network.assumes, network.cost, network.good_for))


def test_the_sizes_are_those_that_are_told() -> None:
    def weights(name: str, size: tuple[int, ...]) -> float:
        return sum(p.numel() for p in build(name, channels=1, outputs=2, size=size).parameters()) / 1e6

    found = {name: weights(name, (28, 28, 28)[-len(NETWORKS[name].spatial[0]) :]) for name in OWN}
    told = {
        "cnn-small": 0.4, "vgg-small": 0.29, "resnet-18": 11, "gru": 0.06, "lstm": 0.07, "attention": 0.03,
        "vit-small": 0.3,
    }  # fmt: skip
    assert found == pytest.approx(told, rel=0.15)


def test_a_network_that_takes_no_such_images_names_those_that_do() -> None:
    with pytest.raises(UsageError, match="'gru' takes no images with axes yx; these do: cnn-small, vgg-small"):
        build("gru", channels=1, outputs=2, size=(8, 8))


def test_attention_shows_the_slice_that_tells() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = rng.normal(size=(120, 6, 8, 8))
    x[np.arange(120), rng.integers(0, 6, 120)] += 2.0 * y[:, None, None]
    model = ImageClassifier("attention", epochs=12, batch=20, augment="none", average=0.8).fit(x, y)
    assert (model.predict(x) == y).mean() > 0.9
    bright = x.mean(axis=(2, 3)).argmax(axis=1)
    from radlake.learn.images import images

    pixels = torch.from_numpy(model.scale_.apply(images(x)))
    with torch.inference_mode():
        weights = model.network_.attention(model.network_.encoder(pixels))
    assert weights.sum(dim=1).numpy() == pytest.approx(1, abs=1e-5)
    assert (weights.argmax(dim=1).numpy() == bright)[y == 1].mean() > 0.8


def test_a_network_of_monai_is_told_to_be_absent_or_works() -> None:
    try:
        import monai.networks.nets  # noqa: F401
    except ImportError:
        with pytest.raises(UsageError, match="pip install monai"):
            build("monai-densenet121", channels=1, outputs=2, size=(32, 32))
    else:
        network = build("monai-densenet121", channels=1, outputs=2, size=(32, 32)).eval()
        assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 2)

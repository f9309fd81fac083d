"""Maps of networks whose workings are known, and checks that call an empty map empty."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.learn.explain.saliency import attention, grad_cam, integrated_gradients, occlusion
from radlake.learn.explain.sanity import alike, by_chance, check, overlap, randomised

torch = pytest.importorskip("torch")
nn = torch.nn


class Bright(nn.Module):  # type: ignore[misc, name-defined]
    """Class 1 is the brightness of a blurred image: a convolution, a ReLU and a mean."""

    def __init__(self, dims: int = 2) -> None:
        super().__init__()
        kind = nn.Conv2d if dims == 2 else nn.Conv3d
        self.conv = kind(1, 1, 3, padding=1, bias=False)
        nn.init.constant_(self.conv.weight, 1 / 3**dims)

    def forward(self, x):  # type: ignore[no-untyped-def]
        seen = torch.relu(self.conv(x)).flatten(1).mean(dim=1)
        return torch.stack([-10 * seen, 10 * seen], dim=1)


def picture(dims: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A bright square, and its mask."""
    image = np.zeros((1, *(12 for _ in range(dims))), dtype=np.float32)
    inside = (0, *(slice(6, 10) for _ in range(dims)))
    image[inside] = 1.0
    return image, image[0] > 0


def probabilities(network):  # type: ignore[no-untyped-def]
    def predict(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            found: np.ndarray = network(torch.from_numpy(images)).softmax(dim=1).double().numpy()
        return found

    return predict


@pytest.mark.parametrize("dims", [2, 3])
def test_all_maps_point_at_what_the_network_sees(dims: int) -> None:
    network = Bright(dims).eval()
    image, mask = picture(dims)
    maps = {
        "grad_cam": grad_cam(network, image, 1),
        "integrated": integrated_gradients(network, image, 1),
        "occlusion": occlusion(probabilities(network), image, 1, size=3, stride=1, fill=0.0),
    }
    for name, shown in maps.items():
        found = overlap(shown, mask)
        assert found is not None
        assert found.hit, name
        assert found.inside > 3 * found.area, name


def test_integrated_gradients_add_up_to_the_difference_of_scores() -> None:
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(4 * 36, 3)).eval()
    image = np.random.default_rng(0).normal(size=(2, 8, 8)).astype(np.float32)
    with torch.no_grad():
        scores = network(torch.from_numpy(np.stack([np.zeros_like(image), image])))[:, 2]
    shown = integrated_gradients(network, image, 2, steps=64)
    assert shown.sum() == pytest.approx(float(scores[1] - scores[0]), abs=1e-3)  # 64 midpoints of a smooth path


def test_a_map_of_a_learned_network_passes_and_a_random_or_flat_one_is_called_so() -> None:
    network = Bright().eval()
    image, mask = picture()
    predict = probabilities(network)
    shown = integrated_gradients(network, image, 1)
    nothing, noise = np.random.default_rng(3).random((2, *shown.shape))
    chance = by_chance(predict, image, 1)
    good = check(predict, image, mask + 0.1 * noise, [nothing], 1, chance=chance)
    assert good.shows
    assert good.deletion == np.mean(good.curve) < good.random_deletion
    assert (good.curve[0], good.curve[-1]) == pytest.approx((good.random_curve[0], good.random_curve[-1]))
    flat = check(predict, image, np.zeros_like(shown), [nothing], 1, chance=chance)
    assert not flat.shows
    assert "it is flat" in flat.words
    edges = check(predict, image, mask + 0.1 * noise, [mask + 0.1 * noise], 1, chance=chance)
    assert "a model that has learned nothing gives nearly the same map" in edges.words
    wrong = check(predict, image, 1.0 - mask, [], 1, chance=chance)
    assert "no more than removing random pixels" in wrong.words
    assert wrong.random_network is None


def test_a_randomised_network_is_another_one_and_the_original_stays() -> None:
    network = Bright()
    before = network.conv.weight.clone()
    first, again = randomised(network, seed=1), randomised(network, seed=1)
    assert torch.equal(network.conv.weight, before)
    assert torch.equal(first.conv.weight, again.conv.weight)
    assert alike(np.arange(9.0).reshape(3, 3), np.arange(9.0).reshape(3, 3)) == pytest.approx(1.0)
    assert alike(np.ones((3, 3)), np.arange(9.0).reshape(3, 3)) == 0.0


class Looks(nn.Module):  # type: ignore[misc, name-defined]
    """Four tokens, all of which look at the third."""

    def forward(self, tokens):  # type: ignore[no-untyped-def]
        return tokens

    def weights(self, tokens):  # type: ignore[no-untyped-def]
        found = torch.zeros(len(tokens), 4, 4)
        found[:, :, 2] = 1.0
        return found


class Tokens(nn.Module):  # type: ignore[misc, name-defined]
    """Quarters of an image as tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = Looks()

    def forward(self, x):  # type: ignore[no-untyped-def]
        return self.layer(nn.functional.avg_pool2d(x, 4).flatten(2).transpose(1, 2)).mean(dim=1)


def test_attention_is_put_back_in_its_place() -> None:
    shown = attention(Tokens().eval(), np.zeros((1, 8, 8), dtype=np.float32))
    assert shown.shape == (8, 8)
    # half of every token's flow goes to the third (lower left), a quarter of the rest stays in each: (.5 + .125) in all
    assert shown[4:, :4].tolist() == [[0.625] * 4] * 4
    assert shown[0, 0] == 0.125


def test_networks_without_what_a_map_needs_are_refused() -> None:
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    image = np.zeros((1, 8, 8), dtype=np.float32)
    with pytest.raises(UsageError, match="no convolution"):
        grad_cam(plain, image, 0)
    with pytest.raises(UsageError, match="no attention"):
        attention(plain, image)
    assert overlap(np.zeros((2, 2)), np.ones((2, 2), bool)) is None

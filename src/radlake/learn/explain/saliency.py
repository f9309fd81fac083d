"""Where a network looks: Grad-CAM, integrated gradients, occlusion and attention, in the pixels of the image.

Every function takes any `torch.nn.Module` from images (N, C, [Z,] Y, X) to class scores (N, K), and one image
(C, [Z,] Y, X); it gives one map ([Z,] Y, X). torch is imported when a map is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.learn.metrics import Floats

Predict = Callable[[NDArray[Any]], Floats]


def _torch() -> Any:
    """The package, or a message that names the extra."""
    try:
        import torch
    except ImportError as error:
        raise UsageError("maps of networks need an extra: pip install 'radlake[deep]'") from error
    return torch


def last_convolution(network: Any) -> Any:
    """The last layer that still has places: where Grad-CAM looks.

    Raises
    ------
    UsageError
        When there is no convolution.
    """
    torch = _torch()
    kinds = (torch.nn.Conv2d, torch.nn.Conv3d)
    found = [module for module in network.modules() if isinstance(module, kinds)]
    if not found:
        raise UsageError("the network has no convolution; use occlusion or integrated gradients")
    return found[-1]


def has_convolution(network: Any) -> bool:
    """Whether Grad-CAM has somewhere to look: a convolution whose features are joined by no self-attention."""
    torch = _torch()
    inside = list(network.modules())
    return any(isinstance(m, torch.nn.Conv2d | torch.nn.Conv3d) for m in inside) and not any(map(_attends, inside))


def has_attention(network: Any) -> bool:
    """Whether `attention` has something to show."""
    pools = hasattr(network, "attention") and hasattr(network, "encoder")
    return pools or any(map(_attends, network.modules()))


def _attends(module: Any) -> bool:
    """Whether a module gives the weights of its self-attention."""
    return callable(getattr(module, "weights", None))


def grad_cam(network: Any, image: NDArray[Any], target: int, *, layer: Any = None) -> Floats:
    """Places whose features speak for a class: features weighted by their mean gradient, negative ones cut off.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    image : (C, [Z,] Y, X) array
    target : int
        Column of the scores.
    layer : torch.nn.Module, optional
        By default the last convolution.

    References
    ----------
    Selvaraju et al. (2017), Grad-CAM: visual explanations from deep networks via gradient-based localization, ICCV.
    """
    torch = _torch()
    kept: dict[str, Any] = {}

    def keep(module: Any, inputs: Any, output: Any) -> Any:
        output.retain_grad()
        kept["features"] = output
        return output.clone()  # what follows may write in place

    hook = (layer or last_convolution(network)).register_forward_hook(keep)
    try:
        with torch.enable_grad():
            pixels = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None].requires_grad_(True)
            network.zero_grad()
            network(pixels)[0, target].backward()
    finally:
        hook.remove()
    features = kept["features"]
    weights = features.grad.mean(dim=tuple(range(2, features.ndim)), keepdim=True)
    coarse = torch.relu((weights * features).sum(dim=1, keepdim=True)).detach()
    if features.ndim < image.ndim + 1:  # the slices of a volume, one by one
        coarse = coarse.transpose(0, 1)[None]
    mode = "trilinear" if image.ndim == 4 else "bilinear"
    fine = torch.nn.functional.interpolate(coarse, size=image.shape[1:], mode=mode, align_corners=False)
    return np.asarray(fine[0, 0].double().numpy())


def integrated_gradients(
    network: Any, image: NDArray[Any], target: int, *, baseline: NDArray[Any] | float = 0.0, steps: int = 32
) -> Floats:
    """How much each pixel adds to a score on the way from a baseline: the sum of the map is the difference of scores.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    image : (C, [Z,] Y, X) array
    target : int
    baseline : array or float
        What "nothing" looks like.
    steps : int
        Of the path; midpoints are used.

    Returns
    -------
    ([Z,] Y, X) array
        Signed; channels added up.

    References
    ----------
    Sundararajan, Taly and Yan (2017), Axiomatic attribution for deep networks, ICML.
    """
    torch = _torch()
    end = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
    start = torch.as_tensor(np.broadcast_to(np.asarray(baseline, dtype=np.float32), image.shape).copy())
    total = torch.zeros_like(end)
    for k in range(steps):
        at = (start + (k + 0.5) / steps * (end - start))[None].requires_grad_(True)
        with torch.enable_grad():
            score = network(at)[0, target]
        (slope,) = torch.autograd.grad(score, at)
        total += slope[0]
    return np.asarray(((end - start) * total / steps).sum(dim=0).double().numpy())


def occlusion(
    predict: Predict, image: NDArray[Any], target: int, *, size: int = 4, stride: int = 2, fill: float | None = None
) -> Floats:
    """How much the probability of a class falls when a square (cube) is covered, averaged over all that cover a pixel.

    Parameters
    ----------
    predict : callable
        Images (N, C, [Z,] Y, X) to probabilities (N, K).
    image : (C, [Z,] Y, X) array
    target : int
    size, stride : int
        Pixels.
    fill : float, optional
        What covers; by default the image's mean.

    References
    ----------
    Zeiler and Fergus (2014), Visualizing and understanding convolutional networks, ECCV, section 4.2.
    """
    cover = float(image.mean()) if fill is None else fill
    shape = image.shape[1:]
    starts = [np.unique(np.r_[np.arange(0, max(n - size, 0) + 1, stride), max(n - size, 0)]) for n in shape]
    places = [
        (slice(None), *(slice(int(a), int(a) + size) for a in corner))
        for corner in np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, len(shape))
    ]
    whole = float(predict(image[None])[0, target])
    total, times = np.zeros(shape), np.zeros(shape)
    for first in range(0, len(places), 64):
        some = places[first : first + 64]
        covered = np.repeat(image[None], len(some), axis=0)
        for picture, place in zip(covered, some, strict=True):
            picture[place] = cover
        for place, p in zip(some, predict(covered)[:, target], strict=True):
            total[place[1:]] += whole - p
            times[place[1:]] += 1
    return total / np.maximum(times, 1)


def attention(network: Any, image: NDArray[Any]) -> Floats:
    """How much each patch of a transformer, or slice of a volume, weighs in the answer.

    Modules with `weights(tokens)` give maps of self-attention, which are multiplied through the layers; a module with
    `attention(features)` and `encoder` weighs slices.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    image : (C, [Z,] Y, X) array

    Raises
    ------
    UsageError
        When the network has no attention.

    References
    ----------
    Abnar and Zuidema (2020), Quantifying attention flow in transformers, ACL, section 3 (rollout).
    """
    torch = _torch()
    pixels = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None]
    with torch.no_grad():
        if hasattr(network, "attention") and hasattr(network, "encoder"):
            slices = network.attention(network.encoder(pixels))[0].double().numpy()
            return np.asarray(np.broadcast_to(slices[:, None, None], image.shape[1:]).copy())
        flow = _rollout(network, pixels)
    return _patches(flow, image.shape[1:], getattr(network, "room", [0] * (image.ndim - 1)))


def _rollout(network: Any, pixels: Any) -> Floats:
    """Weight of each token in the mean token: attention with the identity added, through all layers."""
    kept: list[Any] = []
    layers = [module for module in network.modules() if _attends(module)]
    hooks = [m.register_forward_pre_hook(lambda module, inputs: kept.append(module.weights(inputs[0]))) for m in layers]
    try:
        network(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    if not kept:
        raise UsageError("the network has no attention; use Grad-CAM, occlusion or integrated gradients")
    flow = np.eye(kept[0].shape[1])
    for weights in kept:
        mixed = weights[0].double().numpy() + np.eye(weights.shape[1])
        flow = mixed / mixed.sum(axis=1, keepdims=True) @ flow
    return np.asarray(flow.mean(axis=0))


def _patches(flow: Floats, shape: tuple[int, ...], room: list[int]) -> Floats:
    """Tokens back in their places, nearest pixels, without the padding."""
    padded = [n + r for n, r in zip(shape, room, strict=True)]
    patch = (np.prod(padded) / len(flow)) ** (1 / len(shape))
    grid = [max(1, round(n / patch)) for n in padded]
    if int(np.prod(grid)) != len(flow):
        raise UsageError("the network's patches are no regular grid over the image")
    found = flow.reshape(grid)
    for axis, (n, cells) in enumerate(zip(padded, grid, strict=True)):
        found = np.take(found, np.minimum(np.arange(n) * cells // n, cells - 1), axis=axis)
    return np.asarray(found[tuple(slice(n) for n in shape)])

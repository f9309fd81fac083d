"""Networks as one ONNX file (extra `onnx`): pixels in, probabilities or values out, checked against the model itself.

The file holds all that the model does: intensities to standard units, every network of the folds, their mean, and the
curve that makes probabilities of it. What it does not hold is resizing, so that only images of the one size that the
model was trained on can be asked.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from radlake.core.errors import UsageError
from radlake.lake.durable import write_bytes
from radlake.learn.bundle import Bundle
from radlake.learn.metrics import Floats
from radlake.learn.training import predicted
from radlake.learn.validate import Fitted

CLOSE = 1e-4  # of a probability, or of the spread of the values: single precision in another order
_OPSET = 17
_CASES = 8


def export(bundle: Bundle, path: Path, *, seed: int = 0) -> float:
    """Write an ONNX file, and return the largest difference to the model's own answers on random images.

    Its input `images` is (N, C, [Z,] Y, X) in the images' own unit, float32; its output `answers` is (N, K)
    probabilities in the order of the bundle's classes, or (N, 1) values.

    Parameters
    ----------
    bundle : Bundle
        Of networks that tell classes or values.
    path : Path
    seed : int
        Of the images that it is checked with.

    Raises
    ------
    UsageError
        When the model is none of networks, resizes its images, answers differently as ONNX (nothing is written), or
        the packages are absent.
    """
    models = _networks(bundle.fitted)
    contract = models[0].contract_
    sizes = {tuple(m.scale_.size) for m in models} | {tuple(contract["smallest"]), tuple(contract["largest"])}
    if len(sizes) != 1:
        raise UsageError("the model resizes its images, which ONNX files do not: train on images of one small size")
    rng = np.random.default_rng(seed)
    shape = (_CASES, contract["channels"], *next(iter(sizes)))
    pixels = rng.uniform(contract["low"], contract["high"], size=shape).astype(np.float32)
    data = _graph(bundle.fitted, models, pixels)
    own = predicted(bundle.fitted, np.moveaxis(pixels, 1, -1))
    spread = 1.0 if bundle.fitted.classes else float(models[0].spread_)
    gap = float(np.abs(_asked(data, pixels) - own).max()) / spread
    if not gap < CLOSE:
        raise UsageError(f"as ONNX the model answers differently (by {gap:.2g}), so that nothing was written")
    write_bytes(path, data)
    return gap


def _networks(fitted: Fitted) -> list[Any]:
    """The trained networks inside a model of images."""
    models = list(getattr(fitted.pipeline, "models", [fitted.pipeline]))
    if fitted.task == "segmentation" or not all(hasattr(m, "network_") and hasattr(m, "scale_") for m in models):
        raise UsageError("only networks that give images a class or a value can be written as ONNX")
    return models


def _graph(fitted: Fitted, models: list[Any], pixels: Any) -> bytes:
    """The whole model, traced by torch."""
    try:
        import onnx  # noqa: F401 - torch writes with it
        import torch
    except ImportError as error:
        raise UsageError("ONNX files need an extra: pip install 'radlake[deep,onnx]'") from error
    free = {"images": {0: "cases"}, "answers": {0: "cases"}}
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        warnings.simplefilter("ignore")  # of the exporter, about itself; the file is checked
        torch.onnx.export(
            _whole(fitted, models), (torch.from_numpy(pixels),), file, dynamo=False, opset_version=_OPSET,
            input_names=["images"], output_names=["answers"], dynamic_axes=free,
        )  # fmt: skip
        return file.read_bytes()


def _whole(fitted: Fitted, models: list[Any]) -> Any:
    """A module that does all that the model does with images of its size."""
    import torch
    from torch import Tensor, nn

    from radlake.learn.deep.augment import augmentation, mirrors, over_mirrors

    shape = (1, -1) + (1,) * len(models[0].scale_.size)

    def standard(model: Any) -> list[Tensor]:
        scale = model.scale_
        ends = (scale.low, scale.high, scale.mean, scale.sd)
        return [torch.tensor(v, dtype=torch.float32).reshape(shape) for v in ends]

    weights = None if fitted.calibrator is None else _curve(fitted.calibrator)

    class Whole(nn.Module):
        """Scale, networks, mean, curve."""

        def __init__(self) -> None:
            super().__init__()
            self.networks = nn.ModuleList([m.network_.eval() for m in models])

        def forward(self, images: Tensor) -> Tensor:
            found = []
            for network, model in zip(self.networks, models, strict=True):
                low, high, mean, sd = standard(model)
                sides = mirrors(augmentation(model.augment))
                said = over_mirrors(network, (torch.minimum(torch.maximum(images, low), high) - mean) / sd, sides)
                found.append(said * float(model.spread_) + float(model.center_) if not fitted.classes else said)
            joint = torch.stack(found).mean(dim=0)
            return joint if not fitted.classes else _probable(joint, weights)

    return Whole().eval()


def _curve(calibrator: Any) -> tuple[Floats, Floats]:
    """Weights and intercepts of the logits as one affine map of the decision values."""
    scaler, curve = calibrator[0], calibrator[-1]
    weights = curve.coef_ / scaler.scale_
    return weights, curve.intercept_ - weights @ scaler.mean_


def _probable(scores: Any, curve: tuple[Floats, Floats] | None) -> Any:
    """Probabilities from the networks' scores, through the curve where there is one."""
    import torch

    two = scores.shape[1] == 2
    if curve is None:
        return torch.softmax(scores, dim=1)
    decision = scores[:, 1:] - scores[:, :1] if two else scores
    weights, start = (torch.tensor(v, dtype=torch.float32) for v in curve)
    logits = decision @ weights.T + start
    if two:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return torch.softmax(logits, dim=1)


def _asked(data: bytes, pixels: Any) -> Floats:
    """Answers of the file itself."""
    try:
        import onnxruntime
    except ImportError as error:
        raise UsageError("ONNX files need an extra: pip install 'radlake[deep,onnx]'") from error
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (found,) = session.run(["answers"], {"images": pixels})
    return np.asarray(found, dtype=np.float64)

"""Devices by name; and, where there is a GPU, that it gives the same bits again and answers like the processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from radlake.core.errors import UsageError
from radlake.learn.deep import ImageClassifier, ImageSegmenter
from radlake.learn.deep.device import described, fits, repeatable, resolve, rows_of
from radlake.learn.deep.estimators import from_parts

GPU = torch.cuda.is_available()
on_a_gpu = pytest.mark.skipif(not GPU, reason="there is no GPU")


def images(*shape: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Images whose class is their brightness."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    return rng.normal(size=(n, *shape)).astype(np.float32) + 2 * y.reshape(-1, *([1] * len(shape))), y


def test_devices_are_named_and_what_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve("auto") == resolve("cpu") == "cpu"
    with pytest.raises(UsageError, match="sees no GPU here; take device auto or cpu"):
        resolve("cuda")
    with pytest.raises(UsageError, match="one of auto, cpu, cuda; got 'tpu'"):
        resolve("tpu")
    x, y = images(8, 8, n=8)
    with pytest.raises(UsageError, match="sees no GPU here"):
        ImageClassifier("cnn-small", device="cuda").fit(x, y)


def test_a_gpu_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    assert (resolve("auto"), resolve("cuda"), resolve("cpu")) == ("cuda", "cuda", "cpu")
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    with repeatable("cuda"):
        assert (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic) == (False, True)
    assert (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic) == before


def test_what_fills_half_of_the_free_memory_does_not_stay_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1000, 4000))
    assert fits(500, "cuda")
    assert not fits(501, "cuda")
    assert fits(10**15, "cpu")


def test_rows_are_taken_by_number() -> None:
    values = torch.arange(12.0).reshape(4, 3)
    assert rows_of(values, "cpu")(torch.tensor([2, 0])).tolist() == [[6, 7, 8], [0, 1, 2]]


def test_a_trained_network_says_where_it_was_trained() -> None:
    x, y = images(8, 8, n=24)
    model = ImageClassifier("cnn-small", epochs=1, device="cpu").fit(x, y)
    assert model.device_ == described("cpu") == {"kind": "cpu", "name": ""}
    description, tensors = model.parts()
    assert description["fitted"]["device"] == model.device_
    assert "device" not in description["params"]  # where it answers is the choice of who asks
    assert from_parts(description, tensors).device_ == model.device_


@on_a_gpu
@pytest.mark.parametrize(
    ("network", "shape"),
    [
        ("cnn-small", (28, 28)), ("vgg-small", (28, 28)), ("resnet-18", (28, 28)), ("vit-small", (28, 28)),
        ("vgg-small", (12, 16, 16)), ("gru", (12, 16, 16)), ("lstm", (12, 16, 16)), ("attention", (12, 16, 16)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_gpu_gives_the_same_bits_again_also_after_a_kill(
    network: str, shape: tuple[int, ...], precision: Any, tmp_path: Path
) -> None:
    x, y = images(*shape)
    options: dict[str, Any] = {"epochs": 6, "batch": 16, "precision": precision, "device": "cuda"}
    one = ImageClassifier(network, **options).fit(x, y)
    two = ImageClassifier(network, **options).fit(x, y)
    assert one.device_["kind"] == "cuda"
    assert one.history_.recorded  # steps were replayed, whatever the network
    said = one.decision_function(x).tobytes()
    assert two.decision_function(x).tobytes() == said

    def kill(progress: Any) -> None:
        if progress.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ImageClassifier(network, **options, checkpoint=tmp_path, progress=kill).fit(x, y)
    resumed = ImageClassifier(network, **options, checkpoint=tmp_path).fit(x, y)
    assert resumed.decision_function(x).tobytes() == said
    there = from_parts(*one.parts()).set_params(device="cpu")
    # a GPU multiplies float32 with 10 bits of mantissa by default (TF32)
    assert np.allclose(there.decision_function(x), one.decision_function(x), atol=0.1)
    assert (there.predict(x) == y).mean() > 0.9


@on_a_gpu
def test_a_gpu_outlines_with_the_same_bits_again() -> None:
    x, _ = images(16, 16, n=12)
    masks = (np.hypot(*np.indices((16, 16)) - 8) < 5).astype(int)[None].repeat(12, axis=0)
    options: dict[str, Any] = {"epochs": 6, "widths": (4, 8), "rate": 0.02, "average": 0.5, "device": "cuda"}
    one, two = (ImageSegmenter(**options).fit(x + 3 * masks, masks) for _ in range(2))
    assert one.predict_proba(x)[0].tobytes() == two.predict_proba(x)[0].tobytes()
    assert (one.predict(x + 3 * masks)[0] == masks[0]).mean() > 0.9


@on_a_gpu
def test_batches_too_large_for_a_gpu_are_halved_and_the_training_goes_on() -> None:
    x, y = images(128, 128, n=64)
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(7e8 / whole)  # a batch of 64 takes more than a gigabyte
    try:
        model = ImageClassifier("vgg-small", epochs=6, batch=64, device="cuda").fit(x, y)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert model.history_.pieces > 1
    assert np.isfinite(model.history_.losses).all()


@on_a_gpu
def test_images_that_do_not_fit_are_copied_batch_by_batch_to_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    from radlake.learn.deep import device

    x, y = images(28, 28)
    options: dict[str, Any] = {"epochs": 3, "batch": 16, "device": "cuda"}
    kept = ImageClassifier("resnet-18", **options).fit(x, y)
    monkeypatch.setattr(device, "_SHARE", 0.0)
    copied = ImageClassifier("resnet-18", **options).fit(x, y)
    assert not copied.history_.recorded
    assert copied.decision_function(x).tobytes() == kept.decision_function(x).tobytes()

"""Batch normalisation over the whole batch when several processes hold a part each, on any device.

torch's own SyncBatchNorm needs a GPU.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class SharedNorm(_BatchNorm):
    """Batch normalisation (Ioffe and Szegedy 2015) by mean and variance over the parts of all processes.

    Parameters and buffers are those of the torch layer that it stands for; outside training it is that layer.
    """

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - torch's name
        """Images and volumes alike."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Values normalised by channel."""
        if not self.training:
            return super().forward(input)
        axes = [0, *range(2, input.dim())]
        shape = [1, -1] + [1] * (input.dim() - 2)
        values = input.float()
        number = torch.full((1,), values.numel() / values.shape[1], device=values.device)
        sums = _total(torch.cat([values.sum(axes), number]))
        count, mean = sums[-1].detach(), sums[:-1] / sums[-1].detach()
        away = values - mean.view(shape)
        variance = _total((away * away).sum(axes)) / count  # about the mean: no digits are lost
        self._remember(mean.detach(), variance.detach(), float(count))
        scale = torch.rsqrt(variance + self.eps)
        if self.affine:
            return (away * (scale * self.weight).view(shape) + self.bias.view(shape)).to(input.dtype)
        return (away * scale.view(shape)).to(input.dtype)

    def _remember(self, mean: Tensor, variance: Tensor, count: float) -> None:
        """Move the running statistics, of which the variance is that of a sample, as torch's layer does."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * (count / (count - 1)), share)


def with_shared_norms(network: nn.Module) -> nn.Module:
    """The network with a `SharedNorm` in the place of each batch normalisation, on the same parameters; in place."""
    for name, layer in network.named_children():
        if isinstance(layer, _BatchNorm):
            setattr(network, name, _shared(layer))
        else:
            with_shared_norms(layer)
    return network


def _shared(layer: _BatchNorm) -> SharedNorm:
    """The layer that stands for another."""
    found = SharedNorm(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
    found.weight, found.bias = layer.weight, layer.bias
    found.running_mean, found.running_var = layer.running_mean, layer.running_var
    found.num_batches_tracked = layer.num_batches_tracked
    return found.train(layer.training)


class _Total(torch.autograd.Function):
    """Sum over the processes; a change of one summand changes the loss of all, so gradients are summed as well."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """The sum."""
        total = values.detach().clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """The sum of what each process's loss says."""
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


def _total(values: Tensor) -> Tensor:
    """Sum over the processes, through which gradients flow."""
    found: Tensor = _Total.apply(values)  # type: ignore[no-untyped-call]
    return found

"""A small vision transformer for flat images and volumes."""

from __future__ import annotations

from contextlib import nullcontext
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from radlake.learn.deep.layers import Dropout, patches

_WIDTH, _HEADS, _DEPTH = 96, 4, 4


class Attention(nn.Module):
    """Self-attention and a dense layer, each added to what came in, each after layer normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_dense = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
        self.project, self.join = nn.Linear(_WIDTH, 3 * _WIDTH), nn.Linear(_WIDTH, _WIDTH)
        self.dense = nn.Sequential(
            nn.Linear(_WIDTH, 2 * _WIDTH), nn.GELU(), Dropout(0.1), nn.Linear(2 * _WIDTH, _WIDTH)
        )  # fmt: skip

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (N, T, width)."""
        query, key, value = self._heads(self.before_attention(tokens))
        # on a GPU the fused kernels add gradients up in no fixed order
        with sdpa_kernel(SDPBackend.MATH) if tokens.is_cuda else nullcontext():
            seen = functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.join(seen.transpose(1, 2).flatten(2))
        found: Tensor = tokens + self.dense(self.before_dense(tokens))
        return found

    def weights(self, tokens: Tensor) -> Tensor:
        """How much each token looks at each other, mean over the heads, (N, T, T)."""
        query, key, _ = self._heads(self.before_attention(tokens))
        found: Tensor = (query @ key.transpose(2, 3) / query.shape[3] ** 0.5).softmax(dim=3).mean(dim=1)
        return found

    def _heads(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each (N, heads, T, width / heads)."""
        parts = self.project(tokens).unflatten(2, (3, _HEADS, _WIDTH // _HEADS)).permute(2, 0, 3, 1, 4)
        return parts[0], parts[1], parts[2]


class VisionTransformer(nn.Module):
    """Patches as tokens with learned places, four layers of self-attention, scores from the mean token.

    References
    ----------
    Dosovitskiy et al. (2021), An image is worth 16 x 16 words, ICLR.
    """

    def __init__(self, channels: int, outputs: int, size: tuple[int, ...]) -> None:
        super().__init__()
        dims = len(size)
        most = 7 if dims == 2 else 5  # patches along an axis: the cost grows with the square of their number
        patch = tuple(max(1, -(-n // most)) for n in size)
        self.room = [(-n) % p for n, p in zip(size, patch, strict=True)]
        self.split = patches(channels, _WIDTH, patch)
        number = prod(-(-n // p) for n, p in zip(size, patch, strict=True))
        self.place = nn.Parameter(torch.randn(1, number, _WIDTH) * 0.02)
        self.layers = nn.Sequential(*(Attention() for _ in range(_DEPTH)))
        self.head = nn.Sequential(nn.LayerNorm(_WIDTH), Dropout(0.2), nn.Linear(_WIDTH, outputs))

    def forward(self, images: Tensor) -> Tensor:
        """Scores (N, outputs)."""
        if any(self.room):
            images = functional.pad(images, [side for room in reversed(self.room) for side in (0, room)])
        tokens = self.split(images).flatten(2).transpose(1, 2) + self.place
        found: Tensor = self.head(self.layers(tokens).mean(dim=1))
        return found

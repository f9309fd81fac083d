"""Pairs of images whose hashes nearly agree, found by sorting: never all against all.

Hashes are sorted under several bit orders; pairs that stand close in one of the orders and differ in few bits are
candidates. Work is (tables x entries x log entries) and every image keeps a bounded number of candidates, whatever the
cohort looks like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TABLES = 16
NEIGHBOURS = 8  # in sorted order
DIFFERENT_BITS = 8  # of 64
KEPT = 12  # candidates an image keeps, the closest; bounds what a cohort of look-alikes costs
PREFIX = 32  # leading bits that a table sorts by
CERTAIN = 0.5  # bits with less entropy than this in the cohort do not lead: they would put everything together
_SEED = 20100901  # of the bit orders: any value serves, changing it changes which rare pairs are missed

Words = NDArray[np.uint64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Candidate pairs, ordered by first, then second.

    Parameters
    ----------
    first, second : (n,) int array
        Row numbers, first < second.
    first_slot, second_slot : (n,) int array
        Which hash of each agreed best.
    """

    first: Indices
    second: Indices
    first_slot: Indices
    second_slot: Indices


def candidates(hashes: Words) -> Pairs:
    """Pairs of rows of which some hash differs in at most 8 bits, as far as sorting brings them together.

    Parameters
    ----------
    hashes : (images, slots) uint64 array
        Hashes of each image.

    References
    ----------
    Charikar (2002), Similarity estimation techniques from rounding algorithms, section 5 (sorting under permutations);
    Manku et al. (2007), Detecting near-duplicates for web crawling; Hernandez and Stolfo (1995), The merge/purge
    problem (sorted neighbourhood).

    Examples
    --------
    >>> found = candidates(np.array([[0], [2**64 - 1], [1]], dtype=np.uint64))
    >>> found.first, found.second
    (array([0]), array([2]))
    """
    images, slots = hashes.shape
    entries = _distinct(hashes)
    words = hashes.ravel()[entries]
    kept = np.zeros((0, 3), dtype=np.int64)
    for order in _bit_orders(words):
        kept = _best(np.concatenate([kept, _neighbours(words, entries, order, slots)]), images, slots)
    first, second = kept[:, 0] // slots, kept[:, 1] // slots
    return Pairs(first, second, kept[:, 0] % slots, kept[:, 1] % slots)


def _distinct(hashes: Words) -> Indices:
    """Entries (row * slots + slot) without hashes that repeat inside one image, as symmetric pictures have."""
    slots = hashes.shape[1]
    order = np.argsort(hashes, axis=1, kind="stable")
    ordered = np.take_along_axis(hashes, order, axis=1)
    fresh = np.ones(hashes.shape, dtype=bool)
    fresh[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return np.sort((order + slots * np.arange(len(hashes))[:, None])[fresh])


def _bit_orders(words: Words) -> list[NDArray[np.int64]]:
    """Leading bits of each table, drawn from those that the cohort does not nearly agree on."""
    ones = np.array([float(np.mean((words >> np.uint64(b)) & np.uint64(1))) if words.size else 0.0 for b in range(64)])
    p = np.clip(ones, 1e-9, 1 - 1e-9)
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    certain = np.flatnonzero(entropy < CERTAIN)
    rng = np.random.default_rng(_SEED)
    return [
        np.concatenate([rng.permutation(np.flatnonzero(entropy >= CERTAIN)), rng.permutation(certain)])[:PREFIX]
        for _ in range(TABLES)
    ]


def _neighbours(words: Words, entries: Indices, order: NDArray[np.int64], slots: int) -> Indices:
    """Entry pairs that one bit order brings together: lower entry, higher entry, bits that differ, shape (n, 3)."""
    key = np.zeros(words.shape, dtype=np.uint64)
    for bit in order:
        key = (key << np.uint64(1)) | ((words >> np.uint64(bit)) & np.uint64(1))
    # The entry's number fills the lower half, so that one sort of plain integers gives the order.
    key = np.sort((key << np.uint64(32)) | np.arange(words.size, dtype=np.uint64))
    place = (key & np.uint64(0xFFFFFFFF)).astype(np.int64)
    lined, owner = words[place], entries[place] // slots
    found = []
    for step in range(1, NEIGHBOURS + 1):
        bits = np.bitwise_count(lined[step:] ^ lined[:-step]).astype(np.int64)
        close = np.flatnonzero((bits <= DIFFERENT_BITS) & (owner[step:] != owner[:-step]))
        one, other = entries[place[close]], entries[place[close + step]]
        found.append(np.stack([np.minimum(one, other), np.maximum(one, other), bits[close]], axis=1))
    return np.concatenate(found)


def _best(pairs: Indices, images: int, slots: int) -> Indices:
    """The closest entry pair of each pair of images, and of those the closest `KEPT` of each first image; in order."""
    first, second = pairs[:, 0] // slots, pairs[:, 1] // slots
    together = first * images + second
    order = np.lexsort((pairs[:, 1], pairs[:, 0], pairs[:, 2], together))
    order = order[_starts(together[order])]
    order = order[np.lexsort((second[order], pairs[order, 2], first[order]))]
    starts = np.flatnonzero(_starts(first[order]))
    rank = np.arange(order.size) - np.repeat(starts, np.diff(np.append(starts, order.size)))
    order = order[rank < KEPT]
    return pairs[order[np.argsort(together[order])]]


def _starts(ordered: Indices) -> NDArray[np.bool_]:
    """True where a run of equal values begins."""
    return np.concatenate([np.ones(min(1, ordered.size), dtype=bool), ordered[1:] != ordered[:-1]])

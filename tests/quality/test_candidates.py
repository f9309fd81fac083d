from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.candidates import DIFFERENT_BITS, KEPT, candidates


def _words(count: int, slots: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (count, slots), dtype=np.uint64)


def _flip(word: np.uint64, bits: int, seed: int) -> np.uint64:
    for b in np.random.default_rng(seed).choice(64, bits, replace=False):
        word ^= np.uint64(1) << np.uint64(b)
    return word


def test_a_planted_neighbour_is_found_in_the_slots_where_it_agrees():
    words = _words(2000)
    words[1700, 2] = _flip(words[40, 1], 3, 0)
    found = candidates(words)
    assert (found.first.tolist(), found.second.tolist()) == ([40], [1700])
    assert (found.first_slot.tolist(), found.second_slot.tolist()) == ([1], [2])


@given(st.integers(0, 2**16), st.integers(2, 40))
@settings(max_examples=20)
def test_every_pair_agrees_in_the_slots_it_names(seed, count):
    words = _words(count, seed=seed) & np.uint64(0x3FFF)  # 14 bits: many neighbours
    found = candidates(words)
    bits = np.bitwise_count(words[found.first, found.first_slot] ^ words[found.second, found.second_slot])
    assert (bits <= DIFFERENT_BITS).all()
    assert (found.first < found.second).all()
    assert len(set(zip(found.first.tolist(), found.second.tolist(), strict=True))) == found.first.size


def test_small_cohorts_lose_no_pair_of_few_bits():
    words = _words(300, slots=1)
    for k in range(100):
        words[200 + k] = _flip(words[k, 0], k % 5, k)
    found = set(zip(*(a.tolist() for a in (candidates(words).first, candidates(words).second)), strict=True))
    assert {(k, 200 + k) for k in range(100)} <= found


def test_images_that_all_agree_keep_a_bounded_number_and_stay_connected():
    found = candidates(np.zeros((500, 2), dtype=np.uint64))
    assert np.bincount(found.first).max() <= KEPT
    assert set(itertools.chain(found.first, found.second)) == set(range(500))


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_images_have_no_pairs(count):
    assert candidates(_words(count)).first.size == 0

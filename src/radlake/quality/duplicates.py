"""Clusters of images that are the same picture: equal digests, or pictures that agree after the best of eight
orientations, zoom and shift.

Steps: equal digests are joined; one image of each digest enters the search for candidates; candidates are aligned and
correlated; links join into clusters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from radlake.core.ids import derived_id
from radlake.core.schema import DUPLICATES
from radlake.quality.alignment import ORIENTATIONS, SIDE, Maps, correlate, judge, oriented
from radlake.quality.candidates import Pairs, candidates
from radlake.quality.fingerprint import GRAY_DEVIATION, GRAY_MEAN, SLOTS, crop_warps

NEAR = 0.83  # least correlation; benchmarks/duplicates.py prints what it finds and what it misses
BATCH = 256  # pairs at a time: about 100 MB

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def cluster(fingerprints: pa.Table, *, near: float = NEAR) -> pa.Table:
    """Table `duplicates`: one row per image that has a duplicate, ordered by cluster and image.

    Flat images (no thumb) are never duplicates. Members whose digest another image has are "exact" with distance 0; the
    others are "near" with 1 minus their best correlation with a member.

    Parameters
    ----------
    fingerprints : table with the schema FINGERPRINTS
        In any order; the result does not depend on it.
    near : float
        Least correlation of fine details, 0 to 1.

    Examples
    --------
    >>> from radlake.core.schema import to_table
    >>> cluster(to_table("fingerprints", [])).num_rows
    0
    """
    usable = np.flatnonzero(pc.is_valid(fingerprints["thumb"]).to_numpy())
    order = usable[pc.sort_indices(fingerprints["image_id"].take(pa.array(usable))).to_numpy()]
    digests = fingerprints["digest"].take(pa.array(order)).to_numpy().astype(str)
    _, chosen, group = np.unique(digests, return_index=True, return_inverse=True)
    one_each = order[chosen]  # rows of the table, one for each digest
    # hashes of flat images are empty lists, so the flat column holds the usable rows one after the other
    hashes = _hash_matrix(fingerprints["hashes"])[np.searchsorted(usable, one_each)]
    pairs = candidates(np.ascontiguousarray(hashes))
    score = correlations(fingerprints["thumb"], one_each, pairs)
    linked = score >= near
    ends = np.stack([pairs.first[linked], pairs.second[linked]])
    columns = fingerprints.select(["image_id", "patient_id", "series_id"]).take(pa.array(order)).to_pydict()
    return _rows(columns, group.ravel(), ends, score[linked], len(chosen))


def correlations(thumbs: pa.ChunkedArray, rows: Indices, pairs: Pairs) -> Floats:
    """Correlation of each candidate pair after alignment; 0 for pairs that are clearly different.

    Parameters
    ----------
    thumbs : binary chunked array
        Column `thumb`.
    rows : (n,) int array
        Its row for each number in `pairs`.
    """
    score = np.zeros(pairs.first.size)
    for low in range(0, score.size, BATCH):
        part = slice(low, low + BATCH)
        first = [thumbs[int(r)].as_py() for r in rows[pairs.first[part]]]
        second = [thumbs[int(r)].as_py() for r in rows[pairs.second[part]]]
        slots = np.stack([pairs.first_slot[part], pairs.second_slot[part]])
        for size in sorted({len(t) for t in first}):
            same = np.array([k for k, (a, b) in enumerate(zip(first, second, strict=True)) if len(a) == len(b) == size])
            if same.size:
                one, other = (_pictures([side[k] for k in same]) for side in (first, second))
                score[low + same] = _agreement(one, other, slots[:, same])
    return score


def _agreement(one: Maps, other: Maps, slots: Indices) -> Floats:
    """Correlation of (n, panels, y, x) pictures, started where their hashes agreed; the worst panel counts."""
    one, other = (_turned(p, s) for p, s in zip((one, other), slots, strict=True))
    middle = one.shape[1] // 2
    score, warp = correlate(one[:, middle], other[:, middle], _start(slots))
    left = np.flatnonzero(score > 0)
    if middle and left.size:
        pairs = (one[left], other[left], warp[left])
        # a mirrored stack has its panels in reverse
        score[left] = np.minimum(score[left], np.maximum(_outer(*pairs), _outer(pairs[0], pairs[1][:, ::-1], pairs[2])))
    return score


def _outer(one: Maps, other: Maps, warp: Floats) -> Floats:
    """The lower correlation of the first and last panels under a known zoom and shift."""
    found = []
    for k in (0, -1):
        both_flat = ~(one[:, k].any(axis=(1, 2)) | other[:, k].any(axis=(1, 2)))
        found.append(np.where(both_flat, 1.0, judge(one[:, k], other[:, k], warp)))
    return np.minimum(*found)


def _turned(pictures: Maps, slots: Indices) -> Maps:
    """Pictures in the orientation of the hash that agreed; crops were hashed unturned."""
    turned = pictures.copy()
    for k in range(1, ORIENTATIONS):
        turned[slots == k] = oriented(pictures[slots == k], k)
    return turned


def _start(slots: Indices) -> Floats:
    """Zoom and shift that lay the first picture's crop on the second's, shape (n, 2, 2)."""
    known = np.tile(np.array([1.0, 0.0]), (SLOTS, 2, 1))
    known[ORIENTATIONS:] = crop_warps()
    (scale, shift), (other_scale, other_shift) = (np.moveaxis(known[s], -1, 0) for s in slots)
    ratio = scale / other_scale
    return np.stack([ratio, shift - ratio * other_shift], axis=-1)


def _pictures(thumbs: Sequence[bytes]) -> Maps:
    """Stored thumbs as standardised (n, panels, y, x) pictures."""
    stored = np.frombuffer(b"".join(thumbs), dtype=np.uint8).reshape(len(thumbs), -1, SIDE, SIDE)
    return (stored.astype(np.float32) - np.float32(GRAY_MEAN)) / np.float32(GRAY_DEVIATION)


def _hash_matrix(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Hashes of all images that have some as (images, slots)."""
    values = pa.chunked_array([chunk.flatten() for chunk in column.chunks], pa.int64()).to_numpy()
    matrix: NDArray[np.uint64] = values.view(np.uint64).reshape(-1, SLOTS)
    return matrix


def _rows(columns: dict[str, list[str | None]], group: Indices, ends: Indices, score: Floats, groups: int) -> pa.Table:
    """Rows of the table from images (in order), the digest group of each, and links between groups."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(score.size), (ends[0], ends[1])), shape=(groups, groups))
    member = connected_components(links, directed=False)[1][group]
    alone = np.bincount(member, minlength=groups)[member] == 1
    best = np.zeros(groups)
    for side in ends:
        np.maximum.at(best, side, score)
    exact = np.bincount(group, minlength=groups)[group] > 1
    rows = [
        {
            "image_id": columns["image_id"][k],
            "cluster_id": member[k],
            "kind": "exact" if exact[k] else "near",
            "distance": 0.0 if exact[k] else round(1.0 - float(best[group[k]]), 6),
            "patient_id": columns["patient_id"][k],
            "series_id": columns["series_id"][k],
        }
        for k in np.flatnonzero(~alone)
    ]
    return _named(rows)


def _named(rows: list[dict[str, object]]) -> pa.Table:
    """Rows with cluster ids that follow from their members, and whether a cluster spans patients."""
    members: dict[object, list[dict[str, object]]] = {}
    for row in rows:
        members.setdefault(row["cluster_id"], []).append(row)
    for together in members.values():
        name = derived_id("cluster", *(str(r["image_id"]) for r in together))
        across = len({r["patient_id"] for r in together} - {None}) > 1
        for row in together:
            row.update(cluster_id=name, across_patients=across)
    ordered = sorted(rows, key=lambda r: (str(r["cluster_id"]), str(r["image_id"])))
    return pa.Table.from_pylist(ordered, schema=DUPLICATES)

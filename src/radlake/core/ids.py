"""Ids: keyed where they stand for something identifying, derived where they follow from ids that already are.

`keyed_id` is HMAC-SHA-256 (RFC 2104), so that nobody without the key can test a guess; both forms agree on every
worker and after every restart without a shared table.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal

Scope = Literal[
    "file",
    "instance",
    "series",
    "study",
    "patient",
    "accession",
    "frame",
    "site",
    "device",
    "image",
    "mask",
    "model",
    "prediction",
    "cluster",
]
_PREFIX: dict[Scope, str] = {
    "file": "fi", "instance": "in", "series": "se", "study": "st", "patient": "pt", "accession": "ac",
    "frame": "fr", "site": "si", "device": "de",
    "image": "im", "mask": "mk", "model": "mo", "prediction": "pr", "cluster": "cl",
}  # fmt: skip
_BYTES = 15  # 120 bits: 10^8 ids collide with probability below 10^-20


def _message(scope: Scope, parts: tuple[str, ...]) -> bytes:
    """Unambiguous bytes for a scope and its parts: each is preceded by its length."""
    return b"".join(
        len(p).to_bytes(4, "big") + p for p in (s.encode("utf-8", "surrogatepass") for s in (scope, *parts))
    )


def _text(scope: Scope, digest: bytes) -> str:
    """Prefix and lower-case base32 of the first bytes."""
    return f"{_PREFIX[scope]}-{base64.b32encode(digest[:_BYTES]).decode().lower()}"


def keyed_id(key: bytes, scope: Scope, *parts: str) -> str:
    """Pseudonym of an identifying value.

    Parameters
    ----------
    key : bytes
        The owner's secret.
    scope : str
        What the value names; equal values in two scopes give unrelated pseudonyms.
    parts : str
        The value, in one or more parts.

    Examples
    --------
    >>> keyed_id(b"k" * 32, "patient", "hospital", "123") == keyed_id(b"k" * 32, "patient", "hospital", "123")
    True
    >>> keyed_id(b"k" * 32, "patient", "ab", "c") == keyed_id(b"k" * 32, "patient", "a", "bc")
    False
    """
    return _text(scope, hmac.digest(key, _message(scope, parts), "sha256"))


def derived_id(scope: Scope, *parts: str) -> str:
    """Id that follows from ids or values which identify nobody.

    Examples
    --------
    >>> derived_id("image", "se-abc", "0")[:3]
    'im-'
    """
    return _text(scope, hashlib.sha256(_message(scope, parts)).digest())

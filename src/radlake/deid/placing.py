"""Where a cleaned file lies in its folder: by its new UIDs, or by its old path as far as that identifies nobody.

Paths identify as names do: folders are called after patients, files after dates. So of an old path only words of the
vocabulary and small numbers stay; what goes is replaced by a keyed code, so that different paths stay different.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from radlake.deid.regions import is_known

_UID = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){1,}")  # PS3.5 9.1
_PATIENT = re.compile(r"pt-[a-z2-7]{24}")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_CODE_BYTES = 5  # eight letters: of 10^5 names in one folder two are equal with probability 0.005
_LONGEST = 48  # characters of a component that are kept
_SUFFIXES = (".nii.gz", ".hdr.gz", ".dcm", ".dicom", ".ima", ".nii", ".hdr", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
UNKNOWN = "unknown"


def by_uid(patient: str, uids: Sequence[str], file_id: str, suffix: str) -> str:
    """Place of a cleaned file: patient, study, series, instance.

    Two inputs may hold one instance, so the file's id is part of the name.

    Parameters
    ----------
    patient : str
        Pseudonym, or empty.
    uids : sequence of str
        New UIDs of study, series and instance; what is none (they come from a file) is left out.
    file_id : str
    suffix : str
        Such as ".dcm".

    Examples
    --------
    >>> by_uid("", ["2.25.1", "../..", "2.25.3"], "fi-abcdefghijkl", ".dcm")
    'unknown/2.25.1/2.25.3_abcdefgh.dcm'
    """
    *folders, last = (uid if len(uid) <= 64 and _UID.fullmatch(uid) else "" for uid in uids or [""])
    name = "_".join(part for part in (last, file_id[3:11]) if part) + suffix
    return "/".join([patient if _PATIENT.fullmatch(patient) else UNKNOWN, *(f for f in folders if f), name])


def by_path(
    key: bytes, relative: str, named: Callable[[str], bool] = lambda _: False, *, suffix: str | None = None
) -> str:
    """The old path with only those words that pass, and keyed codes for what went.

    Parameters
    ----------
    key : bytes
        The owner's secret.
    relative : str
        Path below the folder that is cleaned, with "/".
    named : callable
        Whether a word is one of the data set's names or numbers; it goes then.
    suffix : str, optional
        In place of the old one: what is in a file may not be what its name says.

    Examples
    --------
    >>> by_path(b"k" * 32, "CT/thorax/image 12.dcm")
    'CT/thorax/image_12-o4lvmunr.dcm'
    >>> by_path(b"k" * 32, "CT/Miller^Jane 19610203/chest.dcm").split("/")[1]
    'urwkm7sw'
    """
    *folders, name = PurePosixPath(unicodedata.normalize("NFC", relative)).parts or ("",)
    old = next((s for s in _SUFFIXES if name.lower().endswith(s)), "")
    stem = name[: len(name) - len(old)]
    parts = [_component(key, part, named) for part in folders]
    return "/".join([*parts, _component(key, stem, named) + (old if suffix is None else suffix)])


def _component(key: bytes, text: str, named: Callable[[str], bool]) -> str:
    """One component: as it is when all of it passes, else its words that do and a code for the whole."""
    kept: list[str] = []
    for token in (t for word in _WORD.findall(text) if word.isascii() for t in _TOKEN.findall(word)):
        # One short number, after a word: three of them could be a date, one alone a patient.
        number = token.isdigit() and len(token) <= 3 and bool(kept) and not any(w.isdigit() for w in kept)
        if not named(token) and (number or (not token.isdigit() and is_known(token.lower()))):
            kept.append(token)
    readable = "_".join(kept)[:_LONGEST].strip("_")
    if readable == text and text:
        return text
    digest = hmac.digest(key, b"path\0" + text.encode("utf-8", "surrogatepass"), "sha256")
    code = base64.b32encode(digest[:_CODE_BYTES]).decode().lower()
    return f"{readable}-{code}" if readable else code

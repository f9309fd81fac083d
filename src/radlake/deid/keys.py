"""The owner's secret key: where it lies, how it is made, and what it is called without being shown.

Whoever holds the key can test guesses of identities against the pseudonyms, so it never lies inside a lake and nobody
else may read it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import sys
from pathlib import Path

from radlake.core.errors import RadlakeError

KEY_BYTES = 32
_LAKE_MARK = "lake.json"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyProblem(RadlakeError):  # noqa: N818 - names the problem
    """The key cannot be used as it is; the message says what to do."""


def default_key_path() -> Path:
    """Where the key lies unless the user says otherwise: the configuration folder of the platform."""
    if configured := os.environ.get("XDG_CONFIG_HOME"):
        return Path(configured) / "radlake" / "key"
    try:
        home = Path.home()
    except RuntimeError:  # neither HOME nor an entry in the system's list of users
        raise KeyProblem("there is no home folder to keep the key in; name a file with --key-file") from None
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", home)) / "radlake" / "key"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "radlake" / "key"
    return home / ".config" / "radlake" / "key"


def load_key(path: Path | None = None, *, create: bool = False) -> bytes:
    """The secret of 32 bytes from a file of 64 hexadecimal digits.

    Parameters
    ----------
    path : Path, optional
        The key file; by default `default_key_path`.
    create : bool
        Make a new random key where the file does not exist. Of several processes that try at once, all get the
        key of the one that came first.

    Raises
    ------
    KeyProblem
        When there is no key, others may read it, it is no key, or it lies inside a lake.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = load_key(Path(folder) / "key", create=True)
    ...     len(first), first == load_key(Path(folder) / "key")
    (32, True)
    """
    path = (default_key_path() if path is None else Path(path)).expanduser().absolute()
    _refuse_inside_a_lake(path)
    if not path.exists():
        if not create:
            raise KeyProblem(f"there is no key at {path}; restore it from your backup, or name it with --key-file")
        _write_new(path)
    if not path.is_file():
        raise KeyProblem(f"{path} is no file; name the file of the key with --key-file")
    return _read(path)


def fingerprint(key: bytes) -> str:
    """Sixteen hexadecimal digits in groups of four that name a key without telling it.

    Examples
    --------
    >>> fingerprint(bytes(32))
    '5288-3be3-6852-772a'
    """
    digest = hmac.digest(key, b"radlake key fingerprint", hashlib.sha256).hex()
    return "-".join(digest[i : i + 4] for i in range(0, 16, 4))


def _refuse_inside_a_lake(path: Path) -> None:
    """A lake is copied and shared; its key must not travel with it."""
    for folder in path.resolve().parents:
        if (folder / _LAKE_MARK).exists():
            raise KeyProblem(f"the key {path} lies inside the lake {folder}; move it out, for example to your home")


def _write_new(path: Path) -> None:
    """A fresh key under its final name at once: complete or not at all, and never over an existing one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return  # another process was first; its key counts
    finally:
        part.unlink()


def _read(path: Path) -> bytes:
    """The key in a file that only its owner may read."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        raise KeyProblem(f"others may read the key {path}; run: chmod 600 {path}")
    text = path.read_bytes()[: 4 * KEY_BYTES].strip()
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyProblem(f"{path} is no key: expected {2 * KEY_BYTES} hexadecimal digits")
    return key

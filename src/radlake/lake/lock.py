"""One writer per lake: a lock that ends with its process, however that ends.

On a disk the operating system keeps it. In a store it is a lease: a small file that only its maker could create, which
the holder writes again every few seconds. Whoever finds it watches it; one that stands still for the time of a lease
belonged to a process that is gone, and its successor creates the next number. No clocks are compared.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from radlake.core.place import Place, Remote
from radlake.lake.errors import LakeLockedError, storage_errors

LEASE_S = 20.0  # a holder that has been silent for so long is gone
_BEATS = 5  # signs of life in a lease: a few may be lost
_LOOK_S = 0.1
_NEVER = b'{"free": true}'
_NUMBER = re.compile(r"\.lock-(\d{10})")

# POSIX locks belong to a process, so forked workers that outlive a killed driver do not keep the lake closed, as they
# would with flock. Within a process they exclude nobody, and closing any descriptor of the file drops them: hence the
# set of files that this process holds.
_HELD: set[Place] = set()

StillMine = Callable[[], None]


@contextmanager
def exclusive(path: Place, *, wait_s: float = 0.0) -> Iterator[StillMine]:
    """Hold a lock file.

    Parameters
    ----------
    path : Path or Remote
        Made where needed; it stays, with the number of the last process that held it.
    wait_s : float
        How long to wait for another holder that is at work.

    Yields
    ------
    callable
        Raises LakeLockedError when the lock was lost meanwhile: only a lease can be, to a process that slept.

    Raises
    ------
    LakeLockedError
        When this or another process holds it; the message names the process where that is known.
    NotWritableError, StorageError
        When the file cannot be made.
    """
    path = path.resolve()
    if path in _HELD:
        raise LakeLockedError("this process is writing to the lake already: finish that first")
    _HELD.add(path)
    try:
        with _leased(path, wait_s) if isinstance(path, Remote) else _locked_file(path, wait_s) as still_mine:
            yield still_mine
    finally:
        _HELD.discard(path)


@contextmanager
def _locked_file(path: Path, wait_s: float) -> Iterator[StillMine]:
    """Hold a lock of the operating system."""
    with storage_errors():
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _take(handle, time.monotonic() + wait_s)
        yield lambda: None
    finally:
        os.close(handle)


def _take(handle: int, until: float) -> None:
    """Lock a file and write into it who holds it."""
    while True:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except (BlockingIOError, PermissionError):  # POSIX allows either
            if time.monotonic() >= until:
                raise _refused(handle) from None
            time.sleep(_LOOK_S)
    with storage_errors():
        os.truncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)


def _refused(handle: int) -> LakeLockedError:
    """The refusal, naming the holder where its number can be read."""
    text = os.pread(handle, 20, 0)
    holder = f" (process {int(text)})" if text.isdigit() else ""
    return LakeLockedError(f"another radlake{holder} is writing to this lake: wait for it, or stop it")


@dataclass
class _Lease:
    """A lease that this process holds, and the thread that keeps it alive.

    Parameters
    ----------
    folder : Remote
        Where the numbered files of the lease are.
    number : int
        Of this holder's file; a higher one means that another has taken over.
    """

    folder: Remote
    number: int
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def file(self) -> Remote:
        """Where it stands."""
        return self.folder / f".lock-{self.number:010d}"

    def content(self, beat: int, *, free: bool = False) -> bytes:
        """What the file says: whose it is, how often it was written, and whether it was given back."""
        return json.dumps({"token": self.token, "beat": beat, "free": free}).encode()

    def check(self) -> None:
        """Raise LakeLockedError when another has taken over."""
        if _highest(self.folder) != self.number:
            raise LakeLockedError("another radlake took this lake over, because this one was silent: run again")

    def keep(self) -> None:
        """Give signs of life until the end; one that cannot be given is tried again."""
        beat = 0
        while not self.ended.wait(LEASE_S / _BEATS):
            beat += 1
            with suppress(OSError):
                self.file.write_bytes(self.content(beat))


@contextmanager
def _leased(path: Remote, wait_s: float) -> Iterator[StillMine]:
    """Hold a lease in a store."""
    with storage_errors():
        lease = _obtain(path.parent, time.monotonic() + wait_s)
    thread = threading.Thread(target=lease.keep, daemon=True)
    thread.start()
    try:
        yield lease.check
    finally:
        lease.ended.set()
        thread.join()
        with suppress(OSError):  # a lease that cannot be given back runs out
            lease.file.write_bytes(lease.content(0, free=True))


def _obtain(folder: Remote, until: float) -> _Lease:
    """Wait for the present lease to be given back, or to run out, and create the next."""
    seen, since = b"", time.monotonic()
    while True:
        number = _highest(folder)
        content = _content(folder, number)
        if content != seen:
            alive = bool(seen) and not _free(content)  # it changed while we looked
            seen, since = content, time.monotonic()
            if alive and time.monotonic() >= until:
                raise LakeLockedError("another radlake is writing to this lake: wait for it, or stop it")
        if _free(content) or time.monotonic() - since > LEASE_S:
            lease = _Lease(folder, number + 1)
            # Numbers only grow, so of those who saw the same holder end one comes through; one who saw an older
            # holder finds a higher number than its own.
            if lease.file.create(lease.content(0)):
                if _highest(folder) == lease.number:
                    _forget_older(folder, lease.number)
                    return lease
                lease.file.unlink()
            continue
        time.sleep(_LOOK_S)


def _numbers(folder: Remote) -> list[int]:
    """Numbers of the lease files."""
    return [int(m[1]) for p in folder.glob(".lock-*") if (m := _NUMBER.fullmatch(p.name))]


def _highest(folder: Remote) -> int:
    """The present holder's number; 0 where there never was one."""
    return max(_numbers(folder), default=0)


def _content(folder: Remote, number: int) -> bytes:
    """What a lease's file says; empty for one that went away, or that its maker has not filled yet."""
    try:
        return (folder / f".lock-{number:010d}").read_bytes() if number else _NEVER
    except FileNotFoundError:
        return b""


def _free(content: bytes) -> bool:
    """Whether a lease was given back, or never taken."""
    return bool(content) and bool(json.loads(content)["free"])


def _forget_older(folder: Remote, number: int) -> None:
    """Remove the files of earlier holders."""
    for older in _numbers(folder):
        if older < number:
            with suppress(FileNotFoundError):
                (folder / f".lock-{older:010d}").unlink()

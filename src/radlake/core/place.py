"""Places: local paths, and folders and files of remote stores (s3://, hdfs://) under the same few methods.

`Remote` answers the methods of `pathlib.Path` that lakes and inputs use, so the code above does not ask which one it
holds; local places stay plain `Path`s. What differs is said once, here: a file in a store appears whole (one put, or a
rename) and is never changed in place; an object store has no folders and no file modes. Credentials come from the
environment or the usual files of each store and are never kept. Libraries of the stores are imported at first use.
"""

from __future__ import annotations

import errno
import functools
import io
import os
import posixpath
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from radlake.core.errors import RadlakeError, UsageError

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_WHOLE_BYTES = 64 << 20  # up to here a file is read by one request: requests cost more than bytes
_BLOCK_BYTES = 4 << 20  # larger ones by blocks
_NEEDS_REMOTE = "this place needs another package: pip install 'radlake[remote]'"
_MESSAGES: dict[type[OSError], tuple[int, str]] = {
    FileNotFoundError: (errno.ENOENT, "there is no such file or folder in the store"),
    FileExistsError: (errno.EEXIST, "the store has such a file or folder"),
    PermissionError: (errno.EACCES, "the store refuses: see docs/scale.md for credentials"),
    OSError: (errno.EIO, "the store failed"),
}
_LIBRARIES = ("botocore", "aiobotocore", "aiohttp", "s3fs")  # their errors are no OSError


class NoStore(RadlakeError):  # noqa: N818 - names the problem
    """A package that speaks to a store is not installed."""


class Status(NamedTuple):
    """What a listing says about a file: the names are those of `os.stat_result`.

    Parameters
    ----------
    st_size : int
        Bytes.
    st_mtime_ns : int
        Time of the last change as the store keeps it: milliseconds for HDFS, seconds for S3.
    tag : str
        What the store says about the content (S3's ETag); changes when the content does. Empty where there is none.
    """

    st_size: int
    st_mtime_ns: int
    tag: str = ""


@dataclass(frozen=True, order=True)
class Remote:
    """A folder or file in a store. Made by `place`; nothing is asked of the store before a method needs it.

    Parameters
    ----------
    uri : str
        "s3://bucket/key" or "hdfs://host:port/path", without a closing slash.

    Raises
    ------
    OSError
        From every method that asks the store: FileNotFoundError, PermissionError, or with the number that fits.
    NoStore
        When the package for the store is not installed.
    """

    uri: str

    def __str__(self) -> str:
        return self.uri

    def __truediv__(self, name: str) -> Remote:
        return Remote(posixpath.join(self.uri, name)) if name else self

    @property
    def scheme(self) -> Literal["s3", "hdfs"]:
        """Which kind of store."""
        return cast(Literal["s3", "hdfs"], self.uri.partition(":")[0])

    @property
    def name(self) -> str:
        """Last component."""
        return posixpath.basename(self.uri)

    @property
    def parent(self) -> Remote:
        """The folder it lies in; a bucket or host is its own."""
        store, _, path = self.uri.partition("://")[2].partition("/")
        folder = posixpath.dirname(path.rstrip("/"))
        return Remote(f"{self.scheme}://{store}" + (f"/{folder}" if folder else ""))

    @property
    def has_modes(self) -> bool:
        """Whether the store keeps who may read a file."""
        return self.scheme == "hdfs"

    @property
    def key(self) -> str:
        """The place as its store calls it: "bucket/key", or an absolute path."""
        rest = self.uri.partition("://")[2]
        return rest if self.scheme == "s3" else "/" + rest.partition("/")[2]

    @property
    def store(self) -> Any:
        """The store as fsspec shows it; one connection a process."""
        return _store(self.scheme, self.uri.partition("://")[2].partition("/")[0], os.getpid())

    def resolve(self) -> Remote:
        """The place itself: stores have no links."""
        return self

    def is_relative_to(self, other: Path | Remote) -> bool:
        """Whether it is the other place or lies below it."""
        return isinstance(other, Remote) and f"{self.uri}/".startswith(f"{other.uri}/")

    def exists(self) -> bool:
        """Whether there is such a file or folder."""
        return self._info() is not None

    def is_file(self) -> bool:
        """Whether there is such a file."""
        return (self._info() or {}).get("type") == "file"

    def is_dir(self) -> bool:
        """Whether there is such a folder; in an object store, whether a name begins with it."""
        return (self._info() or {}).get("type") == "directory"

    def stat(self) -> Status:
        """Size and time of a file."""
        with _told():
            return _status(self.store.info(self.key))

    def mode(self) -> int:
        """Permission bits, where the store has them."""
        with _told():
            return int(self.store.info(self.key)["permission"])

    def mkdir(self, mode: int = 0o755, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a folder; in an object store names make themselves.

        Raises
        ------
        FileExistsError
            When it is there and that is not agreed to.
        """
        if not exist_ok and self.exists():
            raise FileExistsError(errno.EEXIST, "the folder is there", self.name)
        if self.scheme == "hdfs":
            with _told():
                self.store.mkdir(self.key, create_parents=parents, permission=mode)

    def iterdir(self) -> Iterator[Remote]:
        """What lies in a folder, in the order of the names."""
        return (place for place, _, _ in self.scan())

    def scan(self) -> Iterator[tuple[Remote, bool, Status]]:
        """What lies in a folder with whether it is a folder itself, by one listing; in the order of the names."""
        with _told():
            found = [i for i in self.store.ls(self.key, detail=True) if i["name"].rstrip("/") != self.key.rstrip("/")]
        for info in sorted(found, key=lambda i: posixpath.basename(i["name"].rstrip("/"))):
            name = posixpath.basename(info["name"].rstrip("/"))
            yield self / name, info["type"] == "directory", _status(info)

    def glob(self, pattern: str) -> Iterator[Remote]:
        """What fits a pattern of names, such as "??/*.png"; nothing where the folder is absent."""
        first, _, rest = pattern.partition("/")
        try:
            found = [p for p in self.iterdir() if fnmatchcase(p.name, first)]
        except (FileNotFoundError, NotADirectoryError):
            return
        for place in found:
            yield from place.glob(rest) if rest else (place,)

    def rglob(self, pattern: str) -> Iterator[Remote]:
        """Files at any depth whose name fits a pattern."""
        with _told():
            keys = sorted(self.store.find(self.key)) if self._info() is not None else []
        for key in keys:
            place = self / key[len(self.key.rstrip("/")) + 1 :]
            if fnmatchcase(place.name, pattern):
                yield place

    def open(self, mode: Literal["rb"] = "rb") -> BinaryIO:
        """A seekable stream of a file's bytes; close it."""
        with _told():
            size = int(self.store.info(self.key)["size"])
            if size <= _WHOLE_BYTES:
                return io.BytesIO(self.read_bytes())
            return cast(BinaryIO, io.BufferedReader(_Blocks(self, size), _BLOCK_BYTES))

    def read_bytes(self) -> bytes:
        """All bytes of a file."""
        with _told():
            return bytes(self.store.cat_file(self.key))

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`."""
        with _told():
            return bytes(self.store.cat_file(self.key, start=offset, end=offset + count))

    def write_bytes(self, data: bytes) -> None:
        """Write a file, which appears whole or not at all; one that is there is replaced."""
        with _told():
            if self.scheme == "s3":
                self.store.pipe_file(self.key, data)
                return
            with self._published() as draft, self.store.open(draft, "wb") as file:
                file.write(data)

    def upload(self, local: Path) -> None:
        """As `write_bytes`, from a local file of any size."""
        with _told():
            if self.scheme == "s3":
                self.store.put_file(str(local), self.key)
                return
            with self._published() as draft, local.open("rb") as source, self.store.open(draft, "wb") as file:
                while block := source.read(_BLOCK_BYTES):
                    file.write(block)

    def create(self, data: bytes) -> bool:
        """Write a file only if there is none, whoever else tries at the same moment; whether it was written."""
        with _told():
            try:
                if self.scheme == "s3":
                    self.store.pipe_file(self.key, data, mode="create")
                else:
                    self.store.makedirs(self.parent.key, exist_ok=True)
                    with self.store.open(self.key, "wb", overwrite=False) as file:
                        file.write(data)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno != errno.EINVAL:  # how s3fs tells that If-None-Match did not hold
                    raise
                return False
        return True

    def unlink(self) -> None:
        """Remove a file."""
        with _told():
            self.store.rm_file(self.key)

    @contextmanager
    def _published(self) -> Iterator[str]:
        """A name beside this one to write to; it gets this name at the end, by one rename."""
        draft = (self.parent / f".tmp-{secrets.token_hex(8)}").key
        self.store.makedirs(self.parent.key, exist_ok=True)
        try:
            yield draft
        except BaseException:
            self.store.rm(draft)
            raise
        self.store.mv(draft, self.key, overwrite=True)

    def _info(self) -> dict[str, Any] | None:
        """What the store says about a file or folder."""
        with _told():
            try:
                return dict(self.store.info(self.key))
            except FileNotFoundError:
                return None


Place = Path | Remote


def place(where: str | os.PathLike[str] | Remote) -> Place:
    """A place by what the user wrote: a path, "file:///...", "s3://bucket/..." or "hdfs://host:port/...".

    Raises
    ------
    UsageError
        For another kind of URI, or one without a bucket or host.

    Examples
    --------
    >>> place("s3://bucket/a/../lake/") / "tables", place("scans")
    (Remote(uri='s3://bucket/lake/tables'), PosixPath('scans'))
    """
    if isinstance(where, Remote):
        return where
    text = os.fspath(where)
    found = _URI.match(text)
    if not found:
        return Path(text)
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme == "file":
        return Path(unquote(urlsplit(text).path))
    if scheme not in ("s3", "hdfs"):
        raise UsageError("expected a local path, s3://bucket/... or hdfs://host:port/..., got another kind of address")
    store, _, path = rest.partition("/")
    if not store or "@" in store:  # hdfs://user:password@host and the like end up in tables and logs
        raise UsageError(f"expected {scheme}:// with a bucket or host and no user name; credentials: see docs/scale.md")
    path = posixpath.normpath("/" + path).strip("/")
    return Remote(f"{scheme}://{store}" + (f"/{path}" if path else ""))


def is_remote(uri: str) -> bool:
    """Whether the address of a file is one of a store."""
    return uri.startswith(("s3://", "hdfs://"))


class _Blocks(io.RawIOBase):
    """A large remote file, read by ranges."""

    def __init__(self, source: Remote, size: int) -> None:
        self._source, self._size, self._position = source, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self._size - self._position)
        if count <= 0:
            return 0
        data = self._source.read_at(self._position, count)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _status(info: dict[str, Any]) -> Status:
    """A listing's entry, whichever store it comes from."""
    changed = info.get("LastModified")
    if isinstance(changed, datetime):
        changed_ns = int(changed.timestamp()) * 1_000_000_000
    else:
        changed_ns = int(info.get("modification_time") or 0) * 1_000_000
    return Status(int(info.get("size") or 0), changed_ns, str(info.get("ETag") or "").strip('"'))


@functools.lru_cache(maxsize=8)
def _store(scheme: str, host: str, process: int) -> Any:
    """A connection to a store; never shared across a fork."""
    try:
        if scheme == "s3":
            import s3fs

            # Listings are not kept: other writers change them.
            return s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
        from hdfs_native.fsspec import HdfsFileSystem

        name, _, port = host.partition(":")
        return HdfsFileSystem(name, int(port) if port else None, skip_instance_cache=True)
    except ImportError:
        raise NoStore(_NEEDS_REMOTE) from None


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the stores' libraries raise into errors of the operating system; their texts may quote a request."""
    try:
        yield
    except OSError as error:
        kind = next(k for k in _MESSAGES if isinstance(error, k))
        number, message = _MESSAGES[kind]
        raise kind(error.errno or number, message) from None
    except RuntimeError:  # what hdfs-native makes of a refusal that it has no name for
        raise OSError(*_MESSAGES[OSError]) from None
    except Exception as error:
        if type(error).__module__.split(".")[0] not in _LIBRARIES:
            raise
        if "Credential" in type(error).__name__:
            raise PermissionError(errno.EACCES, "the store knows no credentials of yours: see docs/scale.md") from None
        raise OSError(errno.EHOSTUNREACH, "the store does not answer") from None

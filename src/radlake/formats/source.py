"""Where bytes come from: the one door through which readers open files and members of zip archives.

A gzip wrapper is taken off here, so readers see the inner bytes. Inflated streams are bounded, damaged ones raise
`ItemError`, and pipes or devices are never opened, so nothing behind this door can hang or fill the memory.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import os
import posixpath
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Literal, cast

from radlake.core.fault import ItemError, Term
from radlake.core.place import Place, Remote, is_remote, place

MIB = 1 << 20
HEAD_BYTES = 8192
MAX_INFLATED_BYTES = 16 << 30
_FREE_BYTES = 64 * MIB  # small results are let through whatever their ratio
_MAX_RATIO = 1100  # deflate cannot exceed 1032:1 (zlib technical notes); bzip2 and LZMA bombs do
_ARCHIVES_KEPT_OPEN = 2
_GZIP = b"\x1f\x8b\x08"
_DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, struct.error, ValueError)


def _limit(stored: int) -> int:
    """Most bytes that a compressed stream of this stored size may give."""
    return min(MAX_INFLATED_BYTES, max(_FREE_BYTES, _MAX_RATIO * stored))


def _bomb(promised: int, stored: int) -> ItemError:
    """The refusal of a stream that inflates beyond its limit."""
    return ItemError("bomb", promised_mib=round(promised / MIB), stored_mib=round(stored / MIB, 3))


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the standard library raises for damaged or locked streams into faults."""
    try:
        yield
    except NotImplementedError:
        raise ItemError("unsupported_format", format=Term("this zip compression")) from None
    except RuntimeError:  # zipfile's way to ask for a password
        raise ItemError("locked_archive") from None
    except _DAMAGED:
        raise ItemError("damaged_archive") from None
    except OSError:
        raise ItemError("unreadable_file") from None


def read_up_to(stream: IO[bytes], count: int) -> bytes:
    """At most `count` bytes; memory grows with what is there, never with what a header claims."""
    if count <= MIB:
        return stream.read(count)
    parts = []
    while count > 0 and (part := stream.read(min(count, 16 * MIB))):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


class _Inflated(io.RawIOBase):
    """A decompressing stream that stops at a limit and raises faults instead of library errors."""

    def __init__(self, stream: IO[bytes], stored: int) -> None:
        self._stream = stream
        self._stored = stored
        self._limit = _limit(stored)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        with _translated():
            chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._check(self._stream.tell())
        return len(chunk)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_END:
            self._check(offset if whence == os.SEEK_SET else self._stream.tell() + offset)
            with _translated():
                return self._stream.seek(offset, whence)
        while self.read(MIB):
            pass
        return self.seek(self._stream.tell() + offset)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()

    def _check(self, position: int) -> None:
        if position > self._limit:
            raise _bomb(position, self._stored)


def inflated(stream: BinaryIO, stored: int, encoding: Literal["gzip", "zlib", "bzip2"]) -> BinaryIO:
    """What a compressed stream gives from where it stands; bounded, and faults instead of library errors.

    Parameters
    ----------
    stream : binary stream
        Stands at the first compressed byte.
    stored : int
        Bytes of the compressed file, from which the bound follows.
    encoding : {"gzip", "zlib", "bzip2"}
        How it is compressed.
    """
    plain = bz2.BZ2File(stream) if encoding == "bzip2" else _Zlib(stream)
    return cast(BinaryIO, io.BufferedReader(_Inflated(cast(IO[bytes], plain), stored), HEAD_BYTES))


class _Zlib(io.RawIOBase):
    """Forward reader of a zlib or gzip stream, whichever its first bytes say."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._codec = zlib.decompressobj(wbits=47)  # 32 + 15: either header
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        data = b""
        while not data and size and not self._codec.eof:
            stored = self._codec.unconsumed_tail or self._stream.read(HEAD_BYTES)
            if not stored:
                raise EOFError
            data = self._codec.decompress(stored, max(size, 0))
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        while self._position < offset and self.read(min(MIB, offset - self._position)):
            pass
        return self._position


@functools.lru_cache(maxsize=_ARCHIVES_KEPT_OPEN)
def _archive_of(uri: str, size: int, mtime_ns: int, process: int) -> zipfile.ZipFile:
    """An open archive, kept so that its directory is read once, not once a member; never shared across a fork."""
    with _translated():
        return zipfile.ZipFile(_place(uri).open("rb") if is_remote(uri) else uri)


@dataclass(frozen=True)
class Source:
    """A file, or a member of a zip archive, as a stream of bytes.

    Parameters
    ----------
    uri : str
        Path of the file, or its address in a store (`radlake.core.place`).
    member_name : str or None
        Name of a member inside the zip archive at `uri`.
    data : bytes or None
        Content to use in place of the file's.

    Raises
    ------
    ItemError
        From every access: ``unreadable_file``, ``empty_file``, ``damaged_archive``, ``locked_archive``, ``bomb``.

    Examples
    --------
    >>> source = Source("scan.dcm", data=b"0123456789")
    >>> source.size, source.read_at(2, 3), source.suffix
    (10, b'234', '.dcm')
    """

    uri: str = field(repr=False)  # a path may hold a name: never print it
    member_name: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Base name of the file or member, without a closing ``.gz``; identifying."""
        name = PurePosixPath(self.member_name).name if self.member_name is not None else Path(self.uri).name
        stem = name[:-3] if name.lower().endswith(".gz") else name
        return stem or name

    @property
    def suffix(self) -> str:
        """Suffix in lower case, without a closing ``.gz``: ``.nii`` for ``brain.nii.gz``; "" where there is none."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def key(self) -> str:
        """What names this source among all others; identifying."""
        return f"file:{self.uri}" + (f"!{self.member_name}" if self.member_name is not None else "")

    @property
    def folder_key(self) -> str:
        """What names the folder (of the file, or inside the archive); identifying."""
        if self.member_name is None:
            return f"folder:{Path(self.uri).parent}"
        return f"folder:{self.uri}!{posixpath.dirname(self.member_name)}"

    @functools.cached_property
    def _probe(self) -> tuple[bytes, int]:
        """First stored bytes and the number of stored bytes, from one opening."""
        if self.data is None and self.member_name is None:
            head, size = self._probe_file()
        elif self.member_name is None:
            head, size = (self.data or b"")[:HEAD_BYTES], len(self.data or b"")
        else:
            size = self._member_info().file_size
            with self._open_stored() as stream:
                head = stream.read(HEAD_BYTES)
        if not size:
            raise ItemError("empty_file")
        return head, size

    def _probe_file(self) -> tuple[bytes, int]:
        """First bytes and size of a regular file; pipes and devices are refused before they can block."""
        remote = _place(self.uri)
        with _translated():
            if isinstance(remote, Remote):
                size = remote.stat().st_size
                return remote.read_at(0, min(HEAD_BYTES, size)) if size else b"", size
            handle = os.open(self.uri, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            try:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode):
                    raise ItemError("unreadable_file")
                return os.read(handle, HEAD_BYTES), status.st_size
            finally:
                os.close(handle)

    @property
    def gzipped(self) -> bool:
        """Whether the stored bytes are a gzip stream (RFC 1952)."""
        return self._probe[0].startswith(_GZIP)

    @property
    def stored_size(self) -> int:
        """Bytes as stored: of a gzip file before inflating."""
        return self._probe[1]

    @functools.cached_property
    def size(self) -> int:
        """Bytes that `open` gives. Costs a whole pass over a gzip file."""
        if not self.gzipped:
            return self.stored_size
        with self.open() as stream:
            return stream.seek(0, os.SEEK_END)

    def open(self) -> BinaryIO:
        """A seekable stream of the bytes, gzip taken off; close it."""
        gzipped = self.gzipped
        stream = self._open_stored()
        if not gzipped:
            return stream
        return cast(
            BinaryIO, io.BufferedReader(_Inflated(cast(IO[bytes], _Gunzip(stream)), self.stored_size), HEAD_BYTES)
        )

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; fewer at the end."""
        head, stored = self._probe
        if not self.gzipped and (offset + count <= len(head) or len(head) == stored):
            return head[offset : offset + count]
        with self.open() as stream, _translated():
            stream.seek(offset)
            return read_up_to(stream, count)

    def read_all(self, *, limit: int) -> bytes:
        """All bytes; ItemError ``too_large`` when there are more than `limit`."""
        data = self.read_at(0, limit + 1)
        if len(data) > limit:
            raise ItemError(
                "too_large", needed_mib=round(max(self.stored_size, limit + 1) / MIB), limit_mib=round(limit / MIB)
            )
        return data

    def member_names(self) -> list[str]:
        """Names of the files in the zip archive that this source is, in the archive's order; folders left out."""
        return [i.filename for i in self._archive().infolist() if i.filename and not i.filename.endswith("/")]

    def check_promise(self) -> None:
        """Raise ItemError ``bomb`` when a zip member promises more than its stored bytes can honestly give."""
        self._member_info()

    def sibling(self, relative: str) -> Source | None:
        """The file that lies at a relative POSIX path (``brain.img``, ``../images/brain.nii``); None if absent."""
        if self.data is not None:
            return None
        if self.member_name is not None:
            name = posixpath.normpath(posixpath.join(posixpath.dirname(self.member_name), relative))
            return Source(self.uri, name) if name in self._archive().NameToInfo else None
        if is_remote(self.uri):
            path = str(place(f"{_place(self.uri).parent}/{relative}"))
        else:
            path = os.path.normpath(Path(self.uri).parent / relative)
        with _translated():
            return Source(path) if _place(path).is_file() else None

    def names_in(self, relative: str, *, limit: int) -> list[str]:
        """Names of at most `limit` files in a folder given relative to this one; none where it is absent."""
        if self.data is not None or self.member_name is not None:
            return []
        try:
            if is_remote(self.uri):
                folder = cast(Remote, place(f"{_place(self.uri).parent}/{relative}"))
                return [p.name for p, is_folder, _ in folder.scan() if not is_folder][:limit]
            with os.scandir(Path(self.uri).parent / relative) as entries:
                names = (e.name for e in entries if e.is_file())
                return [name for name, _ in zip(names, range(limit), strict=False)]
        except OSError:
            return []

    def _archive(self) -> zipfile.ZipFile:
        """The zip archive at `uri`."""
        if self.data is not None:
            with _translated():
                return zipfile.ZipFile(io.BytesIO(self.data))
        with _translated():
            status = _place(self.uri).stat()
        return _archive_of(self.uri, status.st_size, status.st_mtime_ns, os.getpid())

    def _member_info(self) -> zipfile.ZipInfo:
        """Directory entry of the member, refused when it promises too much."""
        try:
            info = self._archive().NameToInfo[self.member_name or ""]
        except KeyError:
            raise ItemError("unreadable_file") from None
        if info.file_size > _limit(info.compress_size):
            raise _bomb(info.file_size, info.compress_size)
        return info

    def _open_stored(self) -> BinaryIO:
        """A stream of the stored bytes."""
        if self.member_name is not None:
            info = self._member_info()
            with _translated():
                inner = self._archive().open(info)
            return cast(BinaryIO, io.BufferedReader(_Inflated(inner, info.compress_size), HEAD_BYTES))
        if self.data is not None:
            return io.BytesIO(self.data)
        with _translated():
            return _place(self.uri).open("rb")


def _place(uri: str) -> Place:
    """Where a source lies; whatever is no address of a store is a path on this machine."""
    return place(uri) if is_remote(uri) else Path(uri)


class _Gunzip(gzip.GzipFile):
    """A gzip reader that closes the stream it reads from."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._inner = stream

    def close(self) -> None:
        super().close()
        self._inner.close()

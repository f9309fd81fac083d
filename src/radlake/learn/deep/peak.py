"""How much memory this process took for a piece of work, where the system tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROCESS = Path("/proc/self")
_RESET = "5"  # proc(5), /proc/pid/clear_refs: the peak becomes what is resident now


@dataclass
class Peak:
    """Bytes that a piece of work took beyond what was there before; None where that is not known."""

    bytes: int | None = None


@contextmanager
def peak() -> Iterator[Peak]:
    """Measure the block inside: the most memory that was resident at once, over what was resident before.

    Memory that was given back to the process before, and is used once more, does not count.
    """
    found = Peak()
    try:
        (_PROCESS / "clear_refs").write_text(_RESET, encoding="ascii")
        before = _status("VmRSS")
    except (OSError, ValueError):  # another system, or one that does not allow it
        yield found
        return
    yield found
    found.bytes = max(0, _status("VmHWM") - before)


def _status(name: str) -> int:
    """Bytes of a line of /proc/self/status."""
    for line in (_PROCESS / "status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    raise ValueError("the system does not tell")

"""The door to PyTorch: it is imported when a network is made, and its absence is told with what to install."""

from __future__ import annotations

from types import ModuleType

from radlake.core.errors import UsageError


def torch() -> ModuleType:
    """PyTorch.

    Raises
    ------
    UsageError
        When it is not installed.
    """
    try:
        import torch as found
    except ImportError as error:
        raise UsageError("networks need PyTorch, which is not installed: pip install 'radlake[deep]'") from error
    return found

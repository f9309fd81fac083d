"""Errors of the program as a whole, as opposed to faults of one input (`radlake.core.fault`).

    Exception
    └── RadlakeError         could not finish; the message says what was expected and what to do
        └── UsageError       asked for something that does not exist or does not fit

The command line prints the message and ends with 1, or with 2 for `UsageError`.
"""

from __future__ import annotations


class RadlakeError(Exception):
    """The program cannot do what was asked."""


class UsageError(RadlakeError):
    """The request itself is wrong."""

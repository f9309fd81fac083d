"""The command line: parse, call, print. Exit codes: 0 finished, 1 could not finish, 2 wrong usage."""

from __future__ import annotations

import io
import sys

import typer

from radlake.cli import (
    cohort,
    deidentify,
    explain,
    features,
    groups,
    image,
    lake,
    learn,
    privacy,
    scale,
    similar,
    stability,
    track,
)
from radlake.cli.common import app, parse_memory

__all__ = [
    "app",
    "cohort",
    "deidentify",
    "explain",
    "features",
    "groups",
    "image",
    "lake",
    "learn",
    "main",
    "parse_memory",
    "privacy",
    "scale",
    "similar",
    "stability",
    "track",
]


def main() -> None:
    """Entry point. What nobody foresaw is told by kind and place: an exception's own text may quote a file."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:  # noqa: BLE001 - the last line of defence
        from radlake.core.pool import where

        typer.echo(f"radlake: an unforeseen problem; please report these lines\n{where(error)}", err=True)
        sys.exit(1)

"""Stages by name, and what looking for one imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from radlake.engine.registry import UnknownName, stage, stages


def test_every_stage_is_found_by_its_name() -> None:
    assert all(stage(name) is known for name, known in stages().items())


def test_a_misspelt_name_is_told_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'features'\?"):
        stage("featurs")


def test_steps_that_do_not_learn_are_found_without_scikit_learn() -> None:
    program = (
        "import sys\n"
        "from radlake.engine.registry import stage\n"
        "print(*[stage(name).name for name in ('load', 'features', 'regions.stored')])\n"
        "assert not {'sklearn', 'torch', 'numba'} & set(sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["load", "features", "regions.stored"]

"""States on disk: whole or not there, and a process that is killed for good loses one epoch at most."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from radlake.learn.deep import ImageClassifier
from radlake.learn.deep.checkpoint import CheckpointError, read, write

X = np.random.default_rng(0).normal(size=(60, 8, 8)) + (np.arange(60) % 2)[:, None, None]
Y = np.arange(60) % 2
OPTIONS = {"network": "vgg-small", "epochs": 6, "batch": 20}
CHILD = """
import sys, time
import numpy as np
from radlake.learn.deep import ImageClassifier
def told(progress):
    print(progress.epoch, flush=True)
    time.sleep(0.2 if progress.epoch < 3 else 60)
x = np.load(sys.argv[1])
ImageClassifier("vgg-small", epochs=6, batch=20, checkpoint=sys.argv[2], progress=told).fit(x, np.arange(60) % 2)
"""


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "状态 one"
    assert read(folder, "me") is None
    write(folder, {"a": torch.arange(3), "b": torch.tensor(1.5)}, {"identity": "me", "done": [1, 2]})
    write(folder, {"a": torch.arange(4)}, {"identity": "me", "done": [3]})
    found = read(folder, "me")
    assert found is not None
    tensors, state = found
    assert tensors["a"].tolist() == [0, 1, 2, 3]
    assert state == {"identity": "me", "done": [3]}
    assert [p.name for p in folder.iterdir()] == ["checkpoint.safetensors"]
    with pytest.raises(CheckpointError, match="other images"):
        read(folder, "you")


def test_a_process_that_is_killed_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    folder = tmp_path / "state"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "x.npy"), str(folder)], stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.strip() == "3":
                child.kill()
                break
    assert child.returncode == -9
    told: list[int] = []
    resumed = ImageClassifier(**OPTIONS, checkpoint=folder, progress=lambda p: told.append(p.epoch)).fit(X, Y)
    assert told == [4, 5, 6]
    whole = ImageClassifier(**OPTIONS).fit(X, Y)
    assert resumed.predict_proba(X).tobytes() == whole.predict_proba(X).tobytes()

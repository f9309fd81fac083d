"""Steps of a training on a GPU, recorded once and then replayed: a small network's kernels end before Python starts the
next ones, so that the GPU would wait for most of the time.

The first steps of each batch size run as they are; what the libraries prepare then is there when a step is recorded. A
recorded step draws on from the same generator and gives the same bits as one that is not.

References
----------
NVIDIA (2019), Getting started with CUDA graphs; PyTorch, CUDA semantics, section CUDA graphs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

AS_THEY_ARE = 3  # steps of a size before it is recorded


class Recorder:
    """Runs steps of one training: as they are, or replayed.

    Parameters
    ----------
    step : callable
        Case numbers -> one whole step; the same kernels for the same number of cases.
    generator : torch.Generator
        From which the step draws.

    Attributes
    ----------
    works : bool
        False once a step could not be recorded: from then on `generator`, a new one in the same state, is to be drawn
        from.
    """

    def __init__(self, step: Callable[[Tensor], None], generator: torch.Generator) -> None:
        self.step, self.generator = step, generator
        self.works = True
        self._seen: Counter[int] = Counter()
        self._graphs: dict[int, tuple[Any, Tensor]] = {}

    def run(self, numbers: Tensor) -> bool:
        """One step on some cases, if its size has been recorded or can be now; whether it was.

        Parameters
        ----------
        numbers : (B,) int64 tensor
            On the GPU.
        """
        size = len(numbers)
        self._seen[size] += 1
        if not self.works or self._seen[size] <= AS_THEY_ARE:
            return False
        if size not in self._graphs:
            self.works = self._record(numbers)
        if self.works:
            graph, buffer = self._graphs[size]
            buffer.copy_(numbers)
            graph.replay()
        return self.works

    def _record(self, numbers: Tensor) -> bool:
        """Record a step; False where a kernel cannot be recorded or memory is short, and nothing has happened then."""
        buffer, state = numbers.clone(), self.generator.get_state()
        graph: Any = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        stream = torch.cuda.current_stream()
        pool = next((known.pool() for known, _ in self._graphs.values()), None)
        try:
            with torch.cuda.graph(graph, pool=pool):
                self.step(buffer)
        except RuntimeError:  # of many kinds: a kernel that synchronises, a library without support, memory
            torch.cuda.set_stream(stream)  # the context leaves its own behind when a recording breaks off
            self._graphs.clear()
            self.generator = torch.Generator(self.generator.device)  # the other one is still marked as recording
            self.generator.set_state(state)
            return False
        self._graphs[len(numbers)] = (graph, buffer)
        return True

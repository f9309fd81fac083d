"""Compiled loops for what no library does fast: medians, box means, dilation by balls, smoothing that keeps edges.

One file per kernel, each with its plain door function. Importing a file compiles its kernel, or reads it from numba's
cache, so files are imported by the function that needs them and nowhere else. Kernels release the GIL and take few
dtypes: `ordered` maps all others to these. Those that go through `threads.by_slabs` use as many threads as the caller
allows.
"""

"""How good a model is, for whom, and how sure that is: scores with intervals, operating points, tests, leaks.

Pure functions on arrays; `radlake.learn.stages` and the engine read tables and write what comes out.
"""

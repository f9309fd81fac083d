"""Tables to validated models: folds by patient, nested validation, scores with intervals, curves, bundles.

Pure functions on arrays; `stages` is the door to tables. scikit-learn is imported when a model is made.
"""

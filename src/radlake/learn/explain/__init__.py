"""What a model looks at, of features and of images, and checks that tell whether an explanation shows anything.

Pure functions on fitted pipelines, callables and torch modules.
"""

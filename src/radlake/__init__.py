"""radlake: from a folder of medical scans to a de-identified, quality-checked, searchable cohort and its models."""

__version__ = "0.1.0"

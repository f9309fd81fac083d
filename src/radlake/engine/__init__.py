"""Pipelines and what runs them: declare and check a study, do its chains here or on Spark, commit what they leave."""

"""The room lake."""

"""The room deid."""

"""The room imaging."""

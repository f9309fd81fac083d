"""De-identification: keyed pseudonyms, closed lists for values, cleaned texts, and what pixels may show.

A `Header` with raw identities enters, rows of the shareable tables leave. Everything here is a pure function of its
arguments and the owner's key; only `keys` touches the disk.
"""

"""A cohort on disk: Delta tables, objects, SQL, the way back to the inputs, quarantine and release."""

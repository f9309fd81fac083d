"""Types that every room shares: images, headers, faults, findings, stages, schemas, ids."""

"""DICOM: the header reader, the pixels, and the regions in segmentations and structure sets."""

"""Variants as independent jobs: solved, checked, printed, and a folder that is gone on with where it stopped."""

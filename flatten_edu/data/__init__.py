"""Level 4: the photographs that the labs look at, and features made from their pixels."""

from flatten_edu.data.photos import as_input, patch_features, photo, to_jpeg

__all__ = ["as_input", "patch_features", "photo", "to_jpeg"]

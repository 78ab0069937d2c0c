"""Level 4: the photographs that the labs look at, and features made from their pixels."""

from flatten_edu.data.photos import patch_features, photo, to_jpeg

__all__ = ["patch_features", "photo", "to_jpeg"]

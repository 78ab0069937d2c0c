"""Level 4: measures of vectors and of attention weights. They take tensors, never models."""

from flatten_edu.analysis.metrics import angle_degrees, entropy_bits, largest_coordinate, top1_share

__all__ = ["angle_degrees", "entropy_bits", "largest_coordinate", "top1_share"]

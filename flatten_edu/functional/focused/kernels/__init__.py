"""Triton kernels of focused attention. Nothing here is imported before they are asked for."""

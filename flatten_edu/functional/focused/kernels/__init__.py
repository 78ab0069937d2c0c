"""Triton kernels of focused attention. Nothing here is imported before `triton.triton_serves` has said yes."""

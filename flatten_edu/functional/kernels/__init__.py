"""Triton kernels of focused attention. Nothing here is imported before `triton_focused.triton_serves` has said yes."""

"""MAESTRO's counts: its kernels."""

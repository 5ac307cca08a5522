"""The exact counts: kernels that cost one mapping after the other."""

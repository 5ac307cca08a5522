"""The lower bound: kernels that say what a mapping, whole or partly chosen, costs at least."""

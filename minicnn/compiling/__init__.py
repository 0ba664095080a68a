"""Numba as the library uses it: how kernels are compiled, kept, and run in threads."""

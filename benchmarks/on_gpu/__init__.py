"""The sections of ``benchmarks/gpu.py``, one idea a file."""

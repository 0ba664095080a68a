"""The sections of ``benchmarks/gpu.py``, one idea a file; what ``cuda_static.py`` stands on."""

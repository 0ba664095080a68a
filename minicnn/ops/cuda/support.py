"""What this machine lacks to run CUDA kernels, asked without importing their compiler."""

import os

from minicnn.ptx.requirement import MISSING, installed


def missing() -> str:
    """What is missing and the way on, in one sentence; "" where nothing is."""
    if not installed():
        return MISSING
    if os.environ.get("MINICNN_CUDA_DEVICE", "gpu") == "gpu" and not _gpus():
        return (
            "no NVIDIA GPU with its driver was found; MINICNN_CUDA_DEVICE=interpreter runs the "
            "same kernels on the CPU, slowly, for learning and tests"
        )
    return ""


def _gpus() -> int:
    """How many GPUs the driver sees; 0 where there is no driver."""
    from cuda.bindings import driver

    try:
        status, *_ = driver.cuInit(0)
        if status != driver.CUresult.CUDA_SUCCESS:
            return 0
        return int(driver.cuDeviceGetCount()[1])
    except RuntimeError:  # no driver is installed
        return 0

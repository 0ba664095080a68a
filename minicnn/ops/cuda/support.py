"""What this machine lacks to run CUDA kernels, asked without importing their compiler."""

import os

from minicnn.ptx.requirement import MISSING, installed

_OLDEST_DRIVER = 13000
"""The CUDA version that the driver must have, as the driver numbers it."""


def missing() -> str:
    """What is missing and the way on, in one sentence; "" where nothing is."""
    if not installed():
        return MISSING
    if (os.environ.get("MINICNN_CUDA_DEVICE") or "gpu") != "gpu":
        return ""
    version = _driver()
    if version == 0:
        return (
            "no NVIDIA GPU with its driver was found: install the driver, or set "
            "MINICNN_CUDA_DEVICE=interpreter, which runs the same kernels on the CPU, slowly"
        )
    if version < _OLDEST_DRIVER:
        return (
            f"the NVIDIA driver is made for CUDA {version // 1000}.{version % 1000 // 10}, and the "
            "kernels need one for CUDA 13: install driver 580 or newer"
        )
    return ""


def _driver() -> int:
    """The CUDA version of the driver, such as 13000; 0 where there is no driver or no GPU."""
    from cuda.bindings import driver

    try:
        status, *_ = driver.cuInit(0)
        if status != driver.CUresult.CUDA_SUCCESS or not driver.cuDeviceGetCount()[1]:
            return 0
        return int(driver.cuDriverGetVersion()[1])
    except RuntimeError:  # no driver is installed
        return 0

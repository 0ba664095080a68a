"""What this machine lacks to run CUDA kernels, asked without importing their compiler."""

import os

from minicnn.ptx.requirement import MISSING, installed

_OLDEST_DRIVER = 13000
"""The CUDA version that the driver must have, as the driver numbers it."""


_LEAST_CAPABILITY = (7, 5)
"""The oldest compute capability that CUDA 13 compiles for."""


def missing() -> str:
    """What is missing and the way on, in one sentence; "" where nothing is."""
    if not installed():
        return MISSING
    name = os.environ.get("MINICNN_CUDA_DEVICE") or "gpu"
    if name == "interpreter":
        return ""
    if name != "gpu":
        return f"MINICNN_CUDA_DEVICE: expected gpu or interpreter, got {name!r}"
    version, capability = _driver()
    if not version:
        return (
            "no NVIDIA GPU with its driver was found: install the driver, or set "
            "MINICNN_CUDA_DEVICE=interpreter, which runs the same kernels on the CPU, slowly"
        )
    if version < _OLDEST_DRIVER:
        return (
            f"the NVIDIA driver is made for CUDA {version // 1000}.{version % 1000 // 10}, and the "
            "kernels need one for CUDA 13: install driver 580 or newer"
        )
    if capability < _LEAST_CAPABILITY:
        return (
            f"the GPU has compute capability {capability[0]}.{capability[1]}, and CUDA 13 compiles "
            f"for {_LEAST_CAPABILITY[0]}.{_LEAST_CAPABILITY[1]} and newer: choose another backend"
        )
    return ""


def _driver() -> tuple[int, tuple[int, int]]:
    """The CUDA version of the driver, such as 13000, and the first GPU's compute capability.

    Zeros where there is no driver or no GPU.
    """
    from cuda.bindings import driver

    try:
        status, *_ = driver.cuInit(0)
        if status != driver.CUresult.CUDA_SUCCESS or not driver.cuDeviceGetCount()[1]:
            return 0, (0, 0)
        kinds = driver.CUdevice_attribute
        major, minor = (
            driver.cuDeviceGetAttribute(kind, 0)[1]
            for kind in (kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                         kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
        )
        return int(driver.cuDriverGetVersion()[1]), (int(major), int(minor))
    except RuntimeError:  # no driver is installed
        return 0, (0, 0)

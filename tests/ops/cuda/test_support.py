"""What a machine lacks is said in one sentence."""

import pytest

from minicnn import use_backend
from minicnn.errors import InputError
from minicnn.ops.cuda import available, support


@pytest.mark.parametrize("named", [None, "", "gpu"])
def test_without_a_gpu_one_sentence_says_so(
    named: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MINICNN_CUDA_DEVICE")
    if named is not None:
        monkeypatch.setenv("MINICNN_CUDA_DEVICE", named)
    monkeypatch.setattr(support, "_driver", lambda: (0, (0, 0)))
    assert not available()
    with pytest.raises(InputError, match="no NVIDIA GPU with its driver was found: install"):
        use_backend("cuda")


def test_an_old_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINICNN_CUDA_DEVICE")
    monkeypatch.setattr(support, "_driver", lambda: (12080, (9, 0)))
    assert support.missing().startswith("the NVIDIA driver is made for CUDA 12.8")
    monkeypatch.setattr(support, "_driver", lambda: (13000, (9, 0)))
    assert support.missing() == ""


def test_without_the_package_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(support, "installed", lambda: False)
    with pytest.raises(InputError, match=r'numba-cuda, which is missing: pip install "minicnn\['):
        use_backend("cuda")


def test_an_old_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINICNN_CUDA_DEVICE")
    monkeypatch.setattr(support, "_driver", lambda: (13000, (6, 1)))
    assert support.missing().startswith("the GPU has compute capability 6.1, and CUDA 13 compiles")


def test_the_name_of_no_device_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINICNN_CUDA_DEVICE", "interpretor")
    with pytest.raises(InputError, match="expected gpu or interpreter, got 'interpretor'"):
        use_backend("cuda")


def test_the_driver_has_what_is_asked_of_it() -> None:
    from cuda.bindings import driver

    kinds = driver.CUdevice_attribute
    assert kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR.value == 75
    assert kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR.value == 76
    for name in ("cuInit", "cuDeviceGetCount", "cuDeviceGetAttribute", "cuDriverGetVersion"):
        assert callable(getattr(driver, name))

"""Section 1: what runs here, and every kernel compiled, in parallel processes."""

import json
import os
import platform
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context

import numpy as np

from on_gpu import networks
from on_gpu.cases import cases
from on_gpu.devices import Compiler
from on_gpu.options import Options
from on_gpu.records import Table

CLOCKS = "clocks.sm,clocks.max.sm,clocks.mem,clocks.max.mem,power.limit,temperature.gpu"


def run(options: Options) -> None:
    """Versions and clocks, then all that later sections launch."""
    facts = versions() | clocks() if options.measures else versions()
    (options.out / "machine.json").write_text(json.dumps(facts, indent=2) + "\n")
    for name, value in facts.items():
        print(f"  {name}: {value}")
    from minicnn.ops.cuda.device import device

    here = device().capability, device().multiprocessors
    table = Table(options.out / "compilation.csv", ("of", "kernels", "seconds", "error"))
    kernels: set[str] = set()
    failed = 0
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        began = time.perf_counter()
        waiting = {
            pool.submit(compiled, job, *here, options.tiny): job for job in jobs(options)
        }
        for done in as_completed(waiting):
            try:
                found, seconds = done.result()
                table.add(of=waiting[done], kernels=len(found), seconds=seconds)
                kernels |= found
            except Exception as error:  # the next case is compiled all the same
                failed += 1
                table.add(of=waiting[done], error=str(error).partition("\n")[0])
    print(f"  {len(kernels)} kernels, {time.perf_counter() - began:.1f} s "
          f"with {os.cpu_count()} processes")
    if failed:
        raise SystemExit(f"  {failed} jobs did not compile: see compilation.csv")


def jobs(options: Options) -> list[str]:
    """The longest first: a training step at each batch, then every case in each dtype."""
    steps = [f"step {batch} {precision}" for precision in ("float32", "TF32")
             for batch in networks.BATCHES[options.tiny]]
    names = [case.name for case in cases(tiny=options.tiny)]
    return [*steps, *(f"{name} {dtype}" for dtype in ("float32", "float64") for name in names)]


def compiled(
    job: str, capability: tuple[int, int], multiprocessors: int, tiny: bool
) -> tuple[set[str], float]:
    """The names of a job's kernels, and the seconds that it took; in a process of the pool."""
    from minicnn import use_backend
    from minicnn.ops.cuda import convolutions
    from minicnn.ops.cuda.compile import entry_name
    from minicnn.ops.cuda.device import use_device

    began = time.perf_counter()
    name, _, dtype = job.rpartition(" ")
    compiler = Compiler(capability, multiprocessors)
    with use_device(compiler), use_backend("cuda"):
        if name.startswith("step "):
            with convolutions("auto", tf32=dtype == "TF32"):
                networks.Training(int(name.split()[1]), tiny=tiny).step()
        else:
            case = next(case for case in cases(tiny=tiny) if case.name == name)
            case.results("cuda", np.dtype(dtype))
    names = {entry_name(text) for text in compiler.programs}
    return names, time.perf_counter() - began


def versions() -> dict[str, object]:
    """Of the machine and of all that takes part."""
    from minicnn.ops.cuda import describe

    facts: dict[str, object] = {"Python": platform.python_version(), **describe()}
    for package in ("numpy", "numba", "cuda-core", "cuda-bindings", "torch"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts


def clocks() -> dict[str, object]:
    """What nvidia-smi says of the first GPU, where there is one."""
    command = ["nvidia-smi", "-i", "0", f"--query-gpu={CLOCKS}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return {"clocks": f"unknown ({type(error).__name__})"}
    return dict(zip(CLOCKS.split(","), map(str.strip, answer.stdout.split(",")), strict=False))

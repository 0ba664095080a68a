"""Section 8, if it is asked for: paper-bn on FER2013 for two epochs, by the command line."""

import subprocess
import sys

from on_gpu.options import Options


def run(options: Options) -> None:
    """Train as a person would; this needs all that minicnn needs."""
    assert options.train is not None
    command = [sys.executable, "-m", "minicnn", "train", "paper-bn", "--backend", "cuda",
               "--data", options.train, "--epochs", "2", "--out", str(options.out / "paper-bn")]
    command += ["--limit", "8", "--batch-size", "4"] * options.tiny
    subprocess.run(command, check=True)

"""Put a run's best model into the package, in half precision: what ``minicnn.load(NAME)`` loads.

    python benchmarks/fer2013/pack.py ~/runs/paper-bn-seed0 paper-bn
"""

import argparse
from pathlib import Path

from minicnn.runs.folder import RunFolder
from minicnn.sequential import load
from minicnn.weights import pretrained_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("name", help="of the network")
    options = parser.parse_args()
    path = pretrained_path(options.name)
    load(RunFolder(options.run).model).save(path, storage="float16")
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

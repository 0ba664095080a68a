"""What a run of ``benchmarks/gpu.py`` was asked for."""

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The settings of a run.

    Attributes
    ----------
    device : {"gpu", "interpreter"}
    tiny : bool
        Small batches and shapes.
    out : Path
        The folder of tables, logs and marks.
    again : bool
        Repeat sections that are done.
    train : str or None
        FER2013's file, where training on it is asked for.
    write_digests : bool
        Store the digests of the results of the interpreter.
    """

    device: str = "gpu"
    tiny: bool = False
    out: Path = Path("gpu-results")
    again: bool = False
    train: str | None = None
    write_digests: bool = False

    @property
    def measures(self) -> bool:
        """Whether times are those of a GPU."""
        return self.device == "gpu"

    def words(self, section: str) -> list[str]:
        """The command line of one section."""
        words = ["--device", self.device, "--out", str(self.out), "--section", section]
        words += ["--tiny"] * self.tiny + ["--write-digests"] * self.write_digests
        return words + (["--train", self.train] if self.train else [])


def options_from(words: list[str]) -> tuple[Options, str | None]:
    """The settings and, for the process of one section, its name."""
    parser = argparse.ArgumentParser(
        "gpu.py", description="Check and measure the cuda backend on this machine's GPU."
    )
    parser.add_argument("--device", choices=("gpu", "interpreter"), default="gpu")
    parser.add_argument("--tiny", action="store_true", help="small batches and shapes")
    parser.add_argument("--out", type=Path, help="folder of the results, gpu-results by default")
    parser.add_argument("--again", action="store_true", help="repeat sections that are done")
    parser.add_argument("--train", metavar="DATA", help="train on FER2013 too, for two epochs")
    parser.add_argument("--write-digests", action="store_true",
                        help="store what the interpreter computes, to compare GPUs with")
    parser.add_argument("--section", help=argparse.SUPPRESS)
    given = vars(parser.parse_args(words))
    section = given.pop("section")
    if given["write_digests"] and given["device"] != "interpreter":
        parser.error("--write-digests: expected --device interpreter, whose results are stored")
    if given["out"] is None:
        given["out"] = Path("gpu-results" if given["device"] == "gpu" else "interpreter-results")
    return Options(**given | {"out": given["out"].resolve()}), section

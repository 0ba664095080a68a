"""What this project sets out to reach beside PyTorch, and whether it does."""

from collections.abc import Iterator
from dataclasses import dataclass

from minicnn.benchmarking.results import Results
from minicnn.benchmarking.tables import Sheet
from minicnn.benchmarking.work import BACKWARD, DATA, FORWARD, WEIGHTS

STEP, CONVOLUTION, OTHER = 0.40, 0.45, 0.80
INFERENCE = {256: 0.5, 1: 1.0}
MEMORY = 1.0
FIRST_RUN, LATER_RUN = 20.0, 2.5


@dataclass(frozen=True)
class Aim:
    """One line of the table of aims.

    Attributes
    ----------
    what : str
    most, reached : float
        A ratio to PyTorch, or seconds; the worst case where there are several.
    where : str
        The worst case, where there are several.
    unit : str
        ``""`` for ratios, else ``" s"``.
    """

    what: str
    most: float
    reached: float
    where: str = ""
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.reached <= self.most


def sheets(results: Results) -> list[Sheet]:
    """The table of aims; none where there is nothing to hold against them."""
    cells = [
        [aim.what, f"{aim.most:.2f}{aim.unit}", f"{aim.reached:.2f}{aim.unit}", aim.where,
         "met" if aim.met else "missed"]
        for aim in aims(results)
    ]
    return [("Against the aims", ["", "at most", "reached", "worst at", ""], cells)] * bool(cells)


def aims(results: Results) -> Iterator[Aim]:
    """Every aim that `results` can be held against."""
    batch = results.settings.batch
    for threads in results.ceilings:
        name = f"{threads} thread{'s' * (threads > 1)}"
        step = results.ratio(threads, "step", "step", batch)
        if step is None:
            continue
        yield Aim(f"training step, {name}", STEP, step)
        for stage in (FORWARD, DATA, WEIGHTS):
            yield _worst(results, threads, f"3×3 convolutions, {stage}, {name}", CONVOLUTION,
                         stage, convolutions=True)
        for stage in (FORWARD, BACKWARD):
            yield _worst(results, threads, f"other layers, {stage}, {name}", OTHER, stage,
                         convolutions=False)
        for count, most in INFERENCE.items():
            ratio = results.ratio(threads, "inference", FORWARD, count)
            if ratio is not None:
                yield Aim(f"inference of {count}, {name}", most, ratio)
    starts = results.starts
    if "PyTorch" in starts:
        yield Aim("peak memory of training", MEMORY,
                  starts["minicnn"].peak / starts["PyTorch"].peak)
    if "minicnn" in starts:
        yield Aim("start to first step, nothing compiled", FIRST_RUN,
                  starts["minicnn, first run"].first_step, unit=" s")
        yield Aim("start to first step, compiled", LATER_RUN, starts["minicnn"].first_step,
                  unit=" s")


def _worst(
    results: Results, threads: int, what: str, most: float, stage: str, *, convolutions: bool
) -> Aim:
    """The aim's highest ratio among the layers."""
    batch = results.settings.batch
    ratios = {
        row.layer: results.ratio(threads, row.layer, stage, batch) or 0.0
        for row in results.rows
        if row.stage == stage and row.layer not in ("step", "inference")
        and row.layer.startswith("conv2d") == convolutions and row.threads == threads
    }
    where = max(ratios, key=lambda layer: ratios[layer])
    return Aim(what, most, ratios[where], where)

"""A small grey picture in a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

_RAMP = np.array(list(" .:-=+*#%@"))  # from dark to bright, as on a dark terminal


@dataclass(frozen=True, eq=False)
class GreyPicture:
    """Grey levels as characters, each of which stands for two rows, since it is twice as high.

    Where a terminal has colours, its halves have those of the two levels; elsewhere ten characters
    stand for their mean, from the darkest level of the picture to the brightest.

    Parameters
    ----------
    levels : ndarray, uint8 (H, W)
        H even.
    """

    levels: np.ndarray

    def __rich_console__(
        self, console: "Console", options: "ConsoleOptions"
    ) -> "Iterator[RenderableType]":
        from rich.text import Text

        upper, lower = self.levels[::2], self.levels[1::2]
        if console.color_system in ("truecolor", "256") and not options.ascii_only:
            for above, below in zip(upper.tolist(), lower.tolist(), strict=True):
                yield Text.assemble(*(
                    ("▀", f"rgb({a},{a},{a}) on rgb({b},{b},{b})")
                    for a, b in zip(above, below, strict=True)
                ), no_wrap=True)
            return
        means = (upper.astype(float) + lower) / 2
        spread = np.ptp(means) or 1
        steps = ((means - means.min()) / spread * (len(_RAMP) - 1)).round().astype(int)
        for row in _RAMP[steps]:
            yield Text("".join(row), no_wrap=True)

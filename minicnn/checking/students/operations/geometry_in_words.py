"""How many windows fit, as a sum in the student's names."""

from collections.abc import Callable

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.geometry import output_size, rim, strides, window_size


def size_in_words(case: Case, key: str, label: Callable[[str], str]) -> str:
    """The sums that give the height and the width of y; nothing for a gradient."""
    if key != "y":
        return ""
    return ", ".join(
        _axis(case, axis, label, *names)
        for axis, names in enumerate((("OH", "H", "KH"), ("OW", "W", "KW")))
    )


def _axis(
    case: Case, axis: int, label: Callable[[str], str], number: str, length: str, size: str
) -> str:
    """OW = 1 + (W + 2·padding - KW) / stride = 1 + (7 + 2·0 - 2) / 1 = 6."""
    before, after = rim(case)[axis]
    image, window, step = case["x"].shape[1 + axis], window_size(case)[axis], strides(case)[axis]
    padding = label("padding")
    names, values = "", ""
    if padding and before == after:
        names, values = f" + 2·{padding}", f" + 2·{before}"
    elif padding:
        names, values = f" + {padding} before + after", f" + {before} + {after}"
    whole = (image + before + after - window) % step == 0
    fraction = "{} / {}" if whole else "floor({} / {})"
    terms = fraction.format(f"({label(length)}{names} - {label(size)})", label("stride"))
    figures = fraction.format(f"({image}{values} - {window})", step)
    return (
        f"{label(number)} = 1 + {terms} = 1 + {figures} = {output_size(case)[axis]}"
    )

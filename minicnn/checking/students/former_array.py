"""Arrays that behave in one respect as they did in the NumPy of a course's own time."""

import numpy as np


class FormerArray(np.ndarray):
    """An array whose only element may stand where a number belongs, whatever its axes.

    NumPy before 2.4 took ``float(b)`` of an array of shape (1, 1, 1), and put such an array into
    one place of another; courses tell their students to do so.
    """

    def __float__(self) -> float:
        return float(np.asarray(self).item())

    def __int__(self) -> int:
        return int(np.asarray(self).item())

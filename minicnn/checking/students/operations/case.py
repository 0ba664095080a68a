"""What an operation is asked on: a case of its arguments, and an upstream gradient."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One call of an operation, in minicnn's language.

    Attributes
    ----------
    arrays : dict
        The positional arguments by name, float64 (labels int64).
    settings : dict
        The keyword arguments by name.
    may_refuse : tuple of exception types
        What a right implementation may raise, for example where a stride does not divide.
    strange : str
        What is unusual, so that a student may refuse it deliberately; empty for an ordinary case.
    """

    arrays: dict[str, np.ndarray]
    settings: dict[str, Any]
    may_refuse: tuple[type[BaseException], ...] = ()
    strange: str = ""

    def __getitem__(self, key: str) -> Any:
        return self.arrays[key] if key in self.arrays else self.settings[key]

    def with_arrays(self, **arrays: np.ndarray) -> "Case":
        """This case with other arrays in some places."""
        return Case({**self.arrays, **arrays}, self.settings, self.may_refuse)


def upstream(shape: tuple[int, ...], salt: int = 0) -> np.ndarray:
    """A dy that hides nothing: normal numbers that have nothing to do with any case's inputs."""
    return np.random.default_rng([7919, salt]).standard_normal(shape)

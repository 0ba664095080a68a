"""Otter-Grader: a question's function, judged from what a notebook or script has run."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from minicnn.checking.classroom.grading import Graded, Score, grade, with_hints
from minicnn.checking.classroom.submissions import submission_of
from minicnn.checking.classroom.texts import explained
from minicnn.checking.students.isolation import TIMEOUT


def require(
    function: str, env: Mapping[str, Any], *, timeout: float = TIMEOUT, hint: int | None = None,
    build: Sequence[str] = (),
) -> None:
    """Judge a function of a student's notebook in a process of its own.

    Parameters
    ----------
    function : str
        Its name.
    env : mapping
        The notebook's global variables, as Otter hands them to a test case. IPython keeps there,
        as ``In``, the code of the cells that were run; the function is taken from these.
    timeout : float, default 10.0
        As of `check_file`.
    hint : {1, 2, 3}, optional
        Say less than the answer.
    build : sequence of str, optional
        As of `check_file`.

    Raises
    ------
    AssertionError
        Where the function is not correct, with what the terminal would show of it.
    """
    graded = with_hints(_graded(tuple(map(str, env.get("In", ()))), timeout, tuple(build)), hint)
    found = next((each for each in graded.findings if each.function == function), None)
    if found is None or found.verdict != "correct":
        raise AssertionError(explained(Score(function, 0, 1, found), graded))


@lru_cache(maxsize=1)  # a question's functions are asked for one after the other
def _graded(cells: tuple[str, ...], timeout: float, build: tuple[str, ...]) -> Graded:
    """What is found in a notebook of these cells, in the folder that they ran in."""
    notebook = {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {},
        "cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None,
                   "source": cell} for cell in cells],
    }
    handle, name = tempfile.mkstemp(dir=Path(), prefix=".minicnn-", suffix=".ipynb")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(notebook, file)
        graded = grade(submission_of(path), timeout=timeout, build=build)
        nameless = [text.removeprefix(f"{path.name}: ") for text in graded.troubles]
        return replace(graded, troubles=nameless)
    finally:
        path.unlink()

"""A trained network with all that it needs to read a face: preprocessing, views, class names."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from minicnn import ops, terminal
from minicnn.data import EMOTIONS, IMAGE_SIZE, Preprocessing, Split, Views
from minicnn.errors import InputError
from minicnn.inference.evaluation import Evaluation, evaluate, logits_of
from minicnn.inference.first_answers import without_waiting
from minicnn.runs.folder import RunFolder
from minicnn.sequential import Sequential, load
from minicnn.weights import model_path


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network that reads faces.

    Parameters
    ----------
    model : Sequential
        From (N, 48, 48, 1) to seven logits.
    preprocessing : Preprocessing
    views : Views
        What the network is shown of each picture.
    classes : tuple of str
        The name of each logit's class.
    path : Path
        The file that it comes from.
    """

    model: Sequential
    preprocessing: Preprocessing
    views: Views
    classes: tuple[str, ...]
    path: Path

    @classmethod
    def load(cls, name_or_path: str | os.PathLike) -> Self:
        """The classifier of a model file, of a run's folder, or of the package by its name.

        A file or folder goes before a name of the package.

        Raises
        ------
        InputError
            Where there is none, it is damaged, or it does not read faces.
        """
        path = model_path(name_or_path)
        if path.is_dir():
            path = RunFolder(path).require_model()
        model = load(path)
        shapes = ((IMAGE_SIZE, IMAGE_SIZE, 1), (len(EMOTIONS),))
        if (model.input_shape, model.output_shape) != shapes:
            raise InputError(
                f"{path}: expected a network from {shapes[0]} to {shapes[1]}, "
                f"got one from {model.input_shape} to {model.output_shape}"
            )
        classes = model.metadata.get("classes", list(EMOTIONS))
        if not isinstance(classes, list) or len(classes) != len(EMOTIONS):
            raise InputError(
                f"{path}: expected the names of {len(EMOTIONS)} classes, got {classes!r}"
            )
        return cls(
            model, Preprocessing.of_model(model.metadata, str(path)),
            Views.of_model(model.metadata, str(path)), tuple(map(str, classes)), path,
        )

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """What the network takes each picture for.

        Parameters
        ----------
        images : ndarray, uint8 (N, 48, 48)
            Grey levels.

        Returns
        -------
        ndarray (N, 7)
            Of the model's dtype.

        Raises
        ------
        InputError
            Where the answers are not finite.

        Notes
        -----
        While kernels are not compiled, few pictures are computed by the reference backend, unless
        a backend was chosen: see `minicnn.inference.first_answers`.
        """
        inputs = self.preprocessing(images)
        answers = without_waiting(
            lambda: np.asarray(ops.softmax(logits_of(self.model, inputs, self.views))),
            len(inputs) * len(self.views),
        )
        if not np.isfinite(answers).all():
            raise InputError(
                f"{self.path}: expected finite weights, but the answers are not finite"
            )
        return answers

    def table(self, title: str, probabilities: np.ndarray) -> "terminal.Table":
        """One picture's classes, the likeliest in bold, with a bar for each, for a rich console.

        Parameters
        ----------
        title : str
            What to call the picture.
        probabilities : ndarray (7,)
        """
        return terminal.bare_table((
            terminal.Row(
                (name, f"{probability:6.1%}", terminal.bar(probability)),
                style="bold" if probability == probabilities.max() else "",
            )
            for name, probability in zip(self.classes, probabilities, strict=True)
        ), title=title)

    def evaluate(self, split: Split) -> Evaluation:
        """How good it is on labelled images; errors as `minicnn.inference.evaluation.evaluate`.

        Few images are computed as by `probabilities`.
        """
        return without_waiting(
            lambda: evaluate(
                self.model, split.images, split.labels,
                preprocessing=self.preprocessing, views=self.views,
            ),
            len(split) * len(self.views),
        )

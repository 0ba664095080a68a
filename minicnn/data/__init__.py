"""Labelled faces: the genuine FER2013, drawn ones, and what happens to them before training."""

from minicnn.data import drawn_faces, fer2013
from minicnn.data.augmentation import Augmentation
from minicnn.data.copies import stands_in
from minicnn.data.dataset import EMOTIONS, IMAGE_SIZE, Dataset, Split
from minicnn.data.preprocessing import Preprocessing
from minicnn.data.views import Views

__all__ = [
    "EMOTIONS",
    "IMAGE_SIZE",
    "Augmentation",
    "Dataset",
    "Preprocessing",
    "Split",
    "Views",
    "drawn_faces",
    "fer2013",
    "stands_in",
]

"""How much of an accuracy may be memory of images that stand in training too.

    python benchmarks/fer2013/memory.py --data fer2013.csv [MODEL ...]

The images that have a copy in training are of other classes than the rest, above all of the easy
"surprise", so that a network that remembers nothing may be better on them too. For each split this
prints the accuracy on the copies, on all others, and on all others with each class weighted as
often as among the copies: what the network would reach on the copies if they were like the others
of their class. What it reaches beyond that, times their share of the split, is in its accuracy by
memory, or because the copies are easier in other ways.
"""

import argparse

import numpy as np
from rich.console import Console
from rich.table import Table

from minicnn.data import fer2013, stands_in
from minicnn.inference.classifier import Classifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="*", default=["paper-bn", "best-single"])
    parser.add_argument("--data", required=True, help="fer2013.csv")
    options = parser.parse_args()
    dataset = fer2013.load(options.data)
    table = Table("network", "split", "copies", "others", "others, weighted", "gain, points")
    for name in options.models:
        classifier = Classifier.load(name)
        for split in ("validation", "test"):
            part = getattr(dataset, split)
            right = classifier.evaluate(part).probabilities.argmax(1) == part.labels
            copies = stands_in(part.images, dataset.train.images)
            table.add_row(name, split, *gain(right, part.labels, copies))
    Console().print(table)


def gain(right: np.ndarray, labels: np.ndarray, copies: np.ndarray) -> tuple[str, str, str, str]:
    """The last four cells of a row: of answers, right or not, labels, and which are copies."""
    classes = np.unique(labels[copies])
    recall = [right[~copies & (labels == each)].mean() for each in classes]
    weighted = np.average(recall, weights=[(labels[copies] == each).sum() for each in classes])
    on_copies, on_others = right[copies].mean(), right[~copies].mean()
    points = 100 * copies.mean() * (on_copies - weighted)
    return f"{on_copies:.1%}", f"{on_others:.1%}", f"{weighted:.1%}", f"{points:.1f}"


if __name__ == "__main__":
    main()

"""A small run made up for the viewing tests, and a reader of the pages they look at."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import tomli_w

from minicnn import Sequential, layers
from minicnn.data import EMOTIONS, Dataset, Preprocessing, Split
from minicnn.inference.evaluation import Evaluation
from minicnn.runs.folder import RunFolder
from minicnn.runs.tables import LAYERS

SETTINGS = {
    "name": "tiny", "description": "A tiny run.", "seed": 3,
    "model": {"batch_norm": True, "layers": [{"type": "Conv2D", "filters": 4}]},
    "optimizer": {"name": "adam", "lr": 0.002},
    "training": {"epochs": 3, "early_stopping": 0},
}


def network(*, batch_norm=True, convolutions=True):
    blocks = []
    for filters in (4, 20) if convolutions else ():
        norm = [layers.BatchNorm()] if batch_norm else []
        blocks += [layers.Conv2D(filters), *norm, layers.ReLU(), layers.MaxPool2D(4)]
    return Sequential([*blocks, layers.Flatten(), layers.Dense(7)], (48, 48, 1), seed=1)


def split(count, rng):
    return Split(rng.integers(0, 256, (count, 48, 48), np.uint8), rng.integers(0, 7, count))


def answers(labels, rng, *, right=False):
    """An evaluation with random probabilities; with `right`, the label has the greatest."""
    probabilities = rng.dirichlet(np.full(7, 0.5), len(labels))
    if right:
        rows = np.arange(len(labels))
        greatest = probabilities.argmax(1)
        probabilities[rows, labels], probabilities[rows, greatest] = (
            probabilities[rows, greatest], probabilities[rows, labels].copy()
        )
    return Evaluation(probabilities, labels, 1.25)


def history(epochs, *, validation=True):
    number = np.arange(1, epochs + 1)
    absent = np.full(epochs, np.nan)
    return pd.DataFrame({
        "epoch": number, "train_loss": 2 / number, "train_accuracy": 1 - 0.8 / number,
        "validation_loss": 2.1 / number if validation else absent,
        "validation_accuracy": 1 - 0.85 / number if validation else absent,
        "fitted_accuracy": absent, "learning_rate": 0.01 / number, "seconds": 2.0,
        "images_per_second": 250.0,
    })


def running_statistics(model, epochs):
    names = [layer.name for layer in model.layers if isinstance(layer, layers.BatchNorm)]
    columns = ("epoch", "layer", "mean", "mean_least", "mean_greatest",
               "variance", "variance_least", "variance_greatest")
    rows = [(epoch, name, 0.1 * epoch, -epoch, epoch, 1 + epoch, 1 / (1 + epoch), 2 + epoch)
            for epoch in range(epochs + 1) for name in names]
    return pd.DataFrame(rows, columns=columns)


def layer_statistics(model):
    rows = [(step, 1, layer.name, 0.1, 1.0, 0.5, 0.2,
             *((0.3, 4.0) if layer.parameters() else (None, None)))
            for step in (1, 2, 4) for layer in model.layers]
    return pd.DataFrame(rows, columns=list(LAYERS))


class FabricatedRun:
    """The four things that a report is made of, and the files of the folder written."""

    def __init__(self, path, *, epochs=3, validation=True, measured_on="test", right=False,
                 classes=EMOTIONS, settings=SETTINGS, notes=(), seed=0, copies=0, **of_network):
        rng = np.random.default_rng(seed)
        path.mkdir(parents=True)
        self.folder = RunFolder(path)
        self.dataset = Dataset(
            "made up", split(14, rng), split(11 if validation else 0, rng),
            split(40 if measured_on == "test" else 0, rng), classes, notes,
        )
        self.split = getattr(self.dataset, measured_on)
        self.model = network(**of_network)
        self.model.metadata = {
            "preprocessing": Preprocessing.fit(self.dataset.train.images).as_dict()
        }
        self.evaluation = answers(self.split.labels, rng, right=right)
        self.folder.experiment.write_text(tomli_w.dumps(settings))
        history(epochs, validation=validation).to_csv(self.folder.history, index=False)
        running_statistics(self.model, epochs).to_csv(self.folder.batchnorm, index=False)
        layer_statistics(self.model).to_csv(self.folder.layers, index=False)
        self.folder.write_results({
            "test": self.evaluation.as_dict(classes), "measured_on": measured_on,
            "splits": {measured_on: {
                "images": len(self.split), "loss": 1.25, "accuracy": self.evaluation.accuracy,
                "unseen": self.evaluation.summary_of(np.arange(len(self.split)) >= copies)}},
            "best_epoch": epochs, "stopped": "all epochs done", "seconds": 83.0,
            "parameters": self.model.summarize().totals["parameters"],
            "data": {"name": "made up", "notes": list(self.dataset.notes),
                     **{name: part.fingerprint() for name, part in self.dataset.splits()}},
        })

    def parts(self):
        return self.folder, self.model, self.dataset, self.evaluation


class Page(HTMLParser):
    """What the tests ask of a page: its tags, its text, the text of its cells."""

    VOID = ("img", "meta", "br", "link")

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags, self.open, self.text, self.sections, self.tables = [], [], "", [], []
        self.feed(self.source)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append(attributes["id"])
        elif tag == "table":
            self.tables.append((attributes.get("class"), []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.tables[-1][1][-1][-1] += data

    @property
    def words(self):
        return " ".join(self.text.split())

    def table(self, kind, place=0):
        return [rows for name, rows in self.tables if name == kind][place]

    def attributes(self, name):
        return [attributes[name] for _, attributes in self.tags if name in attributes]

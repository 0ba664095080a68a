"""Looking a data set over before trusting a number measured on it.

Finds what a mean or an accuracy hides: exact copies, copies labelled differently, images that train
and test share, and blank images.
"""

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from minicnn import terminal
from minicnn.data.copies import image_numbers
from minicnn.data.dataset import Dataset, Split
from minicnn.data.preprocessing import pixel_moments
from minicnn.terminal import Column

_MOST_EXAMPLES = 5


@dataclass(frozen=True)
class Row:
    """Where an image stands.

    Parameters
    ----------
    split : str
        ``"train"``, ``"validation"`` or ``"test"``.
    row : int
        The row of the split, from 1.
    source : str, optional
        Where the row stands in the file or folder it was read from, as `Split.sources` says.
    """

    split: str
    row: int
    source: str | None = None

    def __str__(self) -> str:
        return f"{self.split}: {self.source or f'row {self.row}'}"


@dataclass(frozen=True)
class Finding:
    """What one of the checks found.

    Parameters
    ----------
    distinct : int
        Different images concerned.
    images : int
        Rows that hold them.
    examples : list of list of Row
        Of the first five distinct images, the first five rows each.
    """

    distinct: int
    images: int
    examples: list[list[Row]]


@dataclass(frozen=True)
class Leakage:
    """Images that stand in two splits.

    Parameters
    ----------
    seen_in, measured_in : str
        The two splits, the earlier of train, validation, test first.
    images : int
        Rows of `measured_in` whose image stands in `seen_in`.
    share : float
        That, as a share of the rows of `measured_in`.
    relabelled : int
        Those of them that have a label which none of their copies in `seen_in` has.
    examples : list of list of Row
        As in `Finding`.
    """

    seen_in: str
    measured_in: str
    images: int
    share: float
    relabelled: int
    examples: list[list[Row]]


@dataclass(frozen=True)
class Audit:
    """What `audit` found out about a data set.

    Parameters
    ----------
    name : str
        The data set's.
    notes : list of str
        The data set's.
    counts : dict of str to dict of str to int
        Images by split and class.
    duplicates : Finding
        Images that stand in more than one row, in whatever split.
    extra_copies : int
        Rows that would go if each image were kept once.
    conflicts : Finding
        Those duplicates whose rows differ in their label.
    leakage : list of Leakage
        For each two splits, the images in both.
    blank : Finding
        Images whose pixels are all equal.
    pixel_mean, pixel_deviation : dict of str to float
        Mean and standard deviation (of the population) of all pixels of each split, grey levels
        from 0 to 255; None for a split without images.
    """

    name: str
    notes: list[str]
    counts: dict[str, dict[str, int]]
    duplicates: Finding
    extra_copies: int
    conflicts: Finding
    leakage: list[Leakage]
    blank: Finding
    pixel_mean: dict[str, float | None]
    pixel_deviation: dict[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """The same, ready for ``json.dumps``.

        Returns
        -------
        dict
            The fields by name, made of dictionaries, lists, strings, numbers and None alone.
        """
        return asdict(self)

    def table(self) -> "terminal.RenderableType":
        """The same for people.

        Returns
        -------
        rich.console.RenderableType
            Tables and notes, to print on a rich console.
        """
        return terminal.together(
            _counts_table(self), _findings_table(self), *map(terminal.line, self.notes)
        )


def audit(dataset: Dataset) -> Audit:
    """Count, compare and measure every image of `dataset`.

    Two images are copies if all their pixels are equal.

    Parameters
    ----------
    dataset : Dataset
        Any; its splits may be empty.

    Returns
    -------
    Audit
        What was found; `Audit.table` and `Audit.as_dict` show it.
    """
    rows = _all_rows(dataset)
    copies = rows[rows.groupby("image")["image"].transform("size") > 1]
    conflicts = copies[copies.groupby("image")["label"].transform("nunique") > 1]
    moments = {name: pixel_moments(split.images) for name, split in dataset.splits()}
    return Audit(
        name=dataset.name,
        notes=list(dataset.notes),
        counts={name: _class_counts(split, dataset.classes) for name, split in dataset.splits()},
        duplicates=_finding(copies),
        extra_copies=len(copies) - copies["image"].nunique(),
        conflicts=_finding(conflicts),
        leakage=[
            _leakage(rows, seen_in, measured_in)
            for seen_in, measured_in in combinations([name for name, _ in dataset.splits()], 2)
        ],
        blank=_finding(rows[rows["blank"]]),
        pixel_mean={name: _or_none(mean) for name, (mean, _) in moments.items()},
        pixel_deviation={name: _or_none(deviation) for name, (_, deviation) in moments.items()},
    )


def _or_none(figure: float) -> float | None:
    """None for NaN, which JSON does not know."""
    return None if np.isnan(figure) else figure


def _all_rows(dataset: Dataset) -> pd.DataFrame:
    """One row an image: its split, place, label, whether it is blank, `image`, equal for copies.

    The splits follow each other in their order.
    """
    parts = [
        pd.DataFrame(
            {
                "split": name,
                "place": _places(name, split),
                "label": split.labels,
                "blank": np.ptp(split.images, axis=(1, 2)) == 0,
            }
        )
        for name, split in dataset.splits()
    ]
    numbers = image_numbers(*(split.images for _, split in dataset.splits()))
    return pd.concat(parts, ignore_index=True).assign(image=np.concatenate(numbers))


def _places(name: str, split: Split) -> list[Row]:
    sources = [None] * len(split) if split.sources is None else split.sources.tolist()
    return [Row(name, number, source) for number, source in enumerate(sources, start=1)]


def _class_counts(split: Split, classes: tuple[str, ...]) -> dict[str, int]:
    counts = np.bincount(split.labels, minlength=len(classes)).tolist()
    return dict(zip(classes, counts, strict=True))


def _finding(rows: pd.DataFrame) -> Finding:
    return Finding(rows["image"].nunique(), len(rows), _examples(rows))


def _leakage(rows: pd.DataFrame, seen_in: str, measured_in: str) -> Leakage:
    """How far the images of the split `measured_in` are known from the split `seen_in`."""
    seen, measured = (rows[rows["split"] == name] for name in (seen_in, measured_in))
    known = measured[measured["image"].isin(seen["image"])]
    with_label = pd.MultiIndex.from_frame(known[["image", "label"]])
    relabelled = ~with_label.isin(pd.MultiIndex.from_frame(seen[["image", "label"]]))
    return Leakage(
        seen_in=seen_in,
        measured_in=measured_in,
        images=len(known),
        share=len(known) / max(len(measured), 1),
        relabelled=int(relabelled.sum()),
        examples=_examples(pd.concat([seen[seen["image"].isin(known["image"])], known])),
    )


def _examples(rows: pd.DataFrame) -> list[list[Row]]:
    """Where the first few distinct images among `rows` stand."""
    first = rows["image"].drop_duplicates()[:_MOST_EXAMPLES]
    return [
        rows.loc[rows["image"] == image, "place"].head(_MOST_EXAMPLES).tolist() for image in first
    ]


def _counts_table(audit: Audit) -> terminal.FittingTable:
    """Images by class and split, and the pixels' mean and deviation."""
    counts = audit.counts.values()
    rows: list[Any] = [
        (name, *(f"{split[name]:,}" for split in counts)) for name in next(iter(counts))
    ]
    rows[-1] = terminal.Row(rows[-1], rule_below=True)
    rows.append(("all", *(f"{sum(split.values()):,}" for split in counts)))
    for heading, figures in (
        ("pixel mean", audit.pixel_mean), ("pixel deviation", audit.pixel_deviation)
    ):
        shown = ("–" if figure is None else f"{figure:.3f}" for figure in figures.values())
        rows.append((heading, *shown))
    columns = [Column("class"), *(Column(split, right=True) for split in audit.counts)]
    return terminal.table(columns, rows, title=f"{audit.name}: images", upright=True)


def _findings_table(audit: Audit) -> terminal.FittingTable:
    """Every check with what it found and the first places to look at."""
    rows = []

    def add(check: str, images: int, meaning: str, examples: list[list[Row]]) -> None:
        places = " = ".join(str(row) for group in examples[:1] for row in group)
        rows.append((check, f"{images:,}", meaning, places or "–"))

    copies = f"{audit.duplicates.distinct:,} distinct, {audit.extra_copies:,} copies too many"
    add("exact duplicates", audit.duplicates.images, copies, audit.duplicates.examples)
    conflicts = f"{audit.conflicts.distinct:,} distinct, with more than one label"
    add("conflicting labels", audit.conflicts.images, conflicts, audit.conflicts.examples)
    for leak in audit.leakage:
        meaning = f"{leak.share:.2%} of {leak.measured_in}, {leak.relabelled:,} labelled otherwise"
        add(f"{leak.measured_in} in {leak.seen_in}", leak.images, meaning, leak.examples)
    blank = f"{audit.blank.distinct:,} distinct, every pixel equal"
    add("blank", audit.blank.images, blank, audit.blank.examples)
    columns = (
        Column("check"), Column("images", right=True), Column("what that means"),
        Column("for example"),
    )
    return terminal.table(columns, rows, title="Findings (rows count from 1)")

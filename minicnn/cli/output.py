"""What the commands print: results on stdout, complaints on stderr."""

import sys
from typing import Any

from rich.console import Console

console = Console()


def say(line: str) -> None:
    """One line on stdout, exactly as it is: not folded, brackets no markup."""
    console.print(line, highlight=False, soft_wrap=True, markup=False)


def complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    print(f"minicnn: {' '.join(message.split())}", file=sys.stderr)


def unseen_line(unseen: dict[str, Any]) -> str:
    """What `Evaluation.summary_of` says of the images that do not stand in training too."""
    accuracy = "–" if unseen["accuracy"] is None else f"{unseen['accuracy']:.2%}"
    return f"accuracy on the {unseen['images']:,} images without a copy in training: {accuracy}"

"""Section 7: one page of Markdown of all that the sections before have written."""

import json
from collections.abc import Sequence

from on_gpu.options import Options
from on_gpu.records import read
from on_gpu.sections import asked_for

INTERPRETER = (
    "**Nothing here was measured on a GPU.** The interpreter computed on small shapes, so that the "
    "code of this run is tried; its times say nothing about any GPU, and a prediction beside them "
    "is not tested."
)


def run(options: Options) -> None:
    """Write ``gpu.md``, and print it."""
    text = page(options)
    (options.out / "gpu.md").write_text(text, encoding="utf-8")
    print(text)


def page(options: Options) -> str:
    """The whole page."""
    facts = options.out / "machine.json"
    machine = json.loads(facts.read_text()) if facts.exists() else {}
    known = ", ".join(f"{name} {value}" for name, value in machine.items())
    parts = ["# minicnn on a GPU" if options.measures else "# minicnn on the interpreter",
             "" if options.measures else INTERPRETER, known or "No machine was recorded.",
             "## Sections", sections(options), "## Right", correctness(options),
             "## At best", limits(options), "## Whole steps", steps(options),
             "## Passes", passes(options), "## Roofline", roofline(options)]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table; a sentence where it has no lines."""
    if not lines:
        return "Not measured."
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def sections(options: Options) -> str:
    """How each section ended."""
    lines = []
    for section in asked_for(options)[:-1]:
        log = options.out / f"{section.name}.log"
        written = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        lines.append([section.title, written[-1].strip() if written else "not run"])
    return table(("section", "it ended"), lines)


def correctness(options: Options) -> str:
    """Counts of results, whatever is wrong, and gradients."""
    found = read(options.out / "correctness.csv")
    wrong = [line for line in found if line["verdict"] != "right"]
    bits = {word: sum(line["bits"] == word for line in found)
            for word in ("equal", "different", "no digest")}
    text = (f"{len(found)} results beside the reference, {len(wrong)} wrong. Bits beside the "
            f"interpreter's: {', '.join(f'{count} {word}' for word, count in bits.items())}.")
    checks = [[line["check"], line["of"], line["verdict"]]
              for line in read(options.out / "gradients.csv")]
    bad = [[line["case"], line["dtype"], line["result"], line["verdict"]] for line in wrong]
    parts = [text, table(("case", "dtype", "result", "verdict"), bad) if bad else "",
             table(("check", "of", "verdict"), checks)]
    return "\n\n".join(part for part in parts if part)


def limits(options: Options) -> str:
    """What the GPU reaches."""
    return table(("what", "value", "note"), [
        [line["what"], f"{line['value']} {line['unit']}".strip(), line["note"]]
        for line in read(options.out / "limits.csv")
    ])


def steps(options: Options) -> str:
    """Each program's step, and the prediction of ours."""
    return table(
        ("batch", "precision", "program", "predicted ms", "ms", "difference",
         "minicnn's speed over it", "note"),
        [[line["batch"], line["precision"], line["program"], line["predicted_ms"], line["ms"],
          difference(line["predicted_ms"], line["ms"], options), line["speed"], line["note"]]
         for line in read(options.out / "steps.csv")],
    )


def passes(options: Options) -> str:
    """Prediction, measurement, difference."""
    return table(
        ("batch", "layer", "pass", "how", "floor ms", "predicted ms", "kernels ms", "difference",
         "from call to end ms", "PyTorch ms", "TFLOP/s", "TB/s"),
        [[line["batch"], line["layer"], line["stage"], line["how"], line["floor_ms"],
          line["predicted_ms"], line["kernels_ms"],
          difference(line["predicted_ms"], line["kernels_ms"], options), line["ms"],
          line["torch_ms"] and f"{line['torch_ms']} ({line['torch']})", line["TFLOP/s"],
          line["TB/s"]]
         for line in read(options.out / "passes.csv")],
    )


def difference(predicted: str, measured: str, options: Options) -> str:
    """How far a time lies from its prediction; empty where none is a GPU's."""
    if not options.measures or not measured or not predicted or not float(predicted):
        return ""
    return f"{float(measured) / float(predicted) - 1:+.0%}"


def roofline(options: Options) -> str:
    """Operations a byte, what they allow on this GPU, and what was reached."""
    found = {line["what"]: float(line["value"]) for line in read(options.out / "limits.csv")}
    if not options.measures or not {"copy", "multiply-adds"} <= found.keys():
        return "Only with a GPU's own limits."
    lines = []
    for line in read(options.out / "passes.csv"):
        reached, bandwidth = float(line["TFLOP/s"] or 0), float(line["TB/s"] or 0)
        if not bandwidth:
            continue
        intensity = reached / bandwidth
        roof = min(found["multiply-adds"], intensity * found["copy"])
        lines.append([line["batch"], line["layer"], line["stage"], f"{intensity:.3g}",
                      f"{roof:.3g}", f"{reached:.3g}", f"{reached / roof:.0%}",
                      "#" * round(20 * min(reached / roof, 1.5))])
    heading = ("A layer's definition counts, each array once. Winograd's algorithm needs a quarter "
               "of the multiplications, and may seem to reach more than the roof.")
    columns = ("batch", "layer", "pass", "FLOP a byte", "roof TFLOP/s", "reached", "share", "")
    return f"{heading}\n\n{table(columns, lines)}"

"""What is said of a function that changes the arrays that it was given."""

from minicnn.checking.students.finding import Finding, numbers
from minicnn.checking.students.subject import Subject


def with_changes(finding: Finding, subject: Subject) -> Finding:
    """A finding that also tells which arrays of the caller the function has changed.

    A forward that does so is wrong: whoever calls it still needs them, as a residual connection or
    a gradient check does. Of a backward it is a note: with the cache its work is done.
    """
    changes = subject.changes.of(finding.function)
    if not changes or finding.verdict not in ("correct", "wrong-forward", "wrong-backward"):
        return finding
    first = changes[0]
    names = " and ".join(change.name for change in changes)
    text = f"{finding.function} changes the {names} that it was given"
    if finding.verdict != "correct":
        finding.message += f" Also: {text}."
    elif finding.function in subject.pair.backwards:
        known = " (relu-overwrites-dout)" if subject.convention.operation == "relu" else ""
        note = f"note: {text}{known}: whoever still needs it finds other numbers there"
        finding.message = " ".join(filter(None, [finding.message, note]))
    else:
        finding.verdict, finding.fault = "wrong-forward", "unknown"
        finding.message = (
            f"What it returns is right, but {text}. Whoever calls it still needs {names}: work on "
            f"a copy, or write into a new array ({first.name} = {first.name} - m makes one, "
            f"{first.name} -= m does not)."
        )
        finding.evidence = {
            "of": first.name, "input": {first.name: numbers(first.before)},
            "expected": numbers(first.before), "received": numbers(first.after),
        }
    return finding

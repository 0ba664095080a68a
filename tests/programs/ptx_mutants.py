"""Mutants of the PTX of every kernel: a barrier dropped, or an edit of a line that ran.

    PYTHONPATH=benchmarks MINICNN_CUDA_DEVICE=interpreter python tests/programs/ptx_mutants.py 300

prints how the small problems of `on_gpu.kernel_cases` catch them, and the survivors.
"""

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from on_gpu.kernel_cases import Case, cases

from minicnn.ops import cuda, reference
from minicnn.ops.cuda.device import Grid, Interpreter, use_device
from minicnn.ptx import Kernel, Launch, PTXError, PTXFault, load, machine

LIMIT = 3000
"""Steps after which a mutant counts as endless; no kernel takes as many."""

NEVER_WRITTEN = machine.UNKNOWN, machine.UNKNOWN ^ 0x80, 0
"""Bytes of registers before they are written: a mutant has to get by with each of them."""

SEED = 18


class Bench(Interpreter):
    """The interpreter, with other kernels in the place of some.

    Attributes
    ----------
    replaced : dict of str to Kernel
        By the PTX that the backend launches.
    launches : list of (str, Launch)
        What was launched, as PTX, and what became of it.
    """

    def __init__(self, multiprocessors: int) -> None:
        super().__init__()
        self.multiprocessors = multiprocessors
        self.replaced: dict[str, Kernel] = {}
        self.launches: list[tuple[str, Launch]] = []

    def launch(self, program: Any, grid: Grid, threads: int, values: Sequence[Any]) -> None:
        if program.text not in self.replaced:
            self.replaced[program.text] = load(program.text).single()
        launch = self.replaced[program.text].launch(
            grid, threads, *values, memory=self.memory, counting=False, limit=LIMIT)
        self.launches.append((program.text, launch))


@dataclass
class Subject:
    """A kernel's PTX, and the problems that run it.

    Attributes
    ----------
    name, text : str
    cases : list of Case
        Begins with those that launch least.
    lines : set of int
        That ran in any of them, counted from 1.
    ways : set of (int, int)
        Basic blocks of the interpreter that ran one after the other in any of them.
    """

    name: str
    text: str
    cases: list[Case] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    ways: set[tuple[int, int]] = field(default_factory=set)


@dataclass(frozen=True)
class Mutant:
    """A subject with one line that is another; an empty line drops it."""

    subject: Subject
    line: int
    new: str

    def __str__(self) -> str:
        old = self.subject.text.split("\n")[self.line - 1].strip()
        return f"{self.subject.name}, line {self.line}: {old} -> {self.new.strip() or 'dropped'}"

    def kernel(self) -> Kernel:
        """Ready to run; PTXError where it is no PTX."""
        lines = self.subject.text.split("\n")
        lines[self.line - 1] = self.new
        return load("\n".join(lines)).single()


class Trial:
    """All cases, run once as they are."""

    def __init__(self, dtype: type = np.float32) -> None:
        self.dtype = dtype
        self.subjects: dict[str, Subject] = {}
        self.benches: dict[int, Bench] = {}
        self.expected: dict[str, list[np.ndarray]] = {}
        for case in cases():
            bench = self.benches.setdefault(case.multiprocessors, Bench(case.multiprocessors))
            bench.launches.clear()
            found = self._run(case)
            self.expected[case.name] = found if case.draws else _arrays(case.run(reference, dtype))
            assert self._right(case, found), case.name
            for text, launch in bench.launches:
                subject = self.subjects.setdefault(text, Subject(launch.kernel.title, text))
                subject.lines |= launch.lines.keys()
                subject.ways |= launch.ways
                if case not in subject.cases:
                    subject.cases.append(case)

    def _run(self, case: Case) -> list[np.ndarray]:
        with use_device(self.benches[case.multiprocessors]), np.errstate(over="ignore"):
            return _arrays(case.run(cuda, self.dtype))

    def _right(self, case: Case, found: list[np.ndarray]) -> bool:
        """Whether all results are the expected ones."""
        return all(
            agree(array, wanted, case.roundings)
            for array, wanted in zip(found, self.expected[case.name], strict=True)
        )

    def verdict(self, mutant: Mutant) -> str:
        """How a mutant is caught: "wrong result" or the first words of a fault; "" if it is not."""
        for machine.UNKNOWN in NEVER_WRITTEN:
            if found := self._verdict(mutant):
                break
        machine.UNKNOWN = NEVER_WRITTEN[0]
        return found

    def _verdict(self, mutant: Mutant) -> str:
        kernel, text = mutant.kernel(), mutant.subject.text
        for case in mutant.subject.cases:
            bench = self.benches[case.multiprocessors]
            original = bench.replaced[text]
            bench.replaced[text] = kernel
            try:
                if not self._right(case, self._run(case)):
                    return "wrong result"
            except PTXFault as fault:
                return kind_of(fault)
            except ValueError:  # the root of a negative sum, say
                return "wrong result"
            finally:
                bench.replaced[text] = original
        return ""


def agree(found: np.ndarray, wanted: np.ndarray, roundings: int) -> bool:
    """Whether an array is the expected one; masks are, bit by bit."""
    if wanted.dtype == np.bool_:
        return np.array_equal(found.view(np.uint8), wanted.view(np.uint8))
    scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=0)
    atol = roundings * np.finfo(found.dtype).eps * scale
    return np.allclose(found, wanted, rtol=0, atol=atol, equal_nan=True)


FAULTS = ("race", "out of bounds", "misaligned", "nobody wrote", "nobody has waited", "barrier",
          "lanes", "no end")


def kind_of(fault: PTXFault) -> str:
    """A fault in a word or two."""
    return next((kind for kind in FAULTS if kind in str(fault)), str(fault))


def _arrays(found: list[Any]) -> list[np.ndarray]:
    return [np.asarray(array) for array in found]


# -- what is changed ------------------------------------------------------------------------------

OTHER = {
    "setp.lt": "setp.le", "setp.le": "setp.lt", "setp.gt": "setp.ge", "setp.ge": "setp.gt",
    "setp.eq": "setp.ne", "setp.ne": "setp.eq", "add.": "sub.", "sub.": "add.",
    "min.": "max.", "max.": "min.", "and.": "or.", "or.": "and.", "xor.": "or.",
    "shl.b32": "shr.u32", "shr.u32": "shl.b32", "mul.lo.": "add.", "mul.rn.": "add.rn.",
    "neg.": "abs.",
}
"""An opcode begins so, and becomes another."""

SWAPPED = {"sub": (1, 2), "div": (1, 2), "rem": (1, 2), "selp": (1, 2), "fma": (2, 3),
           "mad": (2, 3), "shl": (1, 2), "st": (0, 1), "setp": (1, 2)}
"""Operands that are no longer the same when they change places."""


SYMMETRIC = ("eq", "ne", "equ", "neu", "num", "nan")
"""Comparisons of which it does not matter which operand comes first."""


def barriers(subject: Subject) -> Iterator[Mutant]:
    """Without one of its barriers, or of its waits for copies."""
    for number, line in enumerate(subject.text.split("\n"), 1):
        if re.search(r"\bbar(rier)?\.(cta\.)?sync\b|cp\.async\.wait", line):
            yield Mutant(subject, number, "")


def edits(line: str) -> list[str]:
    """What may become of a line."""
    match = re.fullmatch(r"(\s*)(@!?%\w+\s+)?([a-z][\w.:]*)\s*(.*);\s*", line)
    if match is None or (
        match[3] in ("ret", "bra.uni", "bra") and not match[2]
    ):
        return []
    indent, guard, opcode, rest = match[1], match[2] or "", match[3], match[4]
    operands = re.split(r",\s*(?![^{\[]*[}\]])", rest) if rest else []
    found = [""]  # dropped

    def changed(opcode: str, operands: Sequence[str]) -> str:
        return f"{indent}{guard}{opcode} {', '.join(operands)};"

    if guard:
        found.append(line.replace("@!", "@") if "@!" in line else line.replace("@", "@!", 1))
    for start, other in OTHER.items():
        if opcode.startswith(start):
            found.append(changed(other + opcode[len(start):], operands))
    swap = SWAPPED.get(opcode.split(".")[0])
    if swap and opcode.split(".")[1] not in SYMMETRIC and "[" not in rest:
        places = list(operands)
        places[swap[0]], places[swap[1]] = places[swap[1]], places[swap[0]]
        if places != operands:
            found.append(changed(opcode, places))
    for number, operand in enumerate(operands):
        if opcode == "shr.s64" and operand == "63":
            continue  # 64 places leave the same: the sign
        if number and (new := other_constant(operand)):
            found.append(changed(opcode, [*operands[:number], new, *operands[number + 1:]]))
        if address := re.fullmatch(r"\[(%\w+)(?:\+(-?\d+))?\]", operand):
            there = int(address[2] or 0) + width_of(opcode)
            new = f"[{address[1]}+{there}]"
            found.append(changed(opcode, [*operands[:number], new, *operands[number + 1:]]))
    return [new for new in found if new != line]


def other_constant(operand: str) -> str:
    """A number that is another; "" where the operand is none."""
    if re.fullmatch(r"-?\d+", operand):
        return str(int(operand) + 1)
    for kind, digits, one, factor_two in (("0f", 8, 0x3F8 << 20, 1 << 23),
                                          ("0d", 16, 0x3FF << 52, 1 << 52)):
        if re.fullmatch(rf"{kind}[0-9A-Fa-f]{{{digits}}}", operand):
            bits = int(operand[2:], 16)
            return f"{kind}{bits ^ factor_two if bits else one:0{digits}X}"
    return ""


def width_of(opcode: str) -> int:
    """Bytes that a load or a store moves."""
    size = re.search(r"\.[bfus](8|16|32|64)\b", opcode)
    lanes = re.search(r"\.v([24])\b", opcode)
    return int(size[1] if size else 32) // 8 * int(lanes[1] if lanes else 1)


def guards(lines: Sequence[str]) -> set[int]:
    """Lines by which Numba answers a division by zero with zero; no divisor of ours is zero.

    ``setp.eq p, d, 0``, zeros for the quotient and the remainder, and a branch around the division.
    """
    divisors = {match[1] for line in lines
                if (match := re.search(r"\b(?:div|rem)\.u32\s.*, (%\w+);", line))}
    wide = {match[2]: match[1] for line in lines
            if (match := re.search(r"cvt\.u32\.u64\s+(%\w+), (%\w+);", line))}
    found: set[int] = set()
    for first, line in enumerate(lines):
        test = re.search(r"setp\.eq\.s\d+\s+(%p\d+), (%\w+), 0;", line)
        if test is None or not {test[2], wide.get(test[2])} & divisors:
            continue
        for number in range(first, len(lines)):
            if f"@{test[1]} bra" not in lines[number]:
                continue
            start = number
            while start > first and re.search(r"\bmov\.\w+\s", lines[start - 1]):
                start -= 1
            found.update((first + 1, *range(start + 1, number + 2)))
    return found


WRITES_NO_REGISTER = ("st", "bar", "bra", "ret", "exit", "cp", "fence", "membar")


def unread(subject: Subject) -> set[int]:
    """Lines whose results no way that ran reads: a loop's zeros, where it always has a turn.

    Backwards from block to block, along the ways, until no register more is found to be needed.
    """
    kernel = load(subject.text).single()
    blocks = {block.number: [*block.body, *(x for x in (block.barrier, block.end) if x)]
              for block in kernel.lowered.blocks}
    needed: dict[int, set[str]] = {number: set() for number in blocks}
    found: set[int] = set()
    changed = True
    while changed:
        changed, found = False, set()
        for number in sorted(blocks, reverse=True):
            live = set().union(*(needed[to] for start, to in subject.ways if start == number))
            for instruction in reversed(blocks[number]):
                operands = [set(re.findall(r"%\w+", operand)) for operand in instruction.operands]
                if instruction.parts[0] not in WRITES_NO_REGISTER and operands:
                    written = operands.pop(0)
                    if not written & live:
                        found.add(instruction.line)
                    if not instruction.guard:
                        live -= written
                live = live.union(*operands, {instruction.guard} - {""})
            changed |= live != needed[number]
            needed[number] = live
    return found


def random_edits(subjects: Sequence[Subject], count: int, seed: int = SEED) -> list[Mutant]:
    """So many different edits, as many of each kernel, each of a line that ran."""
    rng = random.Random(seed)
    texts = {subject.text: subject.text.split("\n") for subject in subjects}
    places = {
        text: sorted(line for line in subject.lines - guards(texts[text]) - unread(subject)
                     if "bar.sync" not in texts[text][line - 1])
        for text, subject in ((subject.text, subject) for subject in subjects)
    }
    order = list(subjects)
    rng.shuffle(order)
    found: dict[tuple[str, int, str], Mutant] = {}
    while len(found) < count:
        for subject in order[:count - len(found)]:
            for _ in range(100):
                line = rng.choice(places[subject.text])
                possible = edits(texts[subject.text][line - 1])
                if not possible:
                    continue
                mutant = Mutant(subject, line, rng.choice(possible))
                key = subject.text, line, mutant.new
                if key not in found and is_ptx(mutant):
                    found[key] = mutant
                    break
    return list(found.values())


def is_ptx(mutant: Mutant) -> bool:
    """Whether a mutant can be run at all."""
    try:
        mutant.kernel()
    except PTXError:
        return False
    return True


def main() -> None:
    """Print what is caught, and how."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    begin = time.process_time()
    trial = Trial()
    subjects = list(trial.subjects.values())
    print(f"{len(subjects)} kernels, {time.process_time() - begin:.0f} CPU seconds", flush=True)
    dropped = [mutant for subject in subjects for mutant in barriers(subject)]
    for title, mutants in (("barriers", dropped), ("edits", random_edits(subjects, count))):
        verdicts: Counter[str] = Counter()
        for mutant in mutants:
            verdict = trial.verdict(mutant)
            verdicts[verdict] += 1
            if not verdict:
                print(f"  survived: {mutant}", flush=True)
        caught = len(mutants) - verdicts[""]
        print(f"{title}: {caught} of {len(mutants)} caught, "
              f"{time.process_time() - begin:.0f} CPU seconds: {dict(verdicts.most_common())}",
              flush=True)


if __name__ == "__main__":
    main()

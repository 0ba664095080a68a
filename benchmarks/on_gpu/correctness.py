"""Section 2: every operation beside the reference, and its bits beside the interpreter's."""

import functools
import hashlib
import json
from pathlib import Path

import numpy as np

from on_gpu.cases import Case, cases
from on_gpu.options import Options
from on_gpu.records import Table

DIGESTS = Path(__file__).with_name("digests.json")
"""What the interpreter computes: the digest of every result by its name."""

TOLERANCES = {"float32": 2e-5, "float64": 1e-12}
"""Of the largest number of a result."""


def run(options: Options) -> None:
    """Compare all; differences of bits are reported, differences beyond rounding fail."""
    stored = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    columns = "case", "dtype", "result", "error", "tolerance", "verdict", "bits"
    table = Table(options.out / "correctness.csv", columns)
    found, wrong = {}, 0
    for case in cases(tiny=options.tiny):
        for dtype in TOLERANCES:
            try:
                rows = compared(case, dtype)
            except Exception as error:  # the next case is tried all the same
                wrong += 1
                table.add(case=case.name, dtype=dtype, verdict=f"failed: {error}"[:300])
                continue
            for result, error, digest in rows:
                key = f"{case.name} {dtype} {result}"
                right = error <= TOLERANCES[dtype]
                wrong += not right
                if not case.large:
                    found[key] = digest
                table.add(case=case.name, dtype=dtype, result=result, error=error,
                          tolerance=TOLERANCES[dtype], verdict="right" if right else "WRONG",
                          bits=bits(stored.get(key), digest))
    if options.write_digests:
        DIGESTS.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")
        print(f"  {len(found)} digests written to {DIGESTS}")
    if wrong:
        raise SystemExit(f"  {wrong} results are wrong: see correctness.csv")


def bits(stored: str | None, digest: str) -> str:
    """Whether a result has the bits that the interpreter computed."""
    if stored is None:
        return "no digest"
    return "equal" if stored == digest else "different"


def compared(case: Case, dtype: str) -> list[tuple[str, float, str]]:
    """The name, the error and the digest of each result of a case on the device.

    The reference computes in float64, from the same numbers.
    """
    got, expected = case.results("cuda", dtype), by_reference(case)
    if got.keys() != expected.keys():
        raise ValueError(f"expected {sorted(expected)}, got {sorted(got)}")
    return [(name, error_of(got[name], expected[name]), digest(got[name])) for name in got]


@functools.lru_cache(maxsize=1)  # both dtypes compare with it
def by_reference(case: Case) -> dict[str, np.ndarray]:
    """The reference's results, in float64."""
    return case.results("reference", "float64")


def error_of(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, over the largest number that was expected, or 1 if that is less."""
    if got.shape != expected.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):
        difference = np.abs(got.astype(float) - expected).max(initial=0)
    scale = np.abs(expected.astype(float)).max(initial=1)
    return float(difference / scale) if np.isfinite(difference) else float("inf")


def digest(array: np.ndarray) -> str:
    """Of the bits of an array."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]

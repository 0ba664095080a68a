"""Edits of the kernels' PTX are caught by small problems with a known answer."""

import pytest

pytest.importorskip("numba_cuda", reason="kernels are compiled by numba-cuda")

from ptx_mutants import Trial, barriers, edits, random_edits, unread

COUNT, MOST = 100, 0.08
"""Edits that are tried here, and the part that may survive; `tests/programs/ptx_mutants.py` tries
300 and says what survives."""


@pytest.fixture(scope="module")
def trial() -> Trial:
    return Trial()


@pytest.mark.slow(20)
def test_every_barrier_is_missed(trial: Trial) -> None:
    mutants = [mutant for subject in trial.subjects.values() for mutant in barriers(subject)]
    assert len(mutants) >= 40
    survivors = [str(mutant) for mutant in mutants if not trial.verdict(mutant)]
    assert not survivors, "\n".join(survivors)


@pytest.mark.slow(40)
def test_random_edits_are_caught(trial: Trial) -> None:
    mutants = random_edits(list(trial.subjects.values()), COUNT)
    survivors = [str(mutant) for mutant in mutants if not trial.verdict(mutant)]
    assert len(survivors) <= MOST * COUNT, "\n".join(survivors)


def test_what_may_become_of_a_line() -> None:
    assert edits("\tld.global.f32 \t%f1, [%rd2+8];") == [
        "", "\tld.global.f32 %f1, [%rd2+12];"]
    assert edits("\t@%p3 bra \t$L__BB0_4;") == ["", "\t@!%p3 bra \t$L__BB0_4;"]
    assert edits("\tsetp.lt.u32 \t%p1, %r1, 7;") == [
        "", "\tsetp.le.u32 %p1, %r1, 7;", "\tsetp.lt.u32 %p1, 7, %r1;",
        "\tsetp.lt.u32 %p1, %r1, 8;"]
    assert edits("\tmov.f32 \t%f1, 0f00000000;") == ["", "\tmov.f32 %f1, 0f3F800000;"]
    assert edits("\tmov.f32 \t%f1, 0f3FC00000;") == ["", "\tmov.f32 %f1, 0f3F400000;"]
    assert edits("\tbra.uni \t$L__BB0_4;") == edits("\tret;") == edits("$L__BB0_4:") == []


def test_results_that_no_way_reads(trial: Trial) -> None:
    """The zeros of sums are read only where a loop has no turn: in parts of products alone."""
    by_name = {subject.name: subject for subject in trial.subjects.values()}
    direct = by_name["direct_convolution"]
    assert unread(direct) & direct.lines
    assert not unread(by_name["_softmax"]) & by_name["_softmax"].lines

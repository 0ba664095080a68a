"""Programs of accesses and barriers made by chance: a race is found if and only if there is one.

The model looks at every pair of accesses, which the interpreter cannot afford.
"""

from collections import defaultdict
from itertools import combinations
from typing import NamedTuple

import numpy as np
from hypothesis import example, given, settings, strategies as st
from ptx_texts import kernel

from minicnn import ptx

THREADS, BYTES = 40, 64
"""One warp and a part of the next, on 64 bytes."""


class Step(NamedTuple):
    """Threads ``low`` to ``high`` of some blocks touch ``(thread · stride + start) · width``."""

    kind: str
    width: int
    stride: int
    start: int
    low: int
    high: int
    block: int


PTX = {
    "read": "ld.{space}.{kind} {value}, [{address}];",
    "write": "st.{space}.{kind} [{address}], {value};",
    "volatile": "ld.volatile.{space}.{kind} {value}, [{address}];",
    "atomic": "atom.{space}.add.u{bits} {value}, [{address}], 1;",
}
WIDTHS = {1: ("u8", "%h1"), 4: ("u32", "%r20"), 8: ("u64", "%rd20")}

barriers = st.sampled_from(["bar.sync 0;", "bar.warp.sync -1;", "membar.gl;"])
meetings = st.builds(lambda low, lanes: (1 << lanes) - 1 << low & 0xFFFFFFFF, st.integers(0, 31),
                     st.integers(1, 32))
"""Masks of lanes that meet at a ``bar.warp.sync``, in each warp."""
steps = st.builds(
    Step, st.sampled_from(sorted(PTX)), st.sampled_from([1, 4, 4, 4, 8]), st.integers(0, 3),
    st.integers(0, 9), st.integers(0, 33), st.integers(1, THREADS), st.sampled_from([-1, -1, 0, 1]),
).filter(lambda step: step.width > 1 or step.kind != "atomic")
programs = st.lists(st.one_of(steps, steps, barriers), min_size=1, max_size=7)
programs_of_parts = st.lists(st.one_of(steps, steps, meetings, barriers), min_size=2, max_size=8)


def text(program, space):
    """The program as PTX; shared memory is first written by thread 0, before a barrier."""
    lines = ["mov.u16 %h1, 1;", "mov.u32 %r20, 1;", "mov.u64 %rd20, 1;"]
    if space == "shared":
        lines += ["mov.u64 %rd0, buffer;", "setp.eq.u32 %p1, %r0, 0;",
                  *(f"@%p1 st.shared.u64 [buffer+{at}], %rd20;" for at in range(0, BYTES, 8)),
                  "bar.sync 0;"]
    for step in program:
        if isinstance(step, str):
            lines.append(step)
            continue
        if isinstance(step, int):
            lines += ["mov.u32 %r9, %laneid;", f"mov.u32 %r10, {step};", "shr.u32 %r9, %r10, %r9;",
                      "and.b32 %r9, %r9, 1;", "setp.eq.u32 %p2, %r9, 1;",
                      "@%p2 bar.warp.sync %r10;"]
            continue
        kind, value = WIDTHS[step.width]
        lines += [
            f"mad.lo.u32 %r8, %r0, {step.stride}, {step.start};",
            f"mul.lo.u32 %r8, %r8, {step.width};", f"and.b32 %r8, %r8, {BYTES - 1};",
            "cvt.u64.u32 %rd8, %r8;", "add.s64 %rd8, %rd8, %rd0;",
            f"setp.ge.u32 %p1, %r0, {step.low};", f"setp.lt.and.u32 %p1, %r0, {step.high}, %p1;",
        ]
        if step.block >= 0:
            lines.append(f"setp.eq.and.u32 %p1, %r1, {step.block}, %p1;")
        lines.append("@%p1 " + PTX[step.kind].format(
            space=space, kind=kind, value=value, address="%rd8", bits=8 * step.width))
    return "\n".join(lines)


class Access(NamedTuple):
    """Who, when, how."""

    block: int
    thread: int
    barriers: int
    warp_barriers: int
    kind: str


def races(one, other):
    """Whether two accesses of one byte race: the rules of the memory model, pair by pair."""
    if (one.block, one.thread) == (other.block, other.thread):
        return False
    if {one.kind, other.kind} <= {"read", "volatile"}:
        return False
    if {one.kind, other.kind} <= {"volatile", "atomic"}:
        return False
    if one.block != other.block:
        return True
    if one.barriers != other.barriers:
        return False
    return one.thread // 32 != other.thread // 32 or one.warp_barriers == other.warp_barriers


def has_race(program, space, blocks):
    """Over all pairs of accesses of each byte."""
    found = defaultdict(set)
    for block in range(blocks):
        barriers = warp_barriers = 0
        for step in program:
            if isinstance(step, str):
                barriers += step.startswith("bar.sync")
                warp_barriers += step.startswith("bar.warp")
                continue
            if step.block not in (-1, block):
                continue
            for thread in range(step.low, step.high):
                at = (thread * step.stride + step.start) * step.width & BYTES - 1
                access = Access(block, thread, barriers, warp_barriers, step.kind)
                for byte in range(at, at + step.width):
                    found[block if space == "shared" else -1, byte].add(access)
    return any(races(*pair) for accesses in found.values() for pair in combinations(accesses, 2))


@settings(max_examples=150)
@given(programs, st.sampled_from(["shared", "global"]), st.integers(1, 2))
@example([Step("read", 4, 0, 0, 0, 1, -1), Step("volatile", 4, 0, 0, 0, 1, -1),
          Step("atomic", 4, 0, 0, 1, 2, -1)], "global", 1)
@example([Step("volatile", 4, 0, 0, 0, 1, -1), Step("read", 4, 0, 0, 0, 1, -1),
          Step("atomic", 4, 0, 0, 1, 2, -1)], "global", 1)
@example([Step("volatile", 4, 0, 0, 0, 9, -1), Step("atomic", 4, 0, 0, 0, 9, -1)], "global", 2)
@example([Step("read", 4, 0, 0, 0, 1, 0), Step("read", 4, 0, 0, 0, 1, 1),
          Step("write", 4, 0, 0, 0, 1, 0)], "global", 2)
@example([Step("atomic", 4, 0, 0, 0, 1, -1), Step("write", 4, 0, 0, 0, 1, -1),
          Step("volatile", 4, 0, 0, 1, 2, -1)], "shared", 1)
@example([Step("read", 4, 0, 0, 0, 1, -1), "bar.warp.sync -1;", Step("read", 4, 0, 0, 1, 2, -1),
          Step("write", 4, 0, 0, 33, 34, -1)], "shared", 1)
@example([Step("write", 4, 0, 0, 0, 1, -1), Step("atomic", 4, 0, 0, 0, 1, -1),
          Step("atomic", 4, 0, 0, 1, 2, -1)], "shared", 1)
def test_a_race_is_found_if_and_only_if_there_is_one(program, space, blocks):
    inside = f".shared .align 8 .b8 buffer[{BYTES}];" if space == "shared" else ""
    built = kernel(text(program, space), inside=inside)
    try:
        built.launch(blocks, THREADS, np.zeros(BYTES, np.uint8), counting=False)
    except ptx.PTXFault as fault:
        assert "race" in str(fault)
        assert has_race(program, space, blocks), str(fault)
    else:
        assert not has_race(program, space, blocks)


class Moment(NamedTuple):
    """An access, and what lay before it: the accesses' numbers."""

    number: int
    who: tuple[int, int]
    kind: str
    before: frozenset[int]


def has_race_of_parts(program, space, blocks):
    """As `has_race`, by the sets of accesses that each thread knows to be over."""
    made = defaultdict(list)
    known = {(block, thread): set() for block in range(blocks) for thread in range(THREADS)}
    number = 0

    def meet(people):
        together = set().union(*(known[person] for person in people))
        for person in people:
            known[person] = set(together)

    for step in program:
        if isinstance(step, Step):
            for block, thread in known:
                if step.low <= thread < step.high and step.block in (-1, block):
                    at = (thread * step.stride + step.start) * step.width & BYTES - 1
                    before = frozenset(known[block, thread])
                    for byte in range(at, at + step.width):
                        made[block if space == "shared" else -1, byte].append(
                            Moment(number, (block, thread), step.kind, before))
                    known[block, thread].add(number)
                    number += 1
        elif step != "membar.gl;":
            mask = 0xFFFFFFFF if isinstance(step, str) else step
            size = THREADS if step == "bar.sync 0;" else 32
            for block in range(blocks):
                for first in range(0, THREADS, size):
                    meet([(block, thread) for thread in range(first, min(THREADS, first + size))
                          if size > 32 or mask >> thread - first & 1] or [(block, first)])

    def race(one, other):
        kinds = {one.kind, other.kind}
        return one.who != other.who and not kinds <= {"read", "volatile"} \
            and not kinds <= {"volatile", "atomic"} and one.number not in other.before

    return any(race(*pair) for accesses in made.values() for pair in combinations(accesses, 2))


@settings(max_examples=150)
@given(programs_of_parts, st.sampled_from(["shared", "global"]), st.integers(1, 2))
def test_barriers_of_parts_of_a_warp(program, space, blocks):
    """No order is taken for a race; and none is missed that is between two writes."""
    inside = f".shared .align 8 .b8 buffer[{BYTES}];" if space == "shared" else ""
    built = kernel(text(program, space), inside=inside)
    try:
        built.launch(blocks, THREADS, np.zeros(BYTES, np.uint8), counting=False)
    except ptx.PTXFault as fault:
        assert "race" in str(fault)
        assert has_race_of_parts(program, space, blocks), str(fault)
    else:
        writes = [step for step in program
                  if not isinstance(step, Step) or step.kind == "write"]
        assert not has_race_of_parts(writes, space, blocks)

"""Threads that go different ways, against a plain Python model of one thread."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from ptx_texts import HEADER, kernel, place
from whole_numbers import wrapped

from minicnn import ptx

I32 = np.dtype("i4")
OUT = place("%rd8", "%rd0", "%r3", 4) + "\n"
STORE = "st.global.u32 [%rd8], %r12;\n"


def results(statements, threads=70, grid=2, **options):
    out = np.full(grid * threads, -1, np.int32)
    kernel(OUT + statements).launch(grid, threads, out, **options)
    return out.tolist()


def test_nested_branches():
    got = results(
        "mov.u32 %r12, 0;\nand.b32 %r9, %r3, 1;\nsetp.eq.u32 %p1, %r9, 0;\n@%p1 bra EVEN;\n"
        "rem.u32 %r9, %r3, 3;\nsetp.ne.u32 %p2, %r9, 0;\n@%p2 bra ODD;\nadd.u32 %r12, %r12, 100;\n"
        "bra JOIN;\nODD:\nadd.u32 %r12, %r12, 10;\nbra JOIN;\nEVEN:\nsetp.lt.u32 %p3, %r3, 40;\n"
        "@!%p3 bra LARGE;\nadd.u32 %r12, %r12, 1;\nLARGE:\nadd.u32 %r12, %r12, 2;\nJOIN:\n"
        "add.u32 %r12, %r12, 1000;\n" + STORE
    )

    def model(i):
        if i % 2 == 0:
            return 1000 + (3 if i < 40 else 2)
        return 1000 + (10 if i % 3 else 100)

    assert got == [model(i) for i in range(140)]


def test_loops_of_different_length():
    """Steps of Collatz' rule until one."""
    got = results(
        "mov.u32 %r12, 0;\nadd.u32 %r9, %r3, 1;\nROUND:\nsetp.eq.u32 %p1, %r9, 1;\n"
        "@%p1 bra END;\nadd.u32 %r12, %r12, 1;\nand.b32 %r10, %r9, 1;\nsetp.eq.u32 %p2, %r10, 0;\n"
        "@%p2 bra EVEN;\nmad.lo.u32 %r9, %r9, 3, 1;\nbra ROUND;\nEVEN:\nshr.u32 %r9, %r9, 1;\n"
        "bra ROUND;\nEND:\n" + STORE
    )

    def model(i):
        n, steps = i + 1, 0
        while n != 1:
            n, steps = (3 * n + 1 if n % 2 else n // 2), steps + 1
        return steps

    assert got == [model(i) for i in range(140)]


def test_threads_that_leave_early_write_no_more():
    got = results(
        "mov.u32 %r12, 5;\nsetp.gt.u32 %p1, %r3, 100;\n@%p1 ret;\n" + STORE
        + "and.b32 %r9, %r3, 7;\nsetp.eq.u32 %p2, %r9, 3;\n@%p2 exit;\nmov.u32 %r12, 6;\n" + STORE
    )
    assert got == [-1 if i > 100 else 5 if i % 8 == 3 else 6 for i in range(140)]


def test_guards_hold_single_instructions_back():
    got = results(
        "mov.u32 %r12, 0;\nsetp.lt.u32 %p1, %r0, 10;\nsetp.lt.u32 %p2, %r0, 20;\n"
        "@%p1 add.u32 %r12, %r12, 1;\n@!%p1 add.u32 %r12, %r12, 2;\n"
        "@%p2 setp.ge.u32 %p1, %r0, 5;\n@%p1 add.u32 %r12, %r12, 4;\n@! %p2 mov.u32 %r12, 9;\n"
        + STORE
    )

    def model(t):
        if t >= 20:
            return 9
        return (1 if t < 10 else 2) + (4 if t >= 5 else 0)

    assert got == [model(i % 70) for i in range(140)]


def test_lanes_meet_again_after_a_branch_and_after_a_loop():
    """A shuffle with all lanes follows; none is missing."""
    got = results(
        "mov.u32 %r12, %r0;\nand.b32 %r9, %r0, 3;\nsetp.eq.u32 %p1, %r9, 0;\n@%p1 bra SIDE;\n"
        "add.u32 %r12, %r12, 100;\nbra JOIN;\nSIDE:\nadd.u32 %r12, %r12, 200;\nJOIN:\n"
        "shfl.sync.bfly.b32 %r12, %r12, 1, 31, -1;\nmov.u32 %r10, 0;\nROUND:\n"
        "add.u32 %r10, %r10, 1;\nadd.u32 %r12, %r12, 1000;\nsetp.lt.u32 %p2, %r10, %r9;\n"
        "@%p2 bra ROUND;\nshfl.sync.bfly.b32 %r12, %r12, 1, 31, -1;\n" + STORE, threads=64,
    )

    def first(t):
        return t + (200 if t % 4 == 0 else 100)

    def second(t):
        return first(t ^ 1) + 1000 * max(1, t % 4)

    assert got == [second(i % 64 ^ 1) for i in range(128)]


@pytest.mark.parametrize(
    "meeting", ["shfl.sync.bfly.b32 %r12, %r12, 1, 31, -1;", "bar.warp.sync -1;", "bar.sync 0;"]
)
def test_the_order_of_the_text_is_not_the_order_of_the_run(meeting):
    """The place where all meet stands first in the text, before both ways to it."""
    got = results(
        f"bra START;\nJOIN:\n{meeting}\n{STORE}ret;\nFAR:\nadd.u32 %r12, %r12, 1000;\nbra JOIN;\n"
        "START:\nmov.u32 %r12, %r0;\nand.b32 %r9, %r0, 1;\nsetp.eq.u32 %p1, %r9, 0;\n"
        "@%p1 bra JOIN;\nbra FAR;\n", threads=64,
    )

    def own(t):
        return t + (1000 if t % 2 else 0)

    swapped = meeting.startswith("shfl")
    assert got == [own(i % 64 ^ 1 if swapped else i % 64) for i in range(128)]


def test_registers_keep_their_values_while_others_run():
    """One side of a branch writes a register that the other reads."""
    got = results(
        "mov.u32 %r12, %r0;\nmov.u32 %r9, 7;\nsetp.lt.u32 %p1, %r0, 33;\n@%p1 bra LOW;\n"
        "add.u32 %r12, %r12, %r9;\nbra JOIN;\nLOW:\nmov.u32 %r9, 1000;\nJOIN:\n"
        "add.u32 %r12, %r12, %r9;\n" + STORE
    )
    assert got == [t + (1000 if t < 33 else 14) for t in [*range(70)] * 2]


def test_scopes_may_use_a_name_again():
    """As around inline assembly."""
    got = results(
        "mov.u32 %r12, 1;\n{\n.reg .b32 t;\nmov.u32 t, 5;\nadd.u32 %r12, %r12, t;\n}\n"
        "{\n.reg .b32 t;\nmov.u32 t, 7;\n{\n.reg .b32 t;\nmov.u32 t, 100;\n"
        "add.u32 %r12, %r12, t;\n}\nadd.u32 %r12, %r12, t;\n}\n" + STORE
    )
    assert got == [113] * 140


FUNCTION = """
.func (.param .b32 result) twice_or_more(.param .b32 value)
{
    .reg .b32 %r<5>;
    .reg .pred %p<2>;
    ld.param.b32 %r1, [value];
    setp.lt.u32 %p1, %r1, 50;
    @%p1 bra SMALL;
    mad.lo.u32 %r1, %r1, 3, 1;
    st.param.b32 [result], %r1;
    ret;
SMALL:
    add.u32 %r1, %r1, %r1;
    st.param.b32 [result], %r1;
    ret;
}
"""
CALL = """{
.param .b32 given;
.param .b32 back;
st.param.b32 [given], %r9;
call.uni (back), twice_or_more, (given);
ld.param.b32 %r9, [back];
}
"""


def test_functions_are_called_or_refused():
    """Twice, once behind a branch; their registers and labels are their own."""
    text = OUT + "mov.u32 %r9, %r3;\n" + CALL + "setp.lt.u32 %p1, %r3, 20;\n@%p1 bra OVER;\n" \
        + CALL + "OVER:\nst.global.u32 [%rd8], %r9;\n"
    out = np.zeros(140, np.int32)
    try:
        kernel(text, before=FUNCTION).launch(2, 70, out)
    except ptx.PTXFault:
        raise
    except ptx.PTXError as error:
        assert "line" in str(error)
        return

    def model(value):
        return 2 * value if value < 50 else 3 * value + 1

    assert out.tolist() == [model(i) if i < 20 else model(model(i)) for i in range(140)]


# -------------------------------------------------------------------------- programs made by chance

OPERATIONS = {
    "add.s32": operator.add, "sub.s32": operator.sub, "mul.lo.s32": operator.mul,
    "xor.b32": operator.xor, "and.b32": operator.and_, "min.s32": min, "max.s32": max,
}
COMPARISONS = {"lt": operator.lt, "le": operator.le, "eq": operator.eq, "ne": operator.ne,
               "gt": operator.gt, "ge": operator.ge}
VARIABLES = ["%r20", "%r21", "%r22", "%r23"]

operands = st.one_of(st.sampled_from(VARIABLES), st.integers(-9, 9))
conditions = st.tuples(
    st.sampled_from(sorted(COMPARISONS)), st.sampled_from(VARIABLES), operands
)
assignments = st.tuples(
    st.just("set"), st.sampled_from(VARIABLES), st.sampled_from(sorted(OPERATIONS)), operands,
    operands,
)
leaves = st.one_of(
    assignments, assignments, st.tuples(st.just("guarded"), conditions, assignments),
    st.tuples(st.just("return"), conditions), st.tuples(st.just("break"), conditions),
)
programs = st.recursive(
    st.lists(leaves, min_size=1, max_size=4),
    lambda inner: st.lists(
        st.one_of(
            assignments,
            st.tuples(st.just("if"), conditions, inner, inner),
            st.tuples(st.just("loop"), st.sampled_from(VARIABLES), inner),
            st.tuples(st.just("leave"), conditions),
        ), min_size=1, max_size=4,
    ),
    max_leaves=12,
)


class Writer:
    """A program as PTX."""

    def __init__(self, program):
        self.lines, self.labels, self.depth = [], 0, 0
        self.block(program, None)

    def label(self):
        self.labels += 1
        return f"L{self.labels}"

    def test(self, condition):
        name, left, right = condition
        self.lines.append(f"setp.{name}.s32 %p1, {left}, {right};")

    def assign(self, statement, guard=""):
        _, target, operation, left, right = statement
        if isinstance(left, int):                     # an instruction takes a number second
            self.lines.append(f"{guard}mov.u32 %r24, {left};")
            left = "%r24"
        self.lines.append(f"{guard}{operation} {target}, {left}, {right};")

    def block(self, statements, after):
        for statement in statements:
            self.statement(statement, after)

    def statement(self, statement, after):
        kind = statement[0]
        if kind == "set":
            self.assign(statement)
        elif kind == "guarded":
            self.test(statement[1])
            self.assign(statement[2], "@%p1 ")
        elif kind in ("return", "leave"):
            self.test(statement[1])
            self.lines.append("@%p1 bra DONE;" if kind == "leave" else "@%p1 ret;")
        elif kind == "break" and after:
            self.test(statement[1])
            self.lines.append(f"@%p1 bra {after};")
        elif kind == "if":
            other, end = self.label(), self.label()
            self.test(statement[1])
            self.lines.append(f"@!%p1 bra {other};")
            self.block(statement[2], after)
            self.lines += [f"bra.uni {end};", f"{other}:"]
            self.block(statement[3], after)
            self.lines.append(f"{end}:")
        elif kind == "loop":
            self.depth += 1
            counter = f"counter{self.depth}"
            head, end = self.label(), self.label()
            self.lines += [f"{{ .reg .b32 {counter};", f"and.b32 {counter}, {statement[1]}, 3;",
                           f"{head}:", f"setp.eq.s32 %p2, {counter}, 0;", f"@%p2 bra {end};",
                           f"sub.s32 {counter}, {counter}, 1;"]
            self.block(statement[2], end)
            self.lines += [f"bra {head};", f"{end}:", "}"]


class Return(Exception):
    """A thread ends."""


class Leave(Exception):
    """A thread goes to the end of the program, where it writes its variables."""


class Break(Exception):
    """A thread leaves a loop."""


class Thread:
    """One thread, in Python."""

    def __init__(self, number):
        self.values = {name: wrapped(number * k - k, I32) for k, name in enumerate(VARIABLES, 1)}

    def value(self, operand):
        return self.values[operand] if isinstance(operand, str) else operand

    def holds(self, condition):
        name, left, right = condition
        return COMPARISONS[name](self.value(left), self.value(right))

    def run(self, program):
        try:
            self.block(program, False)
        except Return:
            return [-1] * len(VARIABLES)
        except Leave:
            pass
        return list(self.values.values())

    def block(self, statements, looping):
        for statement in statements:
            self.statement(statement, looping)

    def statement(self, statement, looping):
        kind = statement[0]
        if kind == "set" or (kind == "guarded" and self.holds(statement[1])):
            _, target, operation, left, right = statement if kind == "set" else statement[2]
            exact = OPERATIONS[operation](self.value(left), self.value(right))
            self.values[target] = wrapped(exact, I32)
        elif kind == "return" and self.holds(statement[1]):
            raise Return
        elif kind == "leave" and self.holds(statement[1]):
            raise Leave
        elif kind == "break" and looping and self.holds(statement[1]):
            raise Break
        elif kind == "if":
            self.block(statement[2] if self.holds(statement[1]) else statement[3], looping)
        elif kind == "loop":
            for _ in range(self.value(statement[1]) & 3):
                try:
                    self.block(statement[2], True)
                except Break:
                    break


@settings(max_examples=60)
@given(programs)
def test_programs_made_by_chance(program):
    """Nested branches, loops, breaks and returns: every thread ends with the model's values."""
    threads, grid = 37, 2
    start = "".join(f"mul.lo.s32 {name}, %r3, {k};\nsub.s32 {name}, {name}, {k};\n"
                    for k, name in enumerate(VARIABLES, 1))
    text = start + "\n".join(Writer(program).lines) + "\nDONE:\n" \
        + place("%rd8", "%rd0", "%r3", 16) + "\nst.global.v4.u32 [%rd8], {%r20, %r21, %r22, %r23};"
    out = np.full((grid * threads, 4), -1, np.int32)
    kernel(text).launch(grid, threads, out)
    assert out.tolist() == [Thread(number).run(program) for number in range(grid * threads)]


def test_a_module_may_hold_several_kernels():
    one = ".visible .entry one(.param .u64 p0)\n{\n.reg .b64 %rd<2>;\n.reg .b32 %r<2>;\n" \
        "ld.param.u64 %rd1, [p0];\nmov.u32 %r1, 1;\nst.global.u32 [%rd1], %r1;\nret;\n}\n"
    two = one.replace("one", "two").replace("%r1, 1", "%r1, 2")
    kernels = ptx.load(HEADER + one + two)
    out = np.zeros(1, np.uint32)
    for name, value in [("two", 2), ("one", 1)]:
        kernels[name].launch(1, 1, out)
        assert out[0] == value
    assert sorted(kernels) == ["one", "two"]

"""Instructions that are spelled otherwise than the subset are named with their line."""

import pytest
from ptx_texts import REGISTERS, entry

from minicnn import ptx


def refused(text, *, match=None):
    """The message with which a text ends, when it is loaded or launched."""
    with pytest.raises(ptx.PTXError, match=match) as caught:
        for built in ptx.load(text).values():
            built.launch(1, 32)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


UNKNOWN = {
    "an opcode": "frobnicate.s32 %r1, %r2;",
    "a real one that kernels here do not use":
        "tex.2d.v4.f32.s32 {%f1, %f2, %f3, %f4}, [t, {%r1, %r2}];",
    "a type": "add.s48 %r1, %r2, %r3;",
    "a register": "add.s32 %r1, %r2, %unknown;",
    "a destination": "add.s32 %unknown, %r1, %r2;",
    "a variable": "mov.u32 %r1, nothing_of_this_name;",
    "a special register": "mov.u32 %r1, %frobs;",
    "a label": "bra NOWHERE;",
    "a parameter": "ld.param.u32 %r1, [p77];",
    "a function": "call frobnicate, ();",
    "a comparison": "setp.frob.s32 %p1, %r1, %r2;",
    "a number": "add.s32 %r1, %r2, 12cats;",
    "a float of too few digits": "add.f32 %f1, %f2, 0f12;",
    "a number as a destination": "add.s32 5, %r2, %r3;",
    "too few operands": "add.s32 %r1, %r2;",
    "too many operands": "add.s32 %r1, %r2, %r3, %r4;",
    "no operands": "add.s32;",
    "an operand between commas that is not there": "add.s32 %r1, , %r2;",
    "a directive": ".frob 5;",
    "a guard that is no predicate": "@%r1 add.s32 %r1, %r2, %r3;",
    "a predicate as a number": "add.s32 %r1, %p1, %r3;",
    "a number as a predicate": "selp.s32 %r1, %r2, %r3, %r4;",
    "a wide result in a narrow register": "mul.wide.s32 %r1, %r2, %r3;",
    "a narrow register as a wide operand": "add.s64 %rd1, %rd2, %r3;",
    "an address without brackets": "ld.global.u32 %r1, %rd1;",
    "an address of three": "ld.global.u32 %r1, [%rd1+%rd2];",
    "a vector of three": "ld.global.v3.u32 {%r1, %r2, %r3}, [%rd1];",
    "a vector with a register missing": "ld.global.v4.u32 {%r1, %r2, %r3}, [%rd1];",
    "a rounding that there is not": "add.rx.f32 %f1, %f2, %f3;",
    "a rounding of integers": "add.rn.s32 %r1, %r2, %r3;",
    "no type": "add %r1, %r2, %r3;",
    "a table beyond a byte": "lop3.b32 %r1, %r2, %r3, %r4, 256;",
    "a copy of five bytes": "cp.async.ca.shared.global [%r1], [%rd1], 5;",
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_is_unknown_or_does_not_fit_is_named_with_its_line(what):
    clear = "".join(f"mov.u32 %r{i}, 0;\n" for i in range(1, 5)) + "setp.eq.u32 %p1, %r1, 1;\n"
    text = entry(f"{REGISTERS}{clear}{UNKNOWN[what]}\nret;")
    number = text.splitlines().index(UNKNOWN[what]) + 1
    assert f"line {number}:" in refused(text)


SOUND = """\
add.s32 %r1, %r2, %r3
sub.u64 %rd1, %rd2, %rd3
mul.lo.s32 %r1, %r2, %r3
mul.wide.u32 %rd1, %r2, %r3
mad.lo.s32 %r1, %r2, %r3, %r4
div.s32 %r1, %r2, %r3
rem.u32 %r1, %r2, %r3
min.s32 %r1, %r2, %r3
abs.s32 %r1, %r2
neg.s32 %r1, %r2
and.b32 %r1, %r2, %r3
not.b32 %r1, %r2
shl.b32 %r1, %r2, 3
shr.u32 %r1, %r2, 3
shf.l.wrap.b32 %r1, %r2, %r3, %r4
bfe.u32 %r1, %r2, %r3, %r4
bfi.b32 %r1, %r2, %r3, %r4, %r4
prmt.b32 %r1, %r2, %r3, %r4
lop3.b32 %r1, %r2, %r3, %r4, 0x96
popc.b32 %r1, %r2
clz.b32 %r1, %r2
brev.b32 %r1, %r2
setp.lt.s32 %p1, %r2, %r3
selp.b32 %r1, %r2, %r3, %p1
mov.b32 %r1, %r2
add.rn.f32 %f1, %f2, %f3
mul.f32 %f1, %f2, %f3
fma.rn.f32 %f1, %f2, %f3, %f4
div.rn.f32 %f1, %f2, %f3
sqrt.rn.f32 %f1, %f2
rcp.rn.f32 %f1, %f2
max.f32 %f1, %f2, %f3
setp.gtu.f32 %p1, %f2, %f3
cvt.rn.f32.s32 %f1, %r2
cvt.rzi.s32.f32 %r1, %f2
cvt.u64.u32 %rd1, %r2
shfl.sync.bfly.b32 %r1, %r2, 1, 31, -1
vote.sync.ballot.b32 %r1, %p1, -1
bar.sync 0
cvta.to.global.u64 %rd1, %rd2
membar.gl""".splitlines()
CLEAR = "\n".join(
    [f"mov.u32 %r{i}, 1;" for i in range(1, 5)] + [f"mov.u64 %rd{i}, 1;" for i in range(1, 5)]
    + [f"mov.f32 %f{i}, 0f3F800000;" for i in range(1, 5)] + ["setp.eq.u32 %p1, %r1, 1;"]
)


@pytest.mark.parametrize("statement", SOUND)
def test_a_modifier_that_is_not_known_is_never_passed_over(statement):
    """The instruction itself runs, and with a word more at any place it does not."""
    text = f"{REGISTERS}{CLEAR}\n{{}};\nret;"
    ptx.load(entry(text.format(statement)))["kernel"].launch(1, 32)
    opcode, _, operands = statement.partition(" ")
    parts = opcode.split(".")
    for at in range(1, len(parts) + 1):
        changed = ".".join([*parts[:at], "frob", *parts[at:]])
        refused(entry(text.format(f"{changed} {operands}")), match="line")


@pytest.mark.parametrize(
    "extra",
    ["add.cc.u32 %r1, %r2, %r3;", "addc.u32 %r1, %r2, %r3;", "sub.cc.u32 %r1, %r2, %r3;",
     "mad.lo.cc.u32 %r1, %r2, %r3, %r4;", "set.lt.u32.s32 %r1, %r2, %r3;",
     "vadd4.u32.u32.u32 %r1, %r2, %r3, %r4;", "dp4a.u32.u32 %r1, %r2, %r3, %r4;",
     "ld.global.nc.L1::no_allocate.u32 %r1, [%rd1];", "add.ftz.f32 %f1, %f2, %f3;",
     "st.async.weak.shared::cluster.u32 [%r1], %r2, [%r3];", "wgmma.fence.sync.aligned;",
     "griddepcontrol.wait;", "brkpt;", "add.f16 %h1, %h2, %h3;", "bar.sync 3, 96;"],
)
def test_real_instructions_beyond_the_subset_run_or_are_refused_by_name(extra):
    try:
        ptx.load(entry(f"{REGISTERS}{CLEAR}\nmov.u16 %h2, 0;\nmov.u16 %h3, 0;\n{extra}\nret;"))[
            "kernel"
        ].launch(1, 32)
    except ptx.PTXError as error:
        assert "line" in str(error) and "\n" not in str(error)


WELL_SPELLED = [
    "and.b64 %rd1, %rd2, -32;", "or.b32 %r1, %r2, %r3;", "xor.pred %p1, %p2, %p3;",
    "min.s32 %r1, %r2, %r3;", "max.f32 %f1, %f2, %f3;", "not.b32 %r1, %r2;", "neg.f32 %f1, %f2;",
    "fma.rn.f32 %f1, %f2, %f3, %f4;", "shl.b32 %r1, %r2, 3;", "selp.b32 %r1, %r2, %r3, %p1;",
    "setp.lt.s32 %p1, %r2, %r3;", "setp.lt.and.s32 %p1, %r2, %r3, %p2;", "mov.u32 %r1, %r2;",
    "cvt.u64.u32 %rd1, %r1;", "cvt.rn.bf16x2.f32 %r1, %f1, %f2;", "bfi.b32 %r1, %r2, %r3, 1, 2;",
    "lop3.b32 %r1, %r2, %r3, %r4, 128;", "popc.b32 %r1, %r2;", "sqrt.rn.f32 %f1, %f2;",
    "vote.sync.any.pred %p1, %p2, -1;", "shfl.sync.idx.b32 %r1, %r2, 0, 31, -1;", "membar.gl;",
    "activemask.b32 %r1;", "bar.warp.sync -1;", "bar.sync 0;", "copysign.f32 %f1, %f2, %f3;",
]


@pytest.mark.parametrize("statement", WELL_SPELLED)
def test_an_operand_too_few_or_too_many_is_refused(statement):
    name, _, rest = statement.rstrip(";").partition(" ")
    operands = rest.split(", ") if rest else []
    clear = "".join(f"mov.b{b} %{r}{i}, 0;\n" for b, r in ((32, "r"), (64, "rd"), (32, "f"))
                    for i in range(1, 5)) + "setp.ne.u32 %p1, %r1, 0;\n"
    clear += "".join(f"mov.pred %p{i}, %p1;\n" for i in (2, 3))

    def text(*given):
        return entry(f"{REGISTERS}{clear}{name} {', '.join(given)};\nret;")

    ptx.load(text(*operands))["kernel"].launch(1, 32)
    for count in {*range(len(operands)), len(operands) + 1}:
        refused(text(*[*operands, "%r1"][:count]), match="line")

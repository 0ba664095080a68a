"""Vectors of numbers as values of compiled code: the one place where LLVM shows through.

A `Vector` is what a processor's vector register holds, or several registers side by side: kernels
load, multiply-add and store it as if it were a number, and read like the formula. How many numbers
fit into a register follows the machine (`REGISTER_BITS`) and the dtype, so that the same kernel
serves AVX-512, AVX2, SSE and NEON, float32 and float64.

All functions but `is_large` work in compiled code alone. Arrays are C-contiguous, of float32 or
float64, and counted flat: ``at`` is the place of an element in the array seen as one long row.
Nothing is checked: a kernel that reads beyond an array reads foreign memory.
"""

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from minicnn.compiling.kernels import serial
from minicnn.ops.cpu.linalg.processor import FUSED, MASKS_ARE_FREE, REGISTER_BITS


class Vector(types.Type):
    """Numba's type of a vector: `count` numbers of a float dtype."""

    def __init__(self, dtype: types.Float, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(name=f"Vector({dtype}, {count})")

    @property
    def llvm(self) -> ir.VectorType:
        """The same as LLVM's type."""
        element = ir.FloatType() if self.dtype == types.float32 else ir.DoubleType()
        return ir.VectorType(element, self.count)

    @property
    def suffix(self) -> str:
        """What LLVM appends to an intrinsic's name for this type: ``"v16f32"``."""
        return f"v{self.count}f{self.dtype.bitwidth}"


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    """A vector is kept in registers, as LLVM's type of its own."""

    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector.llvm)


def _of(dtype: types.Float, registers: types.IntegerLiteral) -> Vector:
    """The vector that fills so many registers."""
    return Vector(dtype, registers.literal_value * REGISTER_BITS // dtype.bitwidth)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, at: Any, vector: Any) -> Any:
    """Where element `at` of an array lies, as a pointer to a vector."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), vector.llvm.as_pointer())


def _spread(builder: Any, number: Any, count: int) -> Any:
    """A vector with the same number in every lane."""
    kind = ir.VectorType(number.type, count)
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
    return builder.shuffle_vector(first, undefined, order)


def _mask(builder: Any, valid: Any, vector: Vector) -> Any:
    """Truth values, one a lane: whether its number is below `valid`.

    Compared as integers of the lanes' own width, which takes one instruction.
    """
    kind = ir.IntType(vector.dtype.bitwidth)
    if kind != valid.type:
        valid = builder.trunc(valid, kind)
    numbers = ir.Constant(ir.VectorType(kind, vector.count), list(range(vector.count)))
    return builder.icmp_signed("<", numbers, _spread(builder, valid, vector.count))


def _whole(builder: Any, valid: Any, vector: Vector) -> Any:
    """Whether to do without a mask, as all lanes lie below `valid`."""
    if MASKS_ARE_FREE:
        return ir.Constant(ir.IntType(1), 0)
    return builder.icmp_signed(">=", valid, ir.Constant(valid.type, vector.count))


def _call(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    """Call an intrinsic function of LLVM."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


@intrinsic
def lanes_of(typing_context, array):
    """How many numbers of `array` fit into a register: `lanes` in compiled code, a constant."""
    count = REGISTER_BITS // array.dtype.bitwidth

    def generate(context, builder, sig, args):
        return context.get_constant(types.intp, count)

    return types.intp(array), generate


@intrinsic(prefer_literal=True)
def load(typing_context, array, at, registers):
    """The numbers of `array` from place `at` on, as many as fit into so many registers."""
    vector = _of(array.dtype, registers)

    def generate(context, builder, sig, args):
        pointer = _pointer(context, builder, sig.args[0], args[0], args[1], vector)
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return vector(array, types.intp, registers), generate


@intrinsic(prefer_literal=True)
def load_part(typing_context, array, at, valid, registers):
    """As `load`, but only the first `valid` numbers, which may be none or more than fit.

    The other lanes are 0, and the memory that they would come from is not touched.
    """
    vector = _of(array.dtype, registers)

    def generate(context, builder, sig, args):
        pointer = _pointer(context, builder, sig.args[0], args[0], args[1], vector)
        size = array.dtype.bitwidth // 8
        whole = _whole(builder, args[2], vector)
        with builder.if_else(whole, likely=True) as (then, otherwise):
            with then:
                complete = builder.load(pointer, align=size)
                first = builder.block
            with otherwise:
                align = ir.Constant(ir.IntType(32), size)
                mask = _mask(builder, args[2], vector)
                zeros = ir.Constant(vector.llvm, None)
                name = f"llvm.masked.load.{vector.suffix}.p0"
                partial = _call(builder, name, vector.llvm, [pointer, align, mask, zeros])
                second = builder.block
        result = builder.phi(vector.llvm)
        result.add_incoming(complete, first)
        result.add_incoming(partial, second)
        return result

    return vector(array, types.intp, types.intp, registers), generate


@intrinsic
def store(typing_context, array, at, vector):
    """Write a vector to `array`, from place `at` on."""

    def generate(context, builder, sig, args):
        pointer = _pointer(context, builder, sig.args[0], args[0], args[1], vector)
        builder.store(args[2], pointer, align=vector.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def store_part(typing_context, array, at, valid, vector):
    """As `store`, but only the first `valid` lanes, which may be none or more than there are."""

    def generate(context, builder, sig, args):
        pointer = _pointer(context, builder, sig.args[0], args[0], args[1], vector)
        align = ir.Constant(ir.IntType(32), vector.dtype.bitwidth // 8)
        whole = _whole(builder, args[2], vector)
        with builder.if_else(whole, likely=True) as (then, otherwise):
            with then:
                builder.store(args[3], pointer, align=vector.dtype.bitwidth // 8)
            with otherwise:
                mask = _mask(builder, args[2], vector)
                name = f"llvm.masked.store.{vector.suffix}.p0"
                _call(builder, name, ir.VoidType(), [args[3], pointer, align, mask])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, vector), generate


@intrinsic
def stream(typing_context, array, at, vector):
    """As `store`, but past the caches where the place is a multiple of a register's bytes.

    A cache would first read the line that is written to, and then drop another for it. Other
    threads see what was streamed after a `settle`.
    """

    def generate(context, builder, sig, args):
        pointer = _pointer(context, builder, sig.args[0], args[0], args[1], vector)
        size = REGISTER_BITS // 8
        address = builder.ptrtoint(pointer, ir.IntType(64))
        rest = builder.and_(address, ir.Constant(ir.IntType(64), size - 1))
        aligned = builder.icmp_unsigned("==", rest, ir.Constant(ir.IntType(64), 0))
        with builder.if_else(aligned) as (then, otherwise):
            with then:
                instruction = builder.store(args[2], pointer, align=size)
                one = ir.Constant(ir.IntType(32), 1)
                instruction.set_metadata("nontemporal", builder.module.add_metadata([one]))
            with otherwise:
                builder.store(args[2], pointer, align=vector.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def settle(typing_context):
    """Finish what was streamed, before other threads may read it."""

    def generate(context, builder, sig, args):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def prefetch(typing_context, array, at):
    """Ask for the line of memory with element `at`, which need not lie in the array."""

    def generate(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        pointer = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(8).as_pointer())
        numbers = [ir.Constant(ir.IntType(32), number) for number in (0, 2, 1)]
        _call(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, *numbers])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic(prefer_literal=True)
def spread(typing_context, array, at, registers):
    """The number of `array` at place `at`, in every lane."""
    vector = _of(array.dtype, registers)

    def generate(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        number = builder.load(builder.gep(data, [args[1]]))
        return _spread(builder, number, vector.count)

    return vector(array, types.intp, registers), generate


@intrinsic(prefer_literal=True)
def zeros(typing_context, array, registers):
    """A vector of zeros, of the dtype of `array`."""
    vector = _of(array.dtype, registers)

    def generate(context, builder, sig, args):
        return ir.Constant(vector.llvm, None)

    return vector(array, registers), generate


@intrinsic
def multiply_add(typing_context, a, b, c):
    """``a · b + c`` of three vectors, rounded once where the processor can."""

    def generate(context, builder, sig, args):
        if not FUSED:
            return builder.fadd(builder.fmul(args[0], args[1]), args[2])
        return _call(builder, f"llvm.fma.{a.suffix}", a.llvm, list(args))

    return a(a, a, a), generate


@intrinsic
def positive_part(typing_context, vector):
    """``max(v, 0)`` in every lane; NaN stays."""

    def generate(context, builder, sig, args):
        zeros = ir.Constant(vector.llvm, None)
        return builder.select(builder.fcmp_ordered("<=", args[0], zeros), zeros, args[0])

    return vector(vector), generate


@intrinsic
def where_positive(typing_context, condition, vector):
    """The lanes of `vector` where `condition` is positive; elsewhere those of `condition`."""

    def generate(context, builder, sig, args):
        zeros = ir.Constant(vector.llvm, None)
        return builder.select(builder.fcmp_ordered(">", args[0], zeros), args[1], args[0])

    return vector(condition, vector), generate


def _arithmetic(operation: Any, instruction: str) -> None:
    """Teach Numba an operator between two vectors, or a vector and a number, lane by lane."""

    @infer_global(operation)
    class _Template(AbstractTemplate):
        def generic(self, args, kws):
            vectors = [arg for arg in args if isinstance(arg, Vector)]
            if not vectors or any(vector != vectors[0] for vector in vectors):
                return None
            kinds = [arg if isinstance(arg, Vector) else vectors[0].dtype for arg in args]
            return signature(vectors[0], *kinds)

    def generate(context, builder, sig, args):
        # a product and a sum may become one multiply-add, as in `multiply_add`
        vectors = [
            arg if isinstance(kind, Vector) else _spread(builder, arg, sig.return_type.count)
            for kind, arg in zip(sig.args, args, strict=True)
        ]
        return getattr(builder, instruction)(*vectors, flags=("contract",))

    for kinds in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(operation, *kinds)(generate)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")


STREAM_BYTES = 8 << 20
"""From so many bytes on a result is streamed: several times a common second-level cache."""


def is_large(result: np.ndarray) -> bool:
    """Whether a result leaves the caches before it is read, so that `put` should stream it."""
    return result.nbytes >= STREAM_BYTES


@serial
def put(array, at, vector, large):
    """`stream` where the array is large, else `store`."""
    if large:
        stream(array, at, vector)
    else:
        store(array, at, vector)

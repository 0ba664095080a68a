"""What kernels need beside Numba's own: pointers, moves of 16 bytes, copies, tensor cores.

An intrinsic writes LLVM's instructions, or a line of PTX where LLVM has none. With
`minicnn.ptx.compiler` this is the only file that knows how the compiler does that.
"""

import operator

from llvmlite import ir

from minicnn.ptx.compiler import (
    AttributeTemplate,
    cgutils,
    intrinsic,
    lowering_registry,
    overload,
    types,
    typing_registry,
)

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


# -- pointers -------------------------------------------------------------------------------------


@typing_registry.register_attr
class _PointerAttributes(AttributeTemplate):
    """``x.dtype`` of a pointer, so that a kernel serves float32 and float64."""

    key = types.CPointer

    def resolve_dtype(self, pointer):
        return types.DType(pointer.dtype)


@lowering_registry.lower_getattr(types.CPointer, "dtype")
def _pointer_dtype(context, builder, kind, value):
    return context.get_dummy_value()


@overload(operator.add)
def _pointer_add(pointer, count):
    if isinstance(pointer, types.CPointer) and isinstance(count, types.Integer):
        return lambda pointer, count: _moved(pointer, count)
    return None


@intrinsic
def _moved(typing_context, pointer, count):
    """The pointer to the value that lies `count` values further on, in 64 bits."""

    def write(context, builder, signature, arguments):
        return _place(context, builder, signature, arguments)

    return pointer(pointer, count), write


@intrinsic
def pointer_to(typing_context, address, dtype):
    """The pointer to values of a dtype at an address: ``pointer_to(table[i], x.dtype)``."""
    target = types.CPointer(dtype.dtype)

    def write(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(target))

    return target(types.uint64, dtype), write


# -- several values at once -----------------------------------------------------------------------


@intrinsic
def load4(typing_context, array, i):
    """(a, b, c, d) = array[i : i + 4] in one load of 16 bytes, or in two of doubles.

    The place must be divisible by the size of four values, or by 16 bytes if that is less.
    """
    return _load(array, i, 4)


@intrinsic
def load2(typing_context, array, i):
    """(a, b) = array[i : i + 2] in one load, like `load4`: 16 bytes of doubles."""
    return _load(array, i, 2)


@intrinsic
def store4(typing_context, array, i, a, b, c, d):
    """array[i : i + 4] = a, b, c, d: the other direction of `load4`."""
    return _store(array, i, 4)


@intrinsic
def store2(typing_context, array, i, a, b):
    """array[i : i + 2] = a, b: the other direction of `load2`."""
    return _store(array, i, 2)


def _load(array, i, count):
    """What an intrinsic gives: its types, and what writes the load."""

    def write(context, builder, signature, arguments):
        place, kind, alignment = _several(context, builder, signature, arguments, count)
        value = builder.load(place, align=alignment)
        parts = [builder.extract_element(value, _INT32(k)) for k in range(count)]
        return cgutils.pack_array(builder, parts, ty=kind)

    return types.UniTuple(array.dtype, count)(array, i), write


def _store(array, i, count):
    def write(context, builder, signature, arguments):
        place, kind, alignment = _several(context, builder, signature, arguments, count)
        value = ir.Constant(ir.VectorType(kind, count), ir.Undefined)
        for k, part in enumerate(arguments[2:]):
            value = builder.insert_element(value, part, _INT32(k))
        builder.store(value, place, align=alignment)
        return context.get_dummy_value()

    return types.void(array, i, *(array.dtype,) * count), write


def _several(context, builder, signature, arguments, count):
    """The place of several values as one, the type of a value, and what the place divides by."""
    kind = context.get_value_type(signature.args[0].dtype)
    place = builder.bitcast(
        _place(context, builder, signature, arguments), ir.VectorType(kind, count).as_pointer()
    )
    return place, kind, min(16, count * signature.args[0].dtype.bitwidth // 8)


def _place(context, builder, signature, arguments):
    """Where array[i] is, for a pointer or an array, in shared or global memory."""
    array, (value, i) = signature.args[0], arguments[:2]
    if isinstance(array, types.Array):
        value = context.make_array(array)(context, builder, value=value).data
    wide = types.int64 if signature.args[1].signed else types.uint64
    return builder.gep(value, [context.cast(builder, i, signature.args[1], wide)])


# -- asynchronous copies --------------------------------------------------------------------------


@intrinsic
def copy_async(typing_context, shared, i, x, j, nbytes):
    """Begin to copy 16 bytes from x[j] to shared[i]: nbytes (0 to 16) of them, then zeros."""

    def write(context, builder, signature, arguments):
        kinds = signature.args
        to = _place(context, builder, types.void(kinds[0], kinds[1]), arguments[:2])
        source = _place(context, builder, types.void(kinds[2], kinds[3]), arguments[2:4])
        to = builder.addrspacecast(to, ir.PointerType(to.type.pointee, addrspace=3))
        _ptx(
            builder, "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,r,~{memory}",
            builder.ptrtoint(to, _INT32), builder.ptrtoint(source, _INT64), arguments[4],
        )
        return context.get_dummy_value()

    return types.void(shared, i, x, j, types.int32), write


@intrinsic
def commit_copies(typing_context):
    """Make one group of all copies that were begun since the last group."""

    def write(context, builder, signature, arguments):
        _ptx(builder, "cp.async.commit_group;", "~{memory}")
        return context.get_dummy_value()

    return types.void(), write


@intrinsic
def wait_for_copies(typing_context, groups):
    """Wait until at most so many groups, a literal number, are under way."""
    if not isinstance(groups, types.IntegerLiteral):
        return None
    count = groups.literal_value

    def write(context, builder, signature, arguments):
        _ptx(builder, f"cp.async.wait_group {count};", "~{memory}")
        return context.get_dummy_value()

    return types.void(groups), write


# -- time -----------------------------------------------------------------------------------------


@intrinsic
def clock(typing_context):
    """The cycles that this multiprocessor has counted, in 32 bits; memory is not read across it."""

    def write(context, builder, signature, arguments):
        kind = ir.FunctionType(_INT32, [])
        line = ir.InlineAsm(kind, "mov.u32 $0, %clock;", "=r,~{memory}", side_effect=True)
        return builder.call(line, [])

    return types.uint32(), write


# -- tensor cores ---------------------------------------------------------------------------------
# A warp multiplies A (16, 8) by B (8, 8). Of each matrix a lane holds a fragment: with
# g = lane // 4 and t = lane % 4,
#
#   a  A[g, t]   A[g+8, t]   A[g, t+4]   A[g+8, t+4]
#   b  B[t, g]   B[t+4, g]
#   c  C[g, 2t]  C[g, 2t+1]  C[g+8, 2t]  C[g+8, 2t+1]
#
# (PTX ISA, "Matrix Fragments for mma.m16n8k8".) Numbers of A and B are TF32: float32 whose fraction
# has 10 bits.

_FLOAT32 = ir.FloatType()


@intrinsic
def round_to_tf32(typing_context, number):
    """A float32 with its fraction rounded to 10 bits, ties away from zero, as uint32 bits."""

    def write(context, builder, signature, arguments):
        return _ptx(builder, "cvt.rna.tf32.f32 $0, $1;", "=r,f", *arguments, result=_INT32)

    return types.uint32(types.float32), write


@intrinsic
def multiply_fragments(typing_context, a0, a1, a2, a3, b0, b1, c0, c1, c2, c3):
    """The lane's fragment of A B + C, a tuple: all lanes of a warp call it together."""

    def write(context, builder, signature, arguments):
        fragment = ir.LiteralStructType([_FLOAT32] * 4)
        result = _ptx(
            builder,
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
            "{$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};",
            "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f", *arguments, result=fragment, together=True,
        )
        parts = [builder.extract_value(result, k) for k in range(4)]
        return cgutils.pack_array(builder, parts, ty=_FLOAT32)

    bits, real = (types.uint32,) * 6, (types.float32,) * 4
    return types.UniTuple(types.float32, 4)(*bits, *real), write


def _ptx(builder, text, constraints, *arguments, result=None, together=False):
    """One line of PTX, with its operands as LLVM writes them.

    A line that has no result, or that lanes execute together, stays where it stands.
    """
    kind = ir.FunctionType(result or ir.VoidType(), [argument.type for argument in arguments])
    stays = together or result is None
    return builder.call(ir.InlineAsm(kind, text, constraints, side_effect=stays), arguments)

"""Blocks of a kernel side by side in Numba's threads: how compiled code starts another function.

Numba's own ``parallel=True`` compiles a function and three wrappers around each loop, and the
loop's body again in each of them. Here a body is compiled once, and started by its address.

All threads call one small function, `_share_of`, made anew for each signature. It does not contain
the body, so that it takes a few hundredths of a second to compile.
"""

import functools
import hashlib
import importlib
from types import FunctionType
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_BYTES = ir.IntType(8).as_pointer()
_SIZE = ir.IntType(64)
_INDEX = ir.IntType(32)

_body: Any = None
"""What `_start` runs: each copy of it has its own."""


def _start(blocks: int, threaded: bool, *arguments: Any) -> None:
    run(_body, blocks, threaded, arguments)


def start_of(body: Any) -> FunctionType:
    """A function for Numba to compile, by which Python starts a body.

    Its arguments are the number of blocks, whether to use threads, and the body's other arguments.
    It bears the body's name, and the disk cache knows it by this file.
    """
    function = body.py_func
    start = FunctionType(_start.__code__, {**globals(), "_body": body}, function.__name__)
    start.__module__ = function.__module__
    start.__qualname__ = f"{function.__module__}.{function.__qualname__}"
    return start


def _name_of(body: Any, arguments: tuple[Any, ...]) -> str:
    """The name by which compiled code finds a body for arguments of these types."""
    told = f"{body.py_func.__module__}.{body.py_func.__qualname__}{arguments}"
    return f"minicnn_{hashlib.sha256(told.encode()).hexdigest()}"


def _link(body: Any, arguments: tuple[Any, ...]) -> None:
    """Compile a body for arguments of these types, or load it, so that code finds it."""
    signature = (types.intp, *arguments)
    body.compile(signature)
    compiled = body.overloads[signature]
    address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    llvm.add_symbol(_name_of(body, arguments), address)
    numba.get_num_threads()  # Numba's threads are found by name too


def _link_again(module: str, name: str, arguments: tuple[Any, ...]) -> None:
    """The same before a start is loaded from the disk cache."""
    _link(getattr(importlib.import_module(module), name).body, arguments)


@intrinsic
def run(typing_context: Any, body: Any, blocks: Any, threaded: Any, arguments: Any) -> Any:
    """Call ``body(block, *arguments)`` for each block: in threads, or else one after another.

    Each thread takes blocks that follow each other. The body returns nothing; what it raises is
    told as a MemoryError, for nothing else can go wrong in a kernel.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        function = body.dispatcher.py_func
        _link(body.dispatcher, arguments.types)
        context.active_code_library._reload_init.add(functools.partial(
            _link_again, function.__module__, function.__qualname__, arguments.types
        ))
        name = _name_of(body.dispatcher, arguments.types)
        _, blocks, threaded, values = args
        shared = cgutils.pack_struct(builder, [_SIZE(1), blocks, _SIZE(0), values])
        place = cgutils.alloca_once_value(builder, shared)
        share_of = _share_of(context, builder.module, name, arguments, shared.type)
        threads = builder.call(_external(builder, "get_num_threads", _SIZE, []), [])
        parallel = builder.and_(
            context.cast(builder, threaded, types.boolean, types.boolean),
            builder.icmp_signed(">", threads, _SIZE(1)),
        )
        # the share's number is passed as the address of the first of so many bytes
        first = cgutils.alloca_once_value(builder, ir.Constant(_BYTES, None))
        count = cgutils.alloca_once_value(builder, _SIZE(1))
        step = cgutils.alloca_once_value(builder, _SIZE(1))
        data = builder.bitcast(place, _BYTES)
        with builder.if_else(parallel) as (then, otherwise):
            with then:
                builder.store(threads, builder.gep(place, [_INDEX(0), _INDEX(0)]))
                builder.store(threads, count)
                start = _external(
                    builder, "numba_parallel_for", ir.VoidType(), [_BYTES] * 5 + [_SIZE] * 3
                )
                pointers = [builder.bitcast(p, _BYTES) for p in (share_of, first, count, step)]
                builder.call(start, [*pointers, data, _SIZE(0), _SIZE(1), threads])
            with otherwise:
                builder.call(share_of, [first, count, step, data])
        failed = builder.load(builder.gep(place, [_INDEX(0), _INDEX(2)]))
        with cgutils.if_unlikely(builder, cgutils.is_not_null(builder, failed)):
            context.call_conv.return_user_exc(builder, MemoryError, ("in a kernel",))
        return context.get_dummy_value()

    return types.void(body, types.intp, types.boolean, arguments), generate


def _external(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    """A function of Numba's threads, by its name."""
    return cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(result, arguments), name
    )


def _share_of(context: Any, module: Any, name: str, arguments: Any, shared: Any) -> Any:
    """The function that a thread calls: its share of the blocks, one after another.

    Numba's threads call it as ``f(pointers, count, steps, data)``: here the first pointer is the
    share's number, `count` is how many shares to do, and `data` are the numbers of shares and of
    blocks, a place to tell that something failed, and the arguments.
    """
    kind = ir.FunctionType(
        ir.VoidType(), [_BYTES.as_pointer(), _SIZE.as_pointer(), _SIZE.as_pointer(), _BYTES]
    )
    function = ir.Function(module, kind, f"share_of_{name}")
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block())
    first, count, _, data = function.args
    place = builder.bitcast(data, shared.as_pointer())
    shares, blocks, _, values = cgutils.unpack_tuple(builder, builder.load(place), 4)
    share = builder.ptrtoint(builder.load(first), _SIZE)
    start = builder.sdiv(builder.mul(share, blocks), shares)
    past = builder.add(share, builder.load(count))
    stop = builder.sdiv(builder.mul(past, blocks), shares)
    types_of_body = (types.intp, *arguments.types)
    body = cgutils.get_or_insert_function(
        module, context.call_conv.get_function_type(types.none, types_of_body), name
    )
    unpacked = cgutils.unpack_tuple(builder, values, len(arguments))
    with cgutils.for_range_slice(builder, start, stop, _SIZE(1)) as (block, _):
        status, _ = context.call_conv.call_function(
            builder, body, types.none, types_of_body, [block, *unpacked]
        )
        with cgutils.if_unlikely(builder, status.is_error):
            builder.store(_SIZE(1), builder.gep(place, [_INDEX(0), _INDEX(2)]))
    builder.ret_void()
    return function

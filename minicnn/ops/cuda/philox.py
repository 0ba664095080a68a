"""Philox 4×32-10: random numbers as a function of a counter and a key, with no state.

Salmon, Moraes, Dror and Shaw 2011, *Parallel random numbers: as easy as 1, 2, 3*, section 3.3. Any
thread can draw the numbers of any place, so that they do not depend on the launch.
"""

from minicnn.ops.cuda.compile import device_function, uint32, uint64

ROUNDS = 10
MULTIPLIER_0, MULTIPLIER_1 = 0xD2511F53, 0xCD9E8D57
WEYL_0, WEYL_1 = 0x9E3779B9, 0xBB67AE85
"""What is added to the key after a round: the golden ratio, and sqrt(3) - 1, in 32 bits."""


@device_function
def philox(counter, key):
    """Four random uint32 for a counter of four uint32 and a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        even, odd = _product(c0, MULTIPLIER_0), _product(c2, MULTIPLIER_1)
        c0, c1 = uint32(_high(odd) ^ c1 ^ k0), _low(odd)
        c2, c3 = uint32(_high(even) ^ c3 ^ k1), _low(even)
        k0, k1 = uint32(k0 + uint32(WEYL_0)), uint32(k1 + uint32(WEYL_1))
    return c0, c1, c2, c3


@device_function
def words(value):
    """The lower and the upper half of a uint64."""
    return _low(value), _high(value)


@device_function
def _product(a, b):
    """The whole product of two numbers of 32 bits."""
    return uint64(a) * uint64(b)


@device_function
def _high(value):
    return uint32(value >> uint64(32))


@device_function
def _low(value):
    return uint32(value)

"""Philox 4×32-10 with Python's own integers (Salmon et al. 2011, section 3.3)."""

FULL = 2**32 - 1


def philox_in_python(counter: list[int], key: list[int]) -> list[int]:
    """Four numbers of 32 bits for a counter of four and a key of two."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        first, second = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (second >> 32) ^ b ^ k, second & FULL, (first >> 32) ^ d ^ m, first & FULL
        k, m = (k + 0x9E3779B9) & FULL, (m + 0xBB67AE85) & FULL
    return [a, b, c, d]

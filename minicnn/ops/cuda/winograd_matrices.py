"""The matrices of Winograd's F(4, 3), as functions that kernels call.

They are those of `minicnn.ops.cpu.conv2d_winograd_matrices`, where they are derived: points 0, 1,
-1, ½, -2 and ∞. Each function multiplies a vector by one matrix, in few additions. The vector's
elements are ``d[at]``, ``d[at + step]``, ``d[at + 2 * step]`` and so on, in a thread's registers.
"""

from minicnn.ops.cuda.compile import device_function


@device_function
def bt_times(d, at, step):
    """Bᵀ d: six inputs to six frequencies."""
    real = d.dtype.type
    d0, d1, d2 = d[at], d[at + step], d[at + 2 * step]
    d3, d4, d5 = d[at + 3 * step], d[at + 4 * step], d[at + 5 * step]
    odd, even = d3 - d1, d4 - d2
    return (
        d0 - d2 - d2 + d4 + real(1.5) * odd,
        (d4 + real(0.5) * d2) + (real(2.5) * d3 - d1),
        (d4 - real(2.5) * d2) + (real(0.5) * d3 + d1),
        even + real(2.0) * odd,
        even - real(0.5) * odd,
        d1 - d3 - d3 + d5 + real(1.5) * even,
    )


@device_function
def g_times(g, at, step):
    """G g: three weights to six frequencies."""
    real = g.dtype.type
    g0, g1, g2 = g[at], g[at + step], g[at + 2 * step]
    even = g0 + g2
    return (
        g0,
        (even + g1) * real(1 / 3),
        (g1 - even) * real(1 / 3),
        (g0 + real(0.5) * g1 + real(0.25) * g2) * real(-16 / 15),
        (g0 - real(2.0) * g1 + real(4.0) * g2) * real(1 / 15),
        g2,
    )


@device_function
def at_times(m, at, step):
    """Aᵀ m: six frequencies to four outputs."""
    real = m.dtype.type
    m0, m1, m2 = m[at], m[at + step], m[at + 2 * step]
    m3, m4, m5 = m[at + 3 * step], m[at + 4 * step], m[at + 5 * step]
    even, odd = m1 + m2, m1 - m2
    return (
        m0 + even + m3 + m4,
        odd + real(0.5) * m3 - real(2.0) * m4,
        even + real(0.25) * m3 + real(4.0) * m4,
        odd + real(0.125) * m3 - real(8.0) * m4 + m5,
    )


@device_function
def a_times(y, at, step):
    """A y: four output gradients to six frequencies, the transpose of `at_times`."""
    real = y.dtype.type
    y0, y1, y2, y3 = y[at], y[at + step], y[at + 2 * step], y[at + 3 * step]
    even, odd = y0 + y2, y1 + y3
    return (
        y0,
        even + odd,
        even - odd,
        y0 + real(0.5) * y1 + real(0.25) * y2 + real(0.125) * y3,
        y0 - real(2.0) * y1 + real(4.0) * y2 - real(8.0) * y3,
        y3,
    )


@device_function
def gt_times(u, at, step):
    """Gᵀ u: six frequencies to three weights' gradients, the transpose of `g_times`."""
    real = u.dtype.type
    u0, u1, u2 = u[at], u[at + step], u[at + 2 * step]
    u3, u4, u5 = u[at + 3 * step], u[at + 4 * step], u[at + 5 * step]
    even, odd = (u1 + u2) * real(1 / 3), (u1 - u2) * real(1 / 3)
    half, two = u3 * real(-16 / 15), u4 * real(1 / 15)
    return (
        u0 + odd + half + two,
        even + real(0.5) * half - real(2.0) * two,
        odd + real(0.25) * half + real(4.0) * two + u5,
    )

"""Prints the numbers of src/expand/table.rs. Needs mpmath; run by hand when a polynomial changes.

Those that cost the most time in simulations are the best polynomials of their degree (Remez 1934); the others
interpolate their functions at Chebyshev nodes, which is within a small factor of that. All arithmetic has 100
digits; then coefficients are rounded to the format.
"""

import struct

from mpmath import atan, asin, atanh, chebyfit, cos, exp, ln, log10, lu_solve, matrix, mp, mpf, pi, sin, sinh, sqrt

mp.dps = 100


def to_format(x, bits):
    """x rounded to single or double, as a Python float."""
    return struct.unpack("<f", struct.pack("<f", float(x)))[0] if bits == 24 else float(x)


def parts(x, bits, count, first=None):
    """x as a sum of `count` floats; the first with at most `first` significant bits."""
    out = []
    for i in range(count):
        if i == 0 and first:
            e = mp.floor(mp.log(abs(x), 2)) + 1 - first
            p = float(mp.nint(x / mpf(2) ** e) * mpf(2) ** e)
        else:
            p = to_format(x, bits)
        out.append(p)
        x -= p
    return out


def root(f):
    """f of a square root, for even and odd functions as functions of the square."""
    return lambda z: f(sqrt(z))


# name: function, interval, weight by which an error in it enters the result relatively
tiny = mpf(10) ** -30
POLYNOMIALS = {
    "log_tail": (root(lambda s: (atanh(s) / s - 1 - s**2 / 3) / s**4), (0, 0.02944), lambda z: 128 * z**2),
    "sin": (root(lambda r: (sin(r) - r) / r**3), (0, 0.64), lambda z: z),
    "cos": (root(lambda r: (cos(r) - 1 + r**2 / 2) / r**4), (0, 0.64), lambda z: z**2),
    "atan": (root(lambda t: (atan(t) - t) / t**3), (0, 0.1716), lambda z: z),
    "asin": (root(lambda x: (asin(x) - x) / x**3), (0, 0.2501), lambda z: z),
    "sinh": (root(lambda x: (sinh(x) - x) / x**3), (0, 1), lambda z: z),
}
HALF_OCTAVES = (sqrt(mpf(0.5)) - 1 - mpf("1e-7"), sqrt(mpf(2)) - 1 + mpf("1e-7"))
# the same, and how many coefficients single and double take
BEST = {
    "exp": (lambda r: (exp(r) - 1 - r) / r**2, (-0.34660, 0.34661), lambda r: r**2 / exp(r), (5, 10)),
    "log": (lambda f: (ln(1 + f) - f + f**2 / 2) / f**3, HALF_OCTAVES, lambda f: f**2, (8, 19)),
    "log_of_unit": (lambda f: ln(1 + f) / f, HALF_OCTAVES, lambda f: f / ln(1 + f), (9, 18)),
    "sin_of_half_turns": (root(lambda w: sin(pi * w) / w), (0, 0.25), root(lambda w: w / sin(pi * w)), (5, 9)),
}


def best(f, interval, weight, count):
    """The polynomial with `count` coefficients whose weighted error has the smallest maximum, by exchange."""
    a, b = (mpf(x) for x in interval)

    def apart(g):
        return lambda x: g(x if abs(x) > mpf(10) ** -18 else mpf(10) ** -18)

    f, weight = apart(f), apart(weight)
    n = count + 1
    points = [(a + b) / 2 - (b - a) / 2 * cos(pi * (i + mpf(0.5)) / n) for i in range(n)]
    grid = [a + (b - a) * (1 - cos(pi * i / (40 * n))) / 2 for i in range(40 * n + 1)]
    for _ in range(12):
        system = matrix(n, n)
        for i, x in enumerate(points):
            for j in range(count):
                system[i, j] = x**j
            system[i, count] = (-1) ** i / weight(x)
        solution = lu_solve(system, matrix([f(x) for x in points]))
        coefficients = [solution[j] for j in range(count - 1, -1, -1)]
        errors = [weight(x) * (mp.polyval(coefficients, x) - f(x)) for x in grid]
        # the largest error of each run of one sign
        peaks, i = [], 0
        while i < len(grid):
            j = peak = i
            while j < len(grid) and errors[j] * errors[i] >= 0:
                peak = j if abs(errors[j]) > abs(errors[peak]) else peak
                j += 1
            peaks.append(peak)
            i = j
        while len(peaks) > n:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        largest, smallest = max(abs(e) for e in errors), min(abs(errors[k]) for k in peaks)
        if len(peaks) < n or largest < smallest * mpf(1.0005):
            break
        points = [grid[k] for k in peaks]
    return coefficients


def best_rounded(f, interval, weight, count, bits):
    coefficients = [to_format(c, bits) for c in best(f, interval, weight, count)]
    a, b = (mpf(x) for x in interval)
    points = [a + (b - a) * i / 1000 for i in range(1001)]
    error = max(abs(mp.polyval(coefficients, x) - f(x)) * weight(x) for x in points if abs(x) > mpf(10) ** -18)
    return coefficients, error


def polynomial(f, interval, weight, bits):
    a, b = (mpf(x) for x in interval)
    a = a or tiny

    def safe(x):
        return f(x if abs(x) > tiny else tiny)

    goal = mpf(2) ** -(bits + 3.5)
    for n in range(2, 30):
        coefficients = [to_format(c, bits) for c in chebyfit(safe, [a, b], n)]
        points = [a + (b - a) * i / 200 for i in range(201)]
        error = max(abs(mp.polyval(coefficients, x) - safe(x)) * weight(x) for x in points if abs(x) > tiny)
        if error < goal:
            return coefficients, error
    return coefficients, error


def literal(x):
    """x with digits in groups, as rustfmt's lints ask."""
    text = repr(float(x))
    mantissa, _, exponent = text.partition("e")
    whole, _, digits = mantissa.lstrip("-").partition(".")
    if len(whole) > 3:
        whole = f"{int(whole):_}"
    groups = "_".join(digits[i : i + 3] for i in range(0, len(digits), 3))
    sign = "-" if mantissa.startswith("-") else ""
    return sign + whole + "." + (groups or "0") + (f"e{int(exponent)}" if exponent else "")


def array(numbers):
    return "[" + ", ".join(literal(x) for x in numbers) + "]"


for bits, name in ((24, "SINGLE"), (53, "DOUBLE")):
    short = 15 if bits == 24 else 42
    print(f"const {name}: Table = Table {{")
    print(f"    ln2: {array(parts(ln(2), bits, 2, short))},")
    print(f"    lg2: {array(parts(log10(2), bits, 2, short))},")
    print(f"    per_ln2: {array(parts(1 / ln(2), bits, 2))},")
    print(f"    per_ln10: {array(parts(1 / ln(10), bits, 2))},")
    print(f"    pio2: {array(parts(pi / 2, bits, 3))},")
    for key, (f, interval, weight, counts) in BEST.items():
        coefficients, error = best_rounded(f, interval, weight, counts[bits == 53], bits)
        print(f"    // Relative error of the function below 2^{float(mp.log(error, 2)):.1f}.")
        print(f"    {key}: &{array(coefficients)},")
    for key, (f, interval, weight) in POLYNOMIALS.items():
        coefficients, error = polynomial(f, interval, weight, bits)
        print(f"    // Relative error of the function below 2^{float(mp.log(error, 2)):.1f}.")
        print(f"    {key}: &{array(coefficients)},")
    print("};")

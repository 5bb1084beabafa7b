"""Divisors, sequences, powers, and everyday conversions."""
import calendar
import math
import re
from fractions import Fraction

import sympy
from sympy.stats import Binomial, density

from .reading import (
    asks_rounding,
    between,
    exact,
    is_written_as,
    numbers,
    parts,
    rounded,
    rounds_to,
)

ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
ROMAN_FORM = r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})"


def listed(values):
    """A check for a comma-separated list, from a function of the statement's numbers."""
    return lambda problem, solution: is_written_as(
        solution, ", ".join(map(str, values(*numbers(problem))))
    )


def common_factors(a, b):
    return sorted(set(sympy.divisors(a)) & set(sympy.divisors(b)))


def prime_factors(number):
    return [prime for prime, times in sorted(sympy.factorint(number).items()) for _ in range(times)]


def progression_terms(first, second, third, count):
    assert second - first == third - second
    return range(first, first + count * (second - first), second - first)


def geometric_progression(problem, solution):
    first, second, third, place, count = numbers(problem)
    ratio = sympy.Rational(second, first)
    term = first * ratio ** (place - 1)
    total = first * (ratio**count - 1) / (ratio - 1)
    return third == second * ratio and parts(solution) == [str(ratio), str(term), str(total)]


def geometric_mean(*values):
    return sympy.root(math.prod(values), len(values))


def harmonic_mean(*values):
    return len(values) / sum(sympy.Rational(1, value) for value in values)


def norm(*entries):
    return sympy.Matrix(entries).norm()


def binomial_distribution(percent, batch, most):
    chances = density(Binomial("rejected", batch, sympy.Rational(percent, 100)))
    return 100 * sum(chances(k) for k in range(most + 1))


def quotient_of_powers(problem, solution):
    (a, b), (c, d) = re.findall(r"(\d+)\^(\d+)", problem)
    return is_written_as(solution, sympy.Rational(int(a) ** int(b), int(c) ** int(d)))


def signum(problem, solution):
    a, p, b, q = numbers(problem)
    return is_written_as(solution, a * sympy.sign(p) + b * sympy.sign(q))


def argument(problem, solution):
    real, imaginary = re.search(r"number (-?\d+)([+-]\d+)i,", problem).groups()
    value = sympy.arg(int(real) + int(imaginary) * sympy.I)
    return asks_rounding(problem) and rounds_to(solution, value)


def scientific_product(problem, solution):
    (a, m), (b, n) = re.findall(r"(\d[\d.]*) \* 10\^(-?\d+)", problem)
    value = Fraction(a) * Fraction(b) * Fraction(10) ** (int(m) + int(n))
    mantissa, exponent = solution.split("e")
    return 1 <= Fraction(mantissa) < 10 and value == Fraction(mantissa) * Fraction(10) ** int(exponent)


def surds(problem, solution):
    (a, p), (b, q) = re.findall(r"(\d+)\^\(1/(\d+)\)", problem)
    difference = sympy.root(int(a), int(p)) - sympy.root(int(b), int(q))
    return solution == {1: ">", -1: "<"}[int(sympy.sign(sympy.N(difference, 50)))]


def profit_loss(problem, solution):
    cost, price = numbers(problem)
    outcome = "profit" if price > cost else "loss"
    share = sympy.Rational(100 * abs(price - cost), cost)
    return f" is the {outcome}?" in problem and asks_rounding(problem) and rounds_to(solution, share)


def minutes_to_hours(problem, solution):
    total, _ = numbers(problem)
    hours, minutes = divmod(total, 60)
    return is_written_as(solution, f"{hours} hours, {minutes} minutes")


def leap_year(problem, solution):
    (year,) = numbers(problem)
    return solution == ("yes" if calendar.isleap(year) else "no")


def roman_numerals(problem, solution):
    (number,) = numbers(problem)
    values = [ROMAN[letter] for letter in solution] + [0]
    total = sum(-a if a < b else a for a, b in zip(values, values[1:]))
    return re.fullmatch(ROMAN_FORM, solution) is not None and total == number


def base_conversion(problem, solution):
    digits, source, target = re.search(
        r"number (\w+) from base (\d+) to base (\d+)\.", problem
    ).groups()
    written, base = solution.split("_")
    return (
        base == target
        and written == written.upper().lstrip("0")
        and int(written, int(base)) == int(digits, int(source))
    )


def set_operation(problem, solution):
    a, b = (set(numbers(found)) for found in re.findall(r"= \{(.*?)\}", problem))
    result = {
        "union of A and B": a | b,
        "intersection of A and B": a & b,
        "difference A - B": a - b,
        "difference B - A": b - a,
        "symmetric difference of A and B": a ^ b,
    }[between(problem, "What is the ", " for")]
    return is_written_as(solution, "{" + ", ".join(map(str, sorted(result))) + "}")


CHECKS = {
    "gcd": exact(math.gcd),
    "hcf": exact(math.gcd),
    "lcm": exact(math.lcm),
    "factors": listed(sympy.divisors),
    "common_factors": listed(common_factors),
    "prime_factors": listed(prime_factors),
    "arithmetic_progression_term": exact(
        lambda count, a, b, c: progression_terms(a, b, c, count)[-1]
    ),
    "arithmetic_progression_sum": exact(
        lambda count, a, b, c: sum(progression_terms(a, b, c, count))
    ),
    "geometric_progression": geometric_progression,
    "geometric_mean": rounded(geometric_mean),
    "harmonic_mean": rounded(harmonic_mean),
    "euclidian_norm": rounded(norm),
    "binomial_distribution": rounded(binomial_distribution),
    "quotient_of_power_same_base": quotient_of_powers,
    "quotient_of_power_same_power": quotient_of_powers,
    "signum_function": signum,
    "complex_to_polar": argument,
    "product_of_scientific_notations": scientific_product,
    "surds_comparison": surds,
    "celsius_to_fahrenheit": exact(lambda celsius: Fraction(celsius * 9, 5) + 32),
    "profit_loss_percent": profit_loss,
    "minutes_to_hours": minutes_to_hours,
    "is_leap_year": leap_year,
    "decimal_to_roman_numerals": roman_numerals,
    "base_conversion": base_conversion,
    "set_operation": set_operation,
}

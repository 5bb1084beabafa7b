"""Sums as on paper, powers, fractions and primes."""
import math
from fractions import Fraction

import sympy

from .reading import (
    asks_rounding,
    exact,
    fractions,
    is_written_as,
    numbers,
    reduced,
    rounded,
    rounds_to,
)


def yes_or_no(holds):
    return lambda problem, solution: is_written_as(
        solution, "yes" if holds(numbers(problem)[0]) else "no"
    )


def power_of_powers(problem, solution):
    base, inner, outer, again = numbers(problem.replace("^", " "))
    got_base, got = solution.split("^")
    return again == int(got_base) == base and int(got_base) ** int(got) == (base**inner) ** outer


def of_two_fractions(operate):
    def check(problem, solution):
        a, b = fractions(problem)
        value = operate(a, b)
        return value.denominator > 1 and reduced(solution, value)

    return check


def compare_fractions(problem, solution):
    a, b = fractions(problem)
    return {"<": a < b, "=": a == b, ">": a > b}[solution]


def fraction_to_decimal(problem, solution):
    (value,) = fractions(problem)
    return asks_rounding(problem) and rounds_to(solution, sympy.Rational(value))


CHECKS = {
    "addition": exact(lambda a, b: sum((a, b))),
    "subtraction": exact(lambda a, b: a - b),
    "multiplication": exact(lambda a, b: a * b),
    "division": rounded(sympy.Rational),
    "percentage": exact(lambda a, b: Fraction(a * b, 100)),
    "square_root": rounded(sympy.sqrt),
    "exponentiation": exact(lambda a, b: a**b),
    "factorial": exact(math.factorial),
    "absolute_difference": exact(lambda a, b: abs(a - b)),
    "square": exact(lambda a: a**2),
    "cube_root": rounded(sympy.cbrt),
    "power_of_powers": power_of_powers,
    "percentage_difference": rounded(
        lambda a, b: sympy.Rational(abs(a - b)) / sympy.Rational(a + b, 2) * 100
    ),
    "percentage_error": rounded(
        lambda observed, true: sympy.Rational(abs(observed - true), abs(true)) * 100
    ),
    "greatest_common_divisor": exact(math.gcd),
    "is_prime": yes_or_no(sympy.isprime),
    "is_composite": yes_or_no(lambda n: n > 1 and not sympy.isprime(n)),
    "fraction_to_decimal": fraction_to_decimal,
    "divide_fractions": of_two_fractions(lambda a, b: a / b),
    "fraction_multiplication": of_two_fractions(lambda a, b: a * b),
    "compare_fractions": compare_fractions,
}

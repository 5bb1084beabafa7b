"""What the checks of all fields read: numbers, fractions and polynomials in plain text."""
import re
from fractions import Fraction

import sympy
from sympy.parsing.sympy_parser import (
    implicit_multiplication_application,
    parse_expr,
    standard_transformations,
)

TRANSFORMATIONS = (*standard_transformations, implicit_multiplication_application)
X = sympy.Symbol("x")


def numbers(text):
    """The whole numbers that stand by themselves in a text, with the minus directly before them."""
    return [int(number) for number in re.findall(r"(?<![\w.])-?\d+(?!\w|\.\d)", text)]


def fractions(text):
    """The fractions a/b in a text."""
    return [Fraction(int(a), int(b)) for a, b in re.findall(r"(-?\d+)/(\d+)", text)]


def between(text, before, after):
    """The one stretch of a text between two others."""
    (found,) = re.findall(re.escape(before) + "(.*?)" + re.escape(after), text)
    return found


def expression(text):
    """A polynomial, or anything else that sympy can read once ^ is a power."""
    return parse_expr(text.replace("^", "**"), {"x": X}, transformations=TRANSFORMATIONS)


def is_written_as(solution, value):
    """Whether a solution is exactly this text."""
    return solution == str(value)


def is_exactly(solution, value):
    """Whether a decimal number without needless decimals is this value."""
    plain = re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", solution)
    return plain is not None and Fraction(solution) == Fraction(value)


def rounds_to(solution, value):
    """Whether a number with two decimals is what this value rounds to, and that not at a half."""
    if re.fullmatch(r"-?(0|[1-9]\d*)\.\d\d", solution) is None:
        return False
    off = abs(sympy.Rational(solution) - sympy.sympify(value))
    return sympy.N(sympy.Rational(1, 200) - off, 40) > sympy.Rational(1, 10**8)


def asks_rounding(problem):
    return problem.endswith(" Round to two decimals.")


def rounded(value):
    """A check for kinds that ask for two decimals, from a function of the statement's numbers."""
    return lambda problem, solution: asks_rounding(problem) and rounds_to(
        solution, value(*numbers(problem))
    )


def exact(value):
    """A check for kinds that ask for an exact number, from a function of the statement's numbers."""
    return lambda problem, solution: is_exactly(solution, value(*numbers(problem)))


def reduced(solution, value):
    """Whether a solution is a fraction a/b, or a whole number, in lowest terms."""
    return solution == str(Fraction(value))


def parts(solution):
    """The parts of (1.50, 2.25)."""
    return re.fullmatch(r"\((.*)\)", solution)[1].split(", ")

"""Equations, polynomials, complex numbers, vectors and matrices."""
import ast
import re
from fractions import Fraction

import sympy

from .reading import (
    X,
    between,
    exact,
    expression,
    is_exactly,
    numbers,
    parts,
    rounded,
    rounds_to,
)

Y = sympy.Symbol("y")


def equations(problem, between_texts):
    """The equations of a statement, as what has to be 0."""
    sides = [between(problem, *texts).split(" = ") for texts in between_texts]
    return [expression(left) - expression(right) for left, right in sides]


def basic_algebra(problem, solution):
    (zero,) = equations(problem, [("equation ", " for")])
    return [sympy.Integer(solution)] == sympy.solve(zero, X)


def logarithm(problem, solution):
    power, base = numbers(problem)
    return sympy.Integer(solution) == sympy.log(power, base)


def two_unknowns(problem, texts):
    return sympy.solve(equations(problem, texts), [X, Y], dict=True)


def system_of_equations(problem, solution):
    (found,) = two_unknowns(problem, [("Given ", " and"), (" and ", ", what")])
    return sympy.Integer(solution) == found[X]


def is_point(solution, x, y):
    return solution == f"({x}, {y})"


def linear_equations(problem, solution):
    (found,) = two_unknowns(problem, [("equations ", " and"), (" and ", ", solve")])
    return is_point(solution, found[X], found[Y])


def intersection(problem, solution):
    (found,) = two_unknowns(problem, [("lines ", " and "), (" and ", " intersect")])
    return is_point(solution, found[X], found[Y])


def midpoint(problem, solution):
    a, b, c, d = numbers(problem)
    middle = sympy.Point(a, b).midpoint(sympy.Point(c, d))
    x, y = parts(solution)
    return is_exactly(x, Fraction(str(middle.x))) and is_exactly(y, Fraction(str(middle.y)))


def distance(x, y, other_x, other_y):
    return sympy.Point(x, y).distance(sympy.Point(other_x, other_y))


def compound_interest(deposit, rate, years):
    return deposit * (1 + sympy.Rational(rate, 100)) ** years


def factoring(problem, solution):
    asked = expression(between(problem, "Factor ", " into"))
    form = re.fullmatch(r"\(x [+-] \d+\)\(x [+-] \d+\)", solution)
    return form is not None and sympy.expand(expression(solution) - asked) == 0


def is_polynomial(solution, value):
    """Whether a solution is a value's terms with falling powers, nothing vanishing in it."""
    terms = solution.replace(" - ", " + -").split(" + ")
    read = [sympy.Poly(expression(term), X) for term in terms]
    degrees = [term.degree() for term in read]
    return (
        degrees == sorted(set(degrees), reverse=True)
        and all(len(term.terms()) == 1 and not term.is_zero for term in read)
        and sum(read, sympy.Poly(0, X)) == sympy.Poly(value, X)
    )


def expanding(problem, solution):
    return is_polynomial(solution, expression(between(problem, "Expand ", ". Answer")))


def combine_like_terms(problem, solution):
    return is_polynomial(solution, expression(between(problem, "terms of ", ". Answer")))


def discriminant(problem, solution):
    (zero,) = equations(problem, [("equation ", "?")])
    return sympy.Integer(solution) == sympy.discriminant(zero, X)


def quadratic_equation(problem, solution):
    zeros = sympy.roots(expression(between(problem, "zeros of ", "?")), X)
    smaller, greater = sorted(zeros, key=lambda zero: sympy.N(zero, 30))
    first, second = solution.split(", ")
    return first != second and rounds_to(first, smaller) and rounds_to(second, greater)


def complex_number(text):
    """The value of 3-i."""
    return expression(re.sub(r"(\d)i", r"\1*i", text)).subs(sympy.Symbol("i"), sympy.I)


def is_complex(solution, value):
    return re.fullmatch(r"-?\d+[+-]\d*i", solution) is not None and sympy.expand(
        complex_number(solution) - value
    ) == 0


def complex_quadratic(problem, solution):
    (zero,) = equations(problem, [("roots of ", " has")])
    (root,) = [root for root in sympy.roots(zero, X) if sympy.im(root) > 0]
    return is_complex(solution, root)


def multiply_complex_numbers(problem, solution):
    first, second = between(problem, "What is (", ")?").split(") times (")
    return is_complex(solution, complex_number(first) * complex_number(second))


def matrices(text):
    return [sympy.Matrix(ast.literal_eval(found)) for found in re.findall(r"\[\[.*?\]\]", text)]


def is_matrix(solution, value):
    return solution == str(value.tolist())


def vector_dot(*entries):
    return sympy.Matrix(entries[:3]).dot(sympy.Matrix(entries[3:]))


def vector_cross(problem, solution):
    entries = numbers(problem)
    product = sympy.Matrix(entries[:3]).cross(sympy.Matrix(entries[3:]))
    return solution == str(tuple(product))


def determinant(problem, solution):
    (matrix,) = matrices(problem)
    return sympy.Integer(solution) == matrix.det()


def multiply_int_to_matrix(problem, solution):
    factor = int(between(problem, "What is ", " times"))
    return is_matrix(solution, factor * matrices(problem)[0])


def matrix_multiplication(problem, solution):
    left, right = matrices(problem)
    return is_matrix(solution, left * right)


def invert_matrix(problem, solution):
    (matrix,) = matrices(problem)
    return is_matrix(solution, matrix.inv())


CHECKS = {
    "basic_algebra": basic_algebra,
    "log": logarithm,
    "system_of_equations": system_of_equations,
    "linear_equations": linear_equations,
    "intersection_of_two_lines": intersection,
    "midpoint_of_two_points": midpoint,
    "distance_two_points": rounded(distance),
    "simple_interest": exact(lambda sum_, rate, years: Fraction(sum_ * rate * years, 100)),
    "compound_interest": rounded(compound_interest),
    "factoring": factoring,
    "expanding": expanding,
    "combine_like_terms": combine_like_terms,
    "quadratic_discriminant": discriminant,
    "quadratic_equation": quadratic_equation,
    "complex_quadratic": complex_quadratic,
    "multiply_complex_numbers": multiply_complex_numbers,
    "vector_dot": exact(vector_dot),
    "vector_cross": vector_cross,
    "int_matrix_22_determinant": determinant,
    "multiply_int_to_22_matrix": multiply_int_to_matrix,
    "matrix_multiplication": matrix_multiplication,
    "invert_matrix": invert_matrix,
}

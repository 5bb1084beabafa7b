"""Derivatives and integrals, by sympy's own."""
import sympy
from sympy import Rational

from .reading import X, asks_rounding, between, expression, numbers, rounds_to


def in_falling_powers(solution):
    terms = [expression(term.strip("-")) for term in solution.split(" ") if term not in "+-"]
    powers = [sympy.degree(term, X) for term in terms]
    return powers == sorted(set(powers), reverse=True)


def differentiation(problem, solution):
    given = expression(between(problem, "Differentiate ", " with respect"))
    return sympy.expand(given.diff(X) - expression(solution)) == 0 and in_falling_powers(solution)


def integration(problem, solution):
    given = expression(between(problem, "Integrate ", " with respect"))
    return sympy.expand(given.integrate(X) - expression(solution)) == 0 and in_falling_powers(
        solution
    )


def trig_differentiation(problem, solution):
    given = expression(between(problem, "Differentiate ", " with respect"))
    left = given.diff(X) - expression(solution)
    return all(abs(left.evalf(40, subs={X: Rational(place, 17)})) < 1e-20 for place in (1, 5, 12, 40))


def definite_integral(problem, solution):
    given = expression(between(problem, "integral of ", " from"))
    low, high = numbers(between(problem, "from", "?"))
    below = sympy.Poly(given, X, domain="QQ").integrate()
    return asks_rounding(problem) and rounds_to(solution, below.eval(high) - below.eval(low))


def stationary_points(problem, solution):
    given = expression(between(problem, "f(x) = ", " have"))
    roots = sorted(sympy.roots(given.diff(X), X))
    return numbers(solution) == roots and solution == ", ".join(map(str, roots))


CHECKS = {
    "definite_integral": definite_integral,
    "power_rule_differentiation": differentiation,
    "power_rule_integration": integration,
    "trig_differentiation": trig_differentiation,
    "stationary_points": stationary_points,
}

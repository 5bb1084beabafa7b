"""Derivatives and integrals, by sympy's own."""
import sympy

from .reading import X, asks_rounding, between, expression, numbers, rounds_to


def in_falling_powers(solution):
    powers = [sympy.degree(expression(term.strip("-")), X) for term in solution.split(" ") if term not in "+-"]
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
    return sympy.trigsimp(left.rewrite(sympy.sin).rewrite(sympy.cos)) == 0 or all(
        abs(left.subs(X, x).evalf(30)) < 1e-20 for x in (sympy.Rational(k, 17) for k in (1, 5, 12))
    )


def definite_integral(problem, solution):
    given = expression(between(problem, "integral of ", " from"))
    low, high = (int(between(problem + " ", f"{word} x = ", end)) for word, end in (("from", " "), ("to", "?")))
    return asks_rounding(problem) and rounds_to(solution, sympy.integrate(given, (X, low, high)))


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

"""Counting, averaging and chances; averages by Python's own module."""
import itertools
import math
import re
import statistics
from fractions import Fraction

import sympy

from .reading import asks_rounding, exact, numbers, parts, reduced, rounded, rounds_to


def rational(values):
    return [Fraction(value) for value in values]


def mean(values):
    return sympy.Rational(statistics.mean(rational(values)))


def variance(values):
    return sympy.Rational(statistics.pvariance(rational(values)))


def dice_sum_probability(problem, solution):
    dice, total = numbers(problem)
    throws = itertools.product(range(1, 7), repeat=dice)
    return reduced(solution, Fraction(sum(sum(throw) == total for throw in throws), 6**dice))


def mean_median(problem, solution):
    values = numbers(problem)
    average, median = parts(solution)
    return rounds_to(average, mean(values)) and rounds_to(
        median, sympy.Rational(statistics.median(rational(values)))
    )


def data_summary(problem, solution):
    values = numbers(problem)
    average, deviation, square = parts(solution)
    return (
        rounds_to(average, mean(values))
        and rounds_to(deviation, sympy.sqrt(variance(values)))
        and rounds_to(square, variance(values))
    )


def confidence_interval(problem, solution):
    asked, sample, score = re.fullmatch(
        r"What is the (\d+) percent confidence interval .* the sample (.*) was drawn\? "
        r"Use z = ([\d.]+), and .*",
        problem,
    ).groups()
    # The score is the quantile that leaves half of the rest on either side.
    quantile = statistics.NormalDist().inv_cdf((1 + int(asked) / 100) / 2)
    values = numbers(sample)
    margin = sympy.Rational(score) * sympy.sqrt(variance(values) / len(values))
    low, high = parts(solution)
    return (
        abs(quantile - float(score)) < 6e-4
        and rounds_to(low, mean(values) - margin)
        and rounds_to(high, mean(values) + margin)
    )


def conditional_probability(ill, found, cleared):
    positive_and_ill = sympy.Rational(ill, 100) * sympy.Rational(found, 100)
    positive_and_well = (1 - sympy.Rational(ill, 100)) * (1 - sympy.Rational(cleared, 100))
    return 100 * positive_and_ill / (positive_and_ill + positive_and_well)


CHECKS = {
    "combinations": exact(lambda chosen, objects: math.comb(objects, chosen)),
    "permutation": exact(lambda chosen, objects: math.perm(objects, chosen)),
    "mean": lambda problem, solution: asks_rounding(problem)
    and rounds_to(solution, mean(numbers(problem))),
    "conditional_probability": rounded(conditional_probability),
    "dice_sum_probability": dice_sum_probability,
    "confidence_interval": confidence_interval,
    "mean_median": mean_median,
    "data_summary": data_summary,
}

"""Lengths, areas, volumes and angles, by sympy's shapes and by integrals."""
import re

import sympy
from sympy import Rational, pi, sqrt

from .reading import (
    X,
    asks_rounding,
    exact,
    expression,
    is_exactly,
    is_written_as,
    numbers,
    rounded,
    rounds_to,
)


def turned(square, start, end):
    """The volume of a graph that turns around the x axis, from the square of its height."""
    below = sympy.Poly(square, X, domain="QQ").integrate()
    return pi * (below.eval(end) - below.eval(start))


def cone(height, bottom, top=0):
    return turned((bottom + X * Rational(top - bottom, height)) ** 2, 0, height)


def area_of_triangle(a, b, c):
    corner = Rational(a * a + c * c - b * b, 2 * c)
    return sqrt(a * a - corner**2) * c / 2


def surface_area_pyramid(height, length, width):
    apex = sympy.Matrix([Rational(length, 2), Rational(width, 2), height])
    side = lambda edge: sympy.Matrix(edge).cross(apex).norm() / 2
    return length * width + 2 * side([length, 0, 0]) + 2 * side([0, width, 0])


def angle_between(a, b, c, d, e, f):
    first, second = sympy.Matrix([a, b, c]), sympy.Matrix([d, e, f])
    return sympy.acos(first.dot(second) / (first.norm() * second.norm()))


def on_circle(x, y, across, up):
    return sympy.Point(x, y).distance(sympy.Point(across, up)) ** 2 * pi


def partner(problem, solution):
    whole = {"complementary": 90, "supplementary": 180}[re.search(r"\w+ary", problem)[0]]
    return is_exactly(solution, whole - numbers(problem)[0])


def radian_to_deg(problem, solution):
    radians = re.search(r"\d+\.\d\d", problem)[0]
    return asks_rounding(problem) and rounds_to(solution, Rational(radians) * 180 / pi)


def basic_trigonometry(problem, solution):
    function, degrees = re.search(r"(sin|cos|tan)\((-?\d+) degrees\)", problem).groups()
    value = getattr(sympy, function)(sympy.rad(int(degrees)))
    return (
        sympy.simplify(expression(solution) - value) == 0
        and re.fullmatch(r"-?(\d+|sqrt\(\d+\))(/\d+)?", solution) is not None
    )


def valid_triangle(problem, solution):
    *short, longest = sorted(numbers(problem))
    return sum(short) != longest and is_written_as(solution, "yes" if sum(short) > longest else "no")


def perimeter(*sides):
    assert 2 * max(sides) < sum(sides), "such a polygon does not close"
    return sum(sides)


def line(problem, solution):
    x, y, other_x, other_y = numbers(problem.split(", in the form")[0])
    through = sympy.Line(sympy.Point(x, y), sympy.Point(other_x, other_y))
    value = expression(solution.removeprefix("y = "))
    slope = sympy.Poly(value, X).coeff_monomial(X)
    return (
        solution.startswith("y = ")
        and slope == through.slope
        and value.subs(X, x) == y
        and value.subs(X, other_x) == other_y
    )


CHECKS = {
    "area_of_triangle": rounded(area_of_triangle),
    "pythagorean_theorem": rounded(lambda a, b: abs(sympy.sympify(a) + sympy.I * b)),
    "area_of_circle": rounded(lambda r: pi * r**2),
    "area_of_circle_given_center_and_point": rounded(on_circle),
    "circumference": rounded(lambda r: 2 * pi * r),
    "arc_length": rounded(lambda r, angle: 2 * pi * r * Rational(angle, 360)),
    "sector_area": rounded(lambda angle, r: pi * r**2 * Rational(angle, 360)),
    "perimeter_of_polygons": exact(perimeter),
    "valid_triangle": valid_triangle,
    "equation_of_line_from_two_points": line,
    "volume_cube": exact(lambda a: a**3),
    "surface_area_cube": exact(lambda a: 6 * a**2),
    "volume_cuboid": exact(lambda a, b, c: a * b * c),
    "surface_area_cuboid": exact(lambda a, b, c: 2 * a * b + 2 * b * c + 2 * a * c),
    "volume_cylinder": rounded(lambda r, h: turned(r**2, 0, h)),
    "surface_area_cylinder": rounded(lambda r, h: 2 * pi * r**2 + 2 * pi * r * h),
    "curved_surface_area_cylinder": rounded(lambda r, h: 2 * pi * r * h),
    "volume_cone": rounded(lambda r, h: cone(h, r)),
    "surface_area_cone": rounded(lambda r, h: pi * r**2 + pi * r * sqrt(r**2 + h**2)),
    "volume_frustum": rounded(lambda bottom, top, h: cone(h, bottom, top)),
    "volume_sphere": rounded(lambda r: turned(r**2 - X**2, -r, r)),
    "surface_area_sphere": rounded(lambda r: 4 * pi * r**2),
    "volume_hemisphere": rounded(lambda r: turned(r**2 - X**2, 0, r)),
    "volume_pyramid": rounded(lambda h, a, b: Rational(a * b * h, 3)),
    "surface_area_pyramid": rounded(surface_area_pyramid),
    "third_angle_of_triangle": exact(lambda a, b: 180 - a - b),
    "fourth_angle_of_quadrilateral": exact(lambda a, b, c: 360 - a - b - c),
    "sum_of_polygon_angles": exact(lambda n: 180 * (n - 2)),
    "angle_regular_polygon": rounded(lambda n: 180 - Rational(360, n)),
    "complementary_and_supplementary_angle": partner,
    "degree_to_rad": rounded(lambda degrees: sympy.rad(degrees)),
    "radian_to_deg": radian_to_deg,
    "angle_btw_vectors": rounded(angle_between),
    "basic_trigonometry": basic_trigonometry,
}

"""Bases, complements, binary-coded decimals and Fibonacci numbers."""
import re

import sympy

from .reading import exact, is_written_as, numbers


def in_base(write):
    """A check for a decimal number that is to be written in another base."""
    return lambda problem, solution: is_written_as(solution, write(*numbers(problem)))


def binary_to_decimal(problem, solution):
    (bits,) = re.findall(r"\d+", problem)
    return is_written_as(solution, int(bits, 2))


def binary_to_hex(problem, solution):
    (bits,) = re.findall(r"\d+", problem)
    return is_written_as(solution, hex(int(bits, 2)))


def complement(value):
    """A check from a function of a word's value and its number of bits."""

    def check(problem, solution):
        (width, bits) = re.search(r"(\d+)-bit binary number ([01]+)\?", problem).groups()
        width = int(width)
        found = format(value(int(bits, 2), width), f"0{width}b")
        return len(bits) == width == len(found) and is_written_as(solution, "0b" + found)

    return check


def fibonacci_series(problem, solution):
    (count,) = [number for number in numbers(problem) if number > 1]
    return is_written_as(solution, ", ".join(str(sympy.fibonacci(n)) for n in range(count)))


def bcd_to_decimal(problem, solution):
    digits = [str(int(bits, 2)) for bits in re.findall(r"\b[01]{4}\b", problem)]
    return all(len(digit) == 1 for digit in digits) and is_written_as(solution, "".join(digits))


def decimal_to_bcd(problem, solution):
    (number,) = numbers(problem)
    return is_written_as(solution, "0b" + "".join(format(int(d), "04b") for d in str(number)))


CHECKS = {
    "binary_to_decimal": binary_to_decimal,
    "modulo_division": exact(lambda dividend, divisor: dividend % divisor),
    "nth_fibonacci_number": exact(lambda place: int(sympy.fibonacci(place))),
    "fibonacci_series": fibonacci_series,
    "decimal_to_binary": in_base(bin),
    "decimal_to_octal": in_base(oct),
    "decimal_to_hexadeci": in_base(hex),
    "binary_to_hex": binary_to_hex,
    "binary_complement_1s": complement(lambda bits, width: bits ^ (2**width - 1)),
    "binary_2s_complement": complement(lambda bits, width: -bits % 2**width),
    "bcd_to_decimal": bcd_to_decimal,
    "decimal_to_bcd": decimal_to_bcd,
}

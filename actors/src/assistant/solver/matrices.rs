//! Matrices and vectors of whole numbers: exact results, fractions where they are none.

use super::numbers::{fraction, listed};
use super::{Kind, Problem};

/// Rows and columns of a matrix that is read.
const LARGEST: usize = 8;
/// Numbers up to this: a determinant of three rows stays far within what is computed exactly.
const MOST: i128 = 1_000_000_000;

type Matrix = Vec<Vec<i128>>;

pub(super) const KINDS: &[Kind] = &[
    Kind { begins: "inverse of the matrix ", solve: |p| inverse(&matrix(p.rest)?.0) },
    Kind { begins: "inverse of ", solve: |p| inverse(&matrix(p.rest)?.0) },
    Kind {
        begins: "determinant of the matrix ",
        solve: |p| Some(determinant(&matrix(p.rest)?.0)?.to_string()),
    },
    Kind {
        begins: "transpose of the matrix ",
        solve: |p| Some(written(&transposed(&matrix(p.rest)?.0))),
    },
    Kind { begins: "matrix product of ", solve: |p| product(p.rest) },
    Kind { begins: "product of the matrices ", solve: |p| product(p.rest) },
    Kind { begins: "what is ", solve: multiple },
    Kind { begins: "cross product of the vectors ", solve: cross },
];

/// A matrix of whole numbers at the start of a text, by rows such as `[[1, 2], [3, 4]]`, and the rest.
fn matrix(text: &str) -> Option<(Matrix, &str)> {
    let (rows, rest) = text.trim_start().strip_prefix("[[")?.split_once("]]")?;
    let rows: Matrix = rows
        .split(']')
        .enumerate()
        .map(|(at, row)| match at {
            0 => entries(row),
            _ => entries(row.trim_start().strip_prefix(',')?.trim_start().strip_prefix('[')?),
        })
        .collect::<Option<_>>()?;
    let columns = rows.first()?.len();
    let even = rows.iter().all(|row| row.len() == columns) && rows.len() <= LARGEST;
    even.then_some((rows, rest))
}

/// A vector of whole numbers at the start of a text, such as `(1, 2)`, and the rest.
fn vector(text: &str) -> Option<(Vec<i128>, &str)> {
    let (inside, rest) = text.trim_start().strip_prefix('(')?.split_once(')')?;
    Some((entries(inside)?, rest))
}

fn entries(text: &str) -> Option<Vec<i128>> {
    let number = |text: &str| {
        let number: i128 = text.trim().replace('−', "-").parse().ok()?;
        (number.abs() <= MOST).then_some(number)
    };
    let entries: Vec<i128> = text.split(',').map(number).collect::<Option<_>>()?;
    (entries.len() <= LARGEST).then_some(entries)
}

/// By rows, as it was read.
fn written(matrix: &[Vec<i128>]) -> String {
    let rows: Vec<String> = matrix.iter().map(|row| format!("[{}]", listed(row))).collect();
    format!("[{}]", rows.join(", "))
}

fn transposed(matrix: &[Vec<i128>]) -> Matrix {
    let columns = matrix.first().map_or(0, Vec::len);
    (0..columns).map(|at| matrix.iter().filter_map(|row| row.get(at).copied()).collect()).collect()
}

/// What is left of a matrix without one row and one column.
fn without(matrix: &[Vec<i128>], row: usize, column: usize) -> Matrix {
    let others = |at: usize, skipped: usize| at != skipped;
    let rows = matrix.iter().enumerate().filter(|(at, _)| others(*at, row));
    rows.map(|(_, entries)| {
        let kept = entries.iter().enumerate().filter(|(at, _)| others(*at, column));
        kept.map(|(_, entry)| *entry).collect()
    })
    .collect()
}

/// The sign of a place in the expansion of a determinant.
fn sign(row: usize, column: usize) -> i128 {
    if (row + column).is_multiple_of(2) { 1 } else { -1 }
}

/// The determinant of one to three rows.
fn determinant(matrix: &[Vec<i128>]) -> Option<i128> {
    let first = matrix.first().filter(|first| first.len() == matrix.len())?;
    match first[..] {
        [one] => Some(one),
        [_, _] | [_, _, _] => first.iter().enumerate().try_fold(0_i128, |sum, (column, entry)| {
            let minor = determinant(&without(matrix, 0, column))?;
            sum.checked_add(sign(0, column).checked_mul(*entry)?.checked_mul(minor)?)
        }),
        _ => None,
    }
}

/// The inverse of two or three rows, by the determinants of what is left without a row and a column.
fn inverse(matrix: &[Vec<i128>]) -> Option<String> {
    let below = determinant(matrix).filter(|below| *below != 0 && matrix.len() > 1)?;
    let row = |row: usize| -> Option<String> {
        let entry = |column: usize| {
            let minor = determinant(&without(matrix, column, row))?;
            fraction(sign(row, column) * minor, below)
        };
        Some(format!("[{}]", (0..matrix.len()).map(entry).collect::<Option<Vec<_>>>()?.join(", ")))
    };
    Some(format!("[{}]", (0..matrix.len()).map(row).collect::<Option<Vec<_>>>()?.join(", ")))
}

/// `[[1, 2]] and [[3], [4]]`, in this order.
fn product(text: &str) -> Option<String> {
    let (left, rest) = matrix(text)?;
    let (right, _) = matrix(rest.trim_start().strip_prefix("and ")?)?;
    let fits = left.iter().all(|row| row.len() == right.len());
    let columns = transposed(&right);
    let dot = |row: &[i128], column: &[i128]| row.iter().zip(column).map(|(a, b)| a * b).sum();
    let row = |row: &Vec<i128>| columns.iter().map(|column| dot(row, column)).collect();
    fits.then(|| written(&left.iter().map(row).collect::<Matrix>()))
}

/// `-3 times the matrix [[1, 2]]`.
fn multiple(p: &Problem<'_>) -> Option<String> {
    let (factor, rest) = p.rest.split_once(" times the matrix ")?;
    let [factor] = entries(factor)?[..] else { return None };
    let times = |row: Vec<i128>| row.into_iter().map(|entry| factor * entry).collect();
    Some(written(&matrix(rest)?.0.into_iter().map(times).collect::<Matrix>()))
}

/// `(1, 2, 3) and (4, 5, 6)`, in this order.
fn cross(p: &Problem<'_>) -> Option<String> {
    let (left, rest) = vector(p.rest)?;
    let (right, _) = vector(rest.trim_start().strip_prefix("and ")?)?;
    let ([a, b, c], [d, e, f]) = (&left[..], &right[..]) else { return None };
    Some(format!("({})", listed(&[b * f - c * e, c * d - a * f, a * e - b * d])))
}

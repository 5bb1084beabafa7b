//! Vectors and matrices.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::TOPIC;
use crate::tools::maths::draw::{nonzero, until_some};
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "vector_dot", "Dot Product of 2 Vectors", vector_dot),
    Kind::new(TOPIC, Form::Tuple, "vector_cross", "Cross Product of 2 Vectors", vector_cross),
    Kind::new(
        TOPIC,
        Form::Number,
        "int_matrix_22_determinant",
        "Determinant to 2x2 Matrix",
        determinant,
    ),
    Kind::new(
        TOPIC,
        Form::Matrix,
        "multiply_int_to_22_matrix",
        "Integer Multiplication with 2x2 Matrix",
        multiply_int_to_22_matrix,
    ),
    Kind::new(
        TOPIC,
        Form::Matrix,
        "matrix_multiplication",
        "Multiplication of two matrices",
        matrix_multiplication,
    ),
    Kind::new(TOPIC, Form::Matrix, "invert_matrix", "Inverse of a Matrix", invert_matrix),
];

fn vector_dot(random: &mut ChaCha8Rng) -> Posed {
    let [a, b, c, d, e, f]: [i64; 6] = std::array::from_fn(|_| random.random_range(1..=20));
    Posed::new(
        format!("What is the dot product of the vectors ({a}, {b}, {c}) and ({d}, {e}, {f})?"),
        a * d + b * e + c * f,
    )
}

fn vector_cross(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [a, b, c, d, e, f] = std::array::from_fn(|_| nonzero(random, 20));
        let (x, y, z) = (b * f - c * e, c * d - a * f, a * e - b * d);
        ((x, y, z) != (0, 0, 0)).then(|| {
            Posed::new(
                format!(
                    "What is the cross product of the vectors ({a}, {b}, {c}) and ({d}, {e}, {f}), \
                     in this order? Answer in the form (x, y, z)."
                ),
                format!("({x}, {y}, {z})"),
            )
        })
    })
}

fn determinant(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [a, b, c, d]: [i64; 4] = std::array::from_fn(|_| random.random_range(1..=50));
        (a * d != b * c).then(|| {
            Posed::new(
                format!("What is the determinant of the matrix [[{a}, {b}], [{c}, {d}]]?"),
                a * d - b * c,
            )
        })
    })
}

fn multiply_int_to_22_matrix(random: &mut ChaCha8Rng) -> Posed {
    let matrix = drawn(random, 2, 2, 20);
    let size = random.random_range(2..=15);
    let factor = if random.random() { size } else { -size };
    let product: Vec<Vec<i64>> =
        matrix.iter().map(|row| row.iter().map(|entry| factor * entry).collect()).collect();
    Posed::new(
        format!(
            "What is {factor} times the matrix {}? Answer by rows in the same form.",
            written(&matrix)
        ),
        written(&product),
    )
}

fn matrix_multiplication(random: &mut ChaCha8Rng) -> Posed {
    let [rows, inner, columns] = std::array::from_fn(|_| random.random_range(2..=3));
    let (left, right) = (drawn(random, rows, inner, 12), drawn(random, inner, columns, 12));
    Posed::new(
        format!(
            "What is the matrix product of {} and {}, in this order? Answer by rows in the same \
             form.",
            written(&left),
            written(&right)
        ),
        written(&product(&left, &right)),
    )
}

fn invert_matrix(random: &mut ChaCha8Rng) -> Posed {
    // A triangle with ones on its diagonal has the determinant 1, and so has a product of such.
    let [a, b, c, d, e, f] = std::array::from_fn(|_| nonzero(random, 3));
    let lower = [vec![1, 0, 0], vec![a, 1, 0], vec![b, c, 1]];
    let upper = [vec![1, d, e], vec![0, 1, f], vec![0, 0, 1]];
    let lower_inverse = [vec![1, 0, 0], vec![-a, 1, 0], vec![a * c - b, -c, 1]];
    let upper_inverse = [vec![1, -d, d * f - e], vec![0, 1, -f], vec![0, 0, 1]];
    Posed::new(
        format!(
            "What is the inverse of the matrix {}? Answer by rows in the same form.",
            written(&product(&lower, &upper))
        ),
        written(&product(&upper_inverse, &lower_inverse)),
    )
}

/// A matrix without zeros.
fn drawn(random: &mut ChaCha8Rng, rows: usize, columns: usize, most: i64) -> Vec<Vec<i64>> {
    (0..rows).map(|_| (0..columns).map(|_| nonzero(random, most)).collect()).collect()
}

/// `left` has as many columns as `right` has rows.
fn product(left: &[Vec<i64>], right: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let columns = right.first().map_or(0, Vec::len);
    let entry = |row: &[i64], column: usize| -> i64 {
        row.iter().zip(right).map(|(factor, below)| factor * below[column]).sum()
    };
    left.iter().map(|row| (0..columns).map(|column| entry(row, column)).collect()).collect()
}

/// `[[1, 2], [3, 4]]`.
fn written(matrix: &[Vec<i64>]) -> String {
    let row = |row: &Vec<i64>| {
        let entries: Vec<String> = row.iter().map(i64::to_string).collect();
        format!("[{}]", entries.join(", "))
    };
    format!("[{}]", matrix.iter().map(row).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{verify, whole_numbers};

    type Matrix = Vec<Vec<i64>>;

    /// The matrices of a text.
    fn matrices(text: &str) -> Vec<Matrix> {
        text.split("[[")
            .skip(1)
            .filter_map(|rest| rest.split_once("]]"))
            .map(|(inner, _)| inner.split("], [").map(whole_numbers).collect())
            .collect()
    }

    /// What a matrix makes of a vector.
    fn image(matrix: &Matrix, vector: &[i64]) -> Vec<i64> {
        matrix.iter().map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum()).collect()
    }

    fn unit_vectors(size: usize) -> impl Iterator<Item = Vec<i64>> {
        (0..size).map(move |one| (0..size).map(|place| i64::from(place == one)).collect())
    }

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("vector_dot", |n, product| {
                    (0..3).fold(product, |rest, i| rest - (n[i] * n[i + 3]) as f64) == 0.0
                }),
                // The signed area of the rows' parallelogram, by the shoelace formula.
                ("int_matrix_22_determinant", |n, area| {
                    let corners = [(0, 0), (n[0], n[1]), (n[0] + n[2], n[1] + n[3]), (n[2], n[3])];
                    let twice: i64 = (0..4)
                        .map(|i| (corners[i], corners[(i + 1) % 4]))
                        .map(|((x, y), (next_x, next_y))| x * next_y - next_x * y)
                        .sum();
                    area * 2.0 == twice as f64
                }),
            ],
            &[
                // It is at right angles to both, as long as it has to be, and right-handed.
                ("vector_cross", |statement, answer| {
                    let (n, c) = (whole_numbers(statement), whole_numbers(answer));
                    let dot =
                        |a: &[i64], b: &[i64]| -> i64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
                    let (a, b) = (&n[..3], &n[3..]);
                    let handed = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
                        .iter()
                        .all(|(i, j, k)| a[*i] * b[*j] - a[*j] * b[*i] == c[*k]);
                    dot(a, &c) == 0
                        && dot(b, &c) == 0
                        && dot(&c, &c) == dot(a, a) * dot(b, b) - dot(a, b).pow(2)
                        && handed
                }),
                ("multiply_int_to_22_matrix", |statement, answer| {
                    let factor = whole_numbers(statement)[0];
                    let (from, to) = (&matrices(statement)[0], &matrices(answer)[0]);
                    from.concat()
                        .iter()
                        .zip(to.concat())
                        .all(|(a, b)| b % factor == 0 && b / factor == *a)
                }),
                ("matrix_multiplication", |statement, answer| {
                    let (factors, product) = (matrices(statement), &matrices(answer)[0]);
                    unit_vectors(factors[1][0].len()).all(|vector| {
                        image(&factors[0], &image(&factors[1], &vector)) == image(product, &vector)
                    })
                }),
                ("invert_matrix", |statement, answer| {
                    let (matrix, inverse) = (&matrices(statement)[0], &matrices(answer)[0]);
                    unit_vectors(3).all(|vector| {
                        image(matrix, &image(inverse, &vector)) == vector
                            && image(inverse, &image(matrix, &vector)) == vector
                    })
                }),
            ],
        );
    }
}

//! Angles.

use std::f64::consts::PI;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::TOPIC;
use crate::tools::maths::decimal;
use crate::tools::maths::draw::until_some;
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(
        TOPIC,
        Form::Number,
        "third_angle_of_triangle",
        "Third Angle of Triangle",
        third_angle_of_triangle,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "fourth_angle_of_quadrilateral",
        "Fourth Angle of Quadrilateral",
        fourth_angle_of_quadrilateral,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "sum_of_polygon_angles",
        "Sum of Angles of Polygon",
        sum_of_polygon_angles,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "angle_regular_polygon",
        "Angle of a Regular Polygon",
        angle_regular_polygon,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "complementary_and_supplementary_angle",
        "Complementary and Supplementary Angle",
        complementary_and_supplementary_angle,
    ),
    Kind::new(TOPIC, Form::Number, "degree_to_rad", "Degrees to Radians", degree_to_rad),
    Kind::new(TOPIC, Form::Number, "radian_to_deg", "Radians to Degrees", radian_to_deg),
    Kind::new(
        TOPIC,
        Form::Number,
        "angle_btw_vectors",
        "Angle between 2 vectors",
        angle_between_vectors,
    ),
    Kind::new(TOPIC, Form::Text, "basic_trigonometry", "Trigonometric Values", basic_trigonometry),
];

fn third_angle_of_triangle(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = (random.random_range(1..=89), random.random_range(1..=89));
    Posed::new(
        format!("Two angles of a triangle are {a} and {b} degrees. How many degrees is the third?"),
        180 - a - b,
    )
}

fn fourth_angle_of_quadrilateral(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [a, b, c]: [i64; 3] = std::array::from_fn(|_| random.random_range(20..=170));
        let fourth = 360 - a - b - c;
        ((10..180).contains(&fourth)).then(|| {
            Posed::new(
                format!(
                    "Three angles of a quadrilateral are {a}, {b} and {c} degrees. How many degrees \
                     is the fourth?"
                ),
                fourth,
            )
        })
    })
}

fn sum_of_polygon_angles(random: &mut ChaCha8Rng) -> Posed {
    let sides = random.random_range(3..=99);
    Posed::new(
        format!(
            "What is the sum, in degrees, of the interior angles of a polygon that has {sides} sides?"
        ),
        (sides - 2) * 180,
    )
}

fn angle_regular_polygon(random: &mut ChaCha8Rng) -> Posed {
    // Up to 99 sides only 64 lead to half a hundredth.
    let sides = match random.random_range(3..=99) {
        64 => 65,
        sides => sides,
    };
    Posed::rounded(
        format!(
            "How many degrees is an interior angle of a regular polygon that has {sides} sides?"
        ),
        decimal::ratio(180 * (sides - 2), sides),
    )
}

fn complementary_and_supplementary_angle(random: &mut ChaCha8Rng) -> Posed {
    let (name, whole) =
        if random.random() { ("complementary", 90) } else { ("supplementary", 180) };
    let angle = random.random_range(1..whole);
    Posed::new(
        format!("How many degrees is the {name} angle of an angle of {angle} degrees?"),
        whole - angle,
    )
}

fn degree_to_rad(random: &mut ChaCha8Rng) -> Posed {
    let degrees = random.random_range(5..=720);
    Posed::rounded(
        format!("How many radians are {degrees} degrees?"),
        decimal::pi_times(degrees, 180),
    )
}

fn radian_to_deg(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let hundredths = random.random_range(10..=999);
        let degrees = decimal::clear(hundredths as f64 * 1.8 / PI)?;
        Some(Posed::rounded(
            format!("How many degrees are {} radians?", decimal::hundredths(hundredths)),
            degrees,
        ))
    })
}

fn angle_between_vectors(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [a, b]: [[i64; 3]; 2] =
            std::array::from_fn(|_| std::array::from_fn(|_| random.random_range(-20..=20)));
        let dot = |a: [i64; 3], b: [i64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let squares = dot(a, a) * dot(b, b);
        // Cauchy: equal for parallel vectors, and for those without a length.
        let parallel = dot(a, b).pow(2) == squares;
        let angle = (dot(a, b) as f64 / (squares as f64).sqrt()).acos();
        if parallel || angle < 0.05 {
            return None;
        }
        let ([a, b, c], [d, e, f]) = (a, b);
        Some(Posed::rounded(
            format!(
                "What is the angle, in radians, between the vectors ({a}, {b}, {c}) and ({d}, {e}, {f})?"
            ),
            decimal::clear(angle)?,
        ))
    })
}

fn basic_trigonometry(random: &mut ChaCha8Rng) -> Posed {
    /// Of 0, 30, 45, 60 and 90 degrees.
    const SINES: [&str; 5] = ["0", "1/2", "sqrt(2)/2", "sqrt(3)/2", "1"];
    /// Of 0, 30, 45 and 60 degrees.
    const TANGENTS: [&str; 4] = ["0", "sqrt(3)/3", "1", "sqrt(3)"];
    const ANGLES: [i64; 5] = [0, 30, 45, 60, 90];

    let degrees = 360 * random.random_range(-1..=1)
        + 90 * random.random_range(0..=3)
        + ANGLES[random.random_range(0..4)];
    // How far it is from the nearest half turn, as a place in ANGLES.
    let steep = |degrees: i64| {
        let from = degrees.rem_euclid(180);
        let from = from.min(180 - from);
        ANGLES.iter().position(|angle| *angle == from).unwrap_or(0)
    };
    let sine = |degrees: i64| (SINES[steep(degrees)], degrees.rem_euclid(360) > 180);
    let (function, (value, negative)) = match random.random_range(0..3) {
        0 => ("sin", sine(degrees)),
        1 => ("cos", sine(degrees + 90)),
        _ => match TANGENTS.get(steep(degrees)) {
            Some(tangent) => ("tan", (*tangent, degrees.rem_euclid(180) > 90)),
            None => ("sin", sine(degrees)),
        },
    };
    Posed::new(
        format!(
            "What is the exact value of {function}({degrees} degrees)? Write it with sqrt(n) for a \
             square root and without a root below a fraction line."
        ),
        format!("{}{value}", if negative && value != "0" { "-" } else { "" }),
    )
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify, whole_numbers};

    /// What `-sqrt(3)/2` comes to.
    fn value(text: &str) -> f64 {
        let (sign, size) = text.strip_prefix('-').map_or((1.0, text), |size| (-1.0, size));
        let (above, below) = size.split_once('/').unwrap_or((size, "1"));
        let root = above.strip_prefix("sqrt(").and_then(|rest| rest.strip_suffix(')'));
        let above = match root {
            Some(number) => number.parse::<f64>().unwrap().sqrt(),
            None => above.parse().unwrap(),
        };
        sign * above / below.parse::<f64>().unwrap()
    }

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("third_angle_of_triangle", |n, angle| {
                    angle > 0.0 && (n[0] + n[1]) as f64 + angle == 180.0
                }),
                ("fourth_angle_of_quadrilateral", |n, angle| {
                    angle > 0.0 && (n[0] + n[1] + n[2]) as f64 + angle == 360.0
                }),
                // A whole turn is what the exterior angles sum to.
                ("sum_of_polygon_angles", |n, sum| sum + 360.0 == 180.0 * n[0] as f64),
                ("angle_regular_polygon", |n, angle| near(180.0 - angle, 360.0 / n[0] as f64)),
                ("complementary_and_supplementary_angle", |n, angle| {
                    let sum = n[0] as f64 + angle;
                    sum == 90.0 || (sum == 180.0 && angle > 0.0)
                }),
                ("degree_to_rad", |n, radians| near(radians, (n[0] as f64).to_radians())),
                ("radian_to_deg", |n, degrees| {
                    near(degrees, (n[0] as f64 + n[1] as f64 / 100.0).to_degrees())
                }),
                // The tangent is what the cross product has to the dot product.
                ("angle_btw_vectors", |n, angle| {
                    let (a, b) = (&n[..3], &n[3..]);
                    let dot: i64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    let cross = |i: usize, j: usize| (a[i] * b[j] - a[j] * b[i]) as f64;
                    let across = cross(1, 2).hypot(cross(2, 0)).hypot(cross(0, 1));
                    near(angle, across.atan2(dot as f64))
                }),
            ],
            &[("basic_trigonometry", |statement, answer| {
                let angle = (whole_numbers(statement)[0] as f64).to_radians();
                let exact = match statement {
                    _ if statement.contains("sin(") => angle.sin(),
                    _ if statement.contains("cos(") => angle.cos(),
                    _ => angle.tan(),
                };
                (value(answer) - exact).abs() < 1e-12
            })],
        );
    }
}

//! Triangles, circles, polygons and lines.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::TOPIC;
use crate::tools::maths::decimal;
use crate::tools::maths::draw::{listed, nonzero, until_some};
use crate::tools::maths::exact::{Fraction, polynomial};
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "area_of_triangle", "Area of Triangle", area_of_triangle),
    Kind::new(
        TOPIC,
        Form::Number,
        "pythagorean_theorem",
        "Pythagorean Theorem",
        pythagorean_theorem,
    ),
    Kind::new(TOPIC, Form::Number, "area_of_circle", "Area of Circle", area_of_circle),
    Kind::new(
        TOPIC,
        Form::Number,
        "area_of_circle_given_center_and_point",
        "Area of Circle given center and a point on circle",
        area_of_circle_given_center_and_point,
    ),
    Kind::new(TOPIC, Form::Number, "circumference", "Circumference", circumference),
    Kind::new(TOPIC, Form::Number, "arc_length", "Arc length of Angle", arc_length),
    Kind::new(TOPIC, Form::Number, "sector_area", "Area of a Sector", sector_area),
    Kind::new(
        TOPIC,
        Form::Number,
        "perimeter_of_polygons",
        "Perimeter of Polygons",
        perimeter_of_polygons,
    ),
    Kind::new(TOPIC, Form::Word, "valid_triangle", "Triangle exists check", valid_triangle),
    Kind::new(
        TOPIC,
        Form::Text,
        "equation_of_line_from_two_points",
        "Equation of line from two points",
        equation_of_line_from_two_points,
    ),
];

fn area_of_triangle(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = (random.random_range(2_u64..=40), random.random_range(2_u64..=40));
    let c = random.random_range(a.abs_diff(b) + 1..a + b);
    // Heron: the square of four times the area.
    let square = (a + b + c) * (b + c - a) * (a + c - b) * (a + b - c);
    Posed::rounded(
        format!("What is the area of a triangle whose sides have the lengths {a}, {b} and {c}?"),
        decimal::hundredths(decimal::nearest_root(square * 625)),
    )
}

fn pythagorean_theorem(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = (random.random_range(1_u64..=50), random.random_range(1_u64..=50));
    Posed::rounded(
        format!("How long is the hypotenuse of a right triangle whose legs measure {a} and {b}?"),
        decimal::root(a * a + b * b),
    )
}

fn area_of_circle(random: &mut ChaCha8Rng) -> Posed {
    let radius = random.random_range(1..=500);
    Posed::rounded(
        format!("What is the area of a circle of radius {radius}?"),
        decimal::pi_times(radius * radius, 1),
    )
}

fn area_of_circle_given_center_and_point(random: &mut ChaCha8Rng) -> Posed {
    let (x, y) = (random.random_range(-20..=20), random.random_range(-20..=20));
    let (across, up) = (nonzero(random, 20), nonzero(random, 20));
    Posed::rounded(
        format!(
            "What is the area of the circle with its centre at ({x}, {y}) that passes through the \
             point ({}, {})?",
            x + across,
            y + up
        ),
        decimal::pi_times(across * across + up * up, 1),
    )
}

fn circumference(random: &mut ChaCha8Rng) -> Posed {
    let radius = random.random_range(1..=500);
    Posed::rounded(
        format!("What is the circumference of a circle of radius {radius}?"),
        decimal::pi_times(2 * radius, 1),
    )
}

fn arc_length(random: &mut ChaCha8Rng) -> Posed {
    let (radius, angle) = (random.random_range(2..=99), random.random_range(5..=359));
    Posed::rounded(
        format!(
            "How long is the arc of a circle of radius {radius} that spans an angle of {angle} \
             degrees?"
        ),
        decimal::pi_times(radius * angle, 180),
    )
}

fn sector_area(random: &mut ChaCha8Rng) -> Posed {
    let (radius, angle) = (random.random_range(2..=99), random.random_range(5..=359));
    Posed::rounded(
        format!("What is the area of a sector of {angle} degrees of a circle of radius {radius}?"),
        decimal::pi_times(radius * radius * angle, 360),
    )
}

fn perimeter_of_polygons(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let count = random.random_range(3..=12);
        let sides: Vec<i64> = (0..count).map(|_| random.random_range(1..=120)).collect();
        let perimeter: i64 = sides.iter().sum();
        // Otherwise the polygon does not close.
        sides.iter().all(|side| 2 * side < perimeter).then(|| {
            Posed::new(
                format!(
                    "What is the perimeter of a polygon whose sides have the lengths {}?",
                    listed(&sides)
                ),
                perimeter,
            )
        })
    })
}

fn valid_triangle(random: &mut ChaCha8Rng) -> Posed {
    let exists = random.random();
    let (a, b) = (random.random_range(3_i64..=99), random.random_range(3_i64..=99));
    let c = if exists {
        random.random_range((a - b).abs() + 1..a + b)
    } else {
        a + b + random.random_range(1..=30)
    };
    let mut sides = [a, b, c];
    sides.shuffle(random);
    Posed::new(
        format!(
            "Is there a triangle whose sides have the lengths {}? Answer yes or no.",
            listed(&sides)
        ),
        if exists { "yes" } else { "no" },
    )
}

fn equation_of_line_from_two_points(random: &mut ChaCha8Rng) -> Posed {
    let (x, y) = (random.random_range(-20..=20), random.random_range(-20..=20));
    let (across, up) = (nonzero(random, 20), nonzero(random, 20));
    let slope = Fraction::new(up, across);
    let intercept = Fraction::from(y) - slope * x.into();
    Posed::new(
        format!(
            "What is the equation of the line through the points ({x}, {y}) and ({}, {}), in the \
             form y = mx + b? Write a slope that is no whole number as a reduced fraction in \
             brackets, y = (p/q)x + b, and b as a reduced fraction.",
            x + across,
            y + up
        ),
        format!("y = {}", polynomial(&[slope, intercept])),
    )
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::KINDS;
    use crate::tools::maths::check::{near, polynomial_at, verify, whole_numbers};

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                // Half of two sides and the sine between them, by the law of cosines.
                ("area_of_triangle", |n, area| {
                    let (a, b, c) = (n[0] as f64, n[1] as f64, n[2] as f64);
                    let cosine = (a * a + b * b - c * c) / (2.0 * a * b);
                    near(area, 0.5 * a * b * cosine.acos().sin())
                }),
                ("pythagorean_theorem", |n, side| near(side, (n[0] as f64).hypot(n[1] as f64))),
                ("area_of_circle", |n, area| near(area, PI * (n[0] as f64).powi(2))),
                ("area_of_circle_given_center_and_point", |n, area| {
                    let radius = ((n[2] - n[0]) as f64).hypot((n[3] - n[1]) as f64);
                    near(area, PI * radius * radius)
                }),
                ("circumference", |n, length| near(length, PI * 2.0 * n[0] as f64)),
                ("arc_length", |n, length| near(length, n[0] as f64 * (n[1] as f64).to_radians())),
                // Half of the radius and the arc.
                ("sector_area", |n, area| {
                    let arc = n[1] as f64 * (n[0] as f64).to_radians();
                    near(area, 0.5 * arc * n[1] as f64)
                }),
                ("perimeter_of_polygons", |n, length| {
                    let closes = n.iter().all(|&side| side as f64 <= length / 2.0 - 0.5);
                    closes && n.iter().fold(length, |rest, side| rest - *side as f64) == 0.0
                }),
            ],
            &[
                // Heron's radicand is positive, and no side is longer than all.
                ("valid_triangle", |statement, answer| {
                    let n = whole_numbers(statement);
                    let whole: i64 = n.iter().sum();
                    let exists = n.iter().all(|side| whole - 2 * side > 0);
                    answer == if exists { "yes" } else { "no" }
                }),
                ("equation_of_line_from_two_points", |statement, answer| {
                    let n = whole_numbers(statement);
                    let line = answer.strip_prefix("y = ").unwrap();
                    let on =
                        |x: i64, y: i64| (polynomial_at(line, x as f64) - y as f64).abs() < 1e-9;
                    n[0] != n[2] && on(n[0], n[1]) && on(n[2], n[3])
                }),
            ],
        );
    }
}

//! Lengths, areas, volumes and angles.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "geometry";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "area_of_triangle", "Area of Triangle", area_of_triangle),
    Kind::new(
        TOPIC,
        Form::Number,
        "pythagorean_theorem",
        "Pythagorean Theorem",
        pythagorean_theorem,
    ),
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
        "sum_of_polygon_angles",
        "Sum of Angles of Polygon",
        sum_of_polygon_angles,
    ),
    Kind::new(TOPIC, Form::Number, "volume_cuboid", "Volume of Cuboid", volume_cuboid),
    Kind::new(TOPIC, Form::Number, "volume_cylinder", "Volume of cylinder", volume_cylinder),
    Kind::new(TOPIC, Form::Number, "area_of_circle", "Area of Circle", area_of_circle),
    Kind::new(TOPIC, Form::Number, "circumference", "Circumference", circumference),
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

fn third_angle_of_triangle(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = (random.random_range(1..=89), random.random_range(1..=89));
    Posed::new(
        format!("Two angles of a triangle are {a} and {b} degrees. How many degrees is the third?"),
        180 - a - b,
    )
}

fn sum_of_polygon_angles(random: &mut ChaCha8Rng) -> Posed {
    let sides = random.random_range(3..=20);
    Posed::new(
        format!(
            "What is the sum, in degrees, of the interior angles of a polygon that has {sides} sides?"
        ),
        (sides - 2) * 180,
    )
}

fn volume_cuboid(random: &mut ChaCha8Rng) -> Posed {
    let [a, b, c]: [i64; 3] = std::array::from_fn(|_| random.random_range(1..=30));
    Posed::new(
        format!("What is the volume, in cubic metres, of a cuboid of {a} by {b} by {c} metres?"),
        a * b * c,
    )
}

fn volume_cylinder(random: &mut ChaCha8Rng) -> Posed {
    let (radius, height) = (random.random_range(1..=30), random.random_range(1..=50));
    Posed::rounded(
        format!("What is the volume of a cylinder of radius {radius} and height {height}?"),
        decimal::times_pi(radius * radius * height),
    )
}

fn area_of_circle(random: &mut ChaCha8Rng) -> Posed {
    let radius = random.random_range(1..=100);
    Posed::rounded(
        format!("What is the area of a circle of radius {radius}?"),
        decimal::times_pi(radius * radius),
    )
}

fn circumference(random: &mut ChaCha8Rng) -> Posed {
    let radius = random.random_range(1..=100);
    Posed::rounded(
        format!("What is the circumference of a circle of radius {radius}?"),
        decimal::times_pi(2 * radius),
    )
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify};

    /// π to 18 decimals, written out so that nothing is shared with the generator.
    fn pi_hundredths(factor: i64) -> i128 {
        let scaled = i128::from(factor) * 3_141_592_653_589_793_238;
        (scaled + 5_000_000_000_000_000) / 10_000_000_000_000_000
    }

    fn is_pi_times(answer: f64, factor: i64) -> bool {
        (answer * 100.0).round() as i128 == pi_hundredths(factor)
    }

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
                ("third_angle_of_triangle", |n, angle| {
                    angle > 0.0 && (n[0] + n[1]) as f64 + angle == 180.0
                }),
                // A whole turn is what the exterior angles sum to.
                ("sum_of_polygon_angles", |n, sum| sum + 360.0 == 180.0 * n[0] as f64),
                ("volume_cuboid", |n, volume| {
                    (volume / n[0] as f64 / n[1] as f64 - n[2] as f64).abs() < 1e-9
                }),
                ("volume_cylinder", |n, volume| is_pi_times(volume, n[0] * n[0] * n[1])),
                ("area_of_circle", |n, area| is_pi_times(area, n[0] * n[0])),
                ("circumference", |n, length| is_pi_times(length, 2 * n[0])),
            ],
            &[],
        );
    }
}

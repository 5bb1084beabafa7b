//! Volumes and surfaces.

use std::f64::consts::PI;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::TOPIC;
use crate::tools::maths::decimal;
use crate::tools::maths::draw::{two_different, until_some};
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "volume_cube", "Volume of Cube", volume_cube),
    Kind::new(TOPIC, Form::Number, "surface_area_cube", "Surface Area of Cube", surface_area_cube),
    Kind::new(TOPIC, Form::Number, "volume_cuboid", "Volume of Cuboid", volume_cuboid),
    Kind::new(
        TOPIC,
        Form::Number,
        "surface_area_cuboid",
        "Surface Area of Cuboid",
        surface_area_cuboid,
    ),
    Kind::new(TOPIC, Form::Number, "volume_cylinder", "Volume of cylinder", volume_cylinder),
    Kind::new(
        TOPIC,
        Form::Number,
        "surface_area_cylinder",
        "Surface Area of Cylinder",
        surface_area_cylinder,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "curved_surface_area_cylinder",
        "Curved surface area of a cylinder",
        curved_surface_area_cylinder,
    ),
    Kind::new(TOPIC, Form::Number, "volume_cone", "Volume of cone", volume_cone),
    Kind::new(TOPIC, Form::Number, "surface_area_cone", "Surface Area of cone", surface_area_cone),
    Kind::new(TOPIC, Form::Number, "volume_frustum", "Volume of frustum", volume_frustum),
    Kind::new(TOPIC, Form::Number, "volume_sphere", "Volume of Sphere", volume_sphere),
    Kind::new(
        TOPIC,
        Form::Number,
        "surface_area_sphere",
        "Surface Area of Sphere",
        surface_area_sphere,
    ),
    Kind::new(TOPIC, Form::Number, "volume_hemisphere", "Volume of Hemisphere", volume_hemisphere),
    Kind::new(TOPIC, Form::Number, "volume_pyramid", "Volume of pyramid", volume_pyramid),
    Kind::new(
        TOPIC,
        Form::Number,
        "surface_area_pyramid",
        "Surface area of pyramid",
        surface_area_pyramid,
    ),
];

fn volume_cube(random: &mut ChaCha8Rng) -> Posed {
    let edge = random.random_range(2_i64..=300);
    Posed::new(
        format!("What is the volume, in cubic metres, of a cube with an edge of {edge} metres?"),
        edge.pow(3),
    )
}

fn surface_area_cube(random: &mut ChaCha8Rng) -> Posed {
    let edge = random.random_range(2_i64..=300);
    Posed::new(
        format!(
            "What is the surface area, in square metres, of a cube with an edge of {edge} metres?"
        ),
        6 * edge * edge,
    )
}

fn volume_cuboid(random: &mut ChaCha8Rng) -> Posed {
    let [a, b, c]: [i64; 3] = std::array::from_fn(|_| random.random_range(1..=30));
    Posed::new(
        format!("What is the volume, in cubic metres, of a cuboid of {a} by {b} by {c} metres?"),
        a * b * c,
    )
}

fn surface_area_cuboid(random: &mut ChaCha8Rng) -> Posed {
    let [a, b, c]: [i64; 3] = std::array::from_fn(|_| random.random_range(1..=30));
    Posed::new(
        format!(
            "What is the surface area, in square metres, of a cuboid of {a} by {b} by {c} metres?"
        ),
        2 * (a * b + b * c + c * a),
    )
}

fn volume_cylinder(random: &mut ChaCha8Rng) -> Posed {
    let Round { radius, height } = Round::draw(random);
    Posed::rounded(
        format!("What is the volume of a cylinder of radius {radius} and height {height}?"),
        decimal::pi_times(radius * radius * height, 1),
    )
}

fn surface_area_cylinder(random: &mut ChaCha8Rng) -> Posed {
    let Round { radius, height } = Round::draw(random);
    Posed::rounded(
        format!(
            "What is the surface area, both ends included, of a cylinder of radius {radius} and \
             height {height}?"
        ),
        decimal::pi_times(2 * radius * (radius + height), 1),
    )
}

fn curved_surface_area_cylinder(random: &mut ChaCha8Rng) -> Posed {
    let Round { radius, height } = Round::draw(random);
    Posed::rounded(
        format!(
            "What is the area of the curved surface, without the ends, of a cylinder of radius \
             {radius} and height {height}?"
        ),
        decimal::pi_times(2 * radius * height, 1),
    )
}

fn volume_cone(random: &mut ChaCha8Rng) -> Posed {
    let Round { radius, height } = Round::draw(random);
    Posed::rounded(
        format!("What is the volume of a right cone of radius {radius} and height {height}?"),
        decimal::pi_times(radius * radius * height, 3),
    )
}

fn surface_area_cone(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let Round { radius, height } = Round::draw(random);
        let slant = ((radius * radius + height * height) as f64).sqrt();
        let area = decimal::clear(PI * radius as f64 * (radius as f64 + slant))?;
        Some(Posed::rounded(
            format!(
                "What is the surface area, the base included, of a right cone of radius {radius} \
                 and height {height}?"
            ),
            area,
        ))
    })
}

fn volume_frustum(random: &mut ChaCha8Rng) -> Posed {
    // Otherwise it is a cylinder.
    let (bottom, top) = two_different(random, 1, 30);
    let height = random.random_range(1..=50);
    Posed::rounded(
        format!(
            "What is the volume of a frustum of a right cone, whose ends have the radii {bottom} \
             and {top} and whose height is {height}?"
        ),
        decimal::pi_times(height * (bottom * bottom + bottom * top + top * top), 3),
    )
}

fn volume_sphere(random: &mut ChaCha8Rng) -> Posed {
    let radius = random.random_range(1_i64..=200);
    Posed::rounded(
        format!("What is the volume of a sphere of radius {radius}?"),
        decimal::pi_times(4 * radius.pow(3), 3),
    )
}

fn surface_area_sphere(random: &mut ChaCha8Rng) -> Posed {
    let radius = random.random_range(1_i64..=500);
    Posed::rounded(
        format!("What is the surface area of a sphere of radius {radius}?"),
        decimal::pi_times(4 * radius * radius, 1),
    )
}

fn volume_hemisphere(random: &mut ChaCha8Rng) -> Posed {
    let radius = random.random_range(1_i64..=200);
    Posed::rounded(
        format!("What is the volume of a hemisphere of radius {radius}?"),
        decimal::pi_times(2 * radius.pow(3), 3),
    )
}

fn volume_pyramid(random: &mut ChaCha8Rng) -> Posed {
    let [length, width, height]: [i64; 3] = std::array::from_fn(|_| random.random_range(1..=50));
    Posed::rounded(
        format!(
            "What is the volume of a pyramid of height {height} whose base is a rectangle of \
             {length} by {width}?"
        ),
        decimal::ratio(length * width * height, 3),
    )
}

fn surface_area_pyramid(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [length, width, height]: [i64; 3] =
            std::array::from_fn(|_| random.random_range(2..=50));
        // The height of the side above `edge` as it slants, when the other edge is `across`.
        let side = |edge: i64, across: i64| {
            edge as f64 * ((4 * height * height + across * across) as f64).sqrt() / 4.0
        };
        let sides = 2.0 * (side(length, width) + side(width, length));
        let area = decimal::clear((length * width) as f64 + sides)?;
        Some(Posed::rounded(
            format!(
                "What is the surface area, the base included, of a pyramid of height {height} whose \
                 base is a rectangle of {length} by {width} and whose apex is above the centre of \
                 the base?"
            ),
            area,
        ))
    })
}

/// What a cylinder and a cone are given by.
struct Round {
    radius: i64,
    height: i64,
}

impl Round {
    fn draw(random: &mut ChaCha8Rng) -> Self {
        Self { radius: random.random_range(1..=50), height: random.random_range(1..=99) }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::KINDS;
    use crate::tools::maths::check::{near, verify};

    /// The volume below `height` of a body whose cross section at each height is at most a
    /// quadratic, from its areas at the bottom, half way up and at the top.
    fn stacked(height: f64, section: impl Fn(f64) -> f64) -> f64 {
        (section(0.0) + 4.0 * section(height / 2.0) + section(height)) * height / 6.0
    }

    fn disc(radius: f64) -> f64 {
        PI * radius * radius
    }

    /// The area of a triangle in space, by the cross product of two edges.
    fn triangle(a: [f64; 3], b: [f64; 3]) -> f64 {
        let cross = |i: usize, j: usize| a[i] * b[j] - a[j] * b[i];
        cross(1, 2).hypot(cross(2, 0)).hypot(cross(0, 1)) / 2.0
    }

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("volume_cube", |n, volume| near(volume.cbrt(), n[0] as f64)),
                ("surface_area_cube", |n, area| (area / 6.0).sqrt() == n[0] as f64),
                ("volume_cuboid", |n, volume| {
                    (volume / n[0] as f64 / n[1] as f64 - n[2] as f64).abs() < 1e-9
                }),
                // Two ends, and a strip around them.
                ("surface_area_cuboid", |n, area| {
                    area == (2 * n[0] * n[1] + 2 * (n[0] + n[1]) * n[2]) as f64
                }),
                ("volume_cylinder", |n, volume| {
                    near(volume, stacked(n[1] as f64, |_| disc(n[0] as f64)))
                }),
                ("surface_area_cylinder", |n, area| {
                    let (radius, height) = (n[0] as f64, n[1] as f64);
                    near(area, 2.0 * disc(radius) + 2.0 * PI * radius * height)
                }),
                ("curved_surface_area_cylinder", |n, area| {
                    near(area, 2.0 * PI * n[0] as f64 * n[1] as f64)
                }),
                ("volume_cone", |n, volume| {
                    let (radius, height) = (n[0] as f64, n[1] as f64);
                    near(volume, stacked(height, |up| disc(radius * (1.0 - up / height))))
                }),
                // Unrolled, the side is a sector of a disc as large as the slant.
                ("surface_area_cone", |n, area| {
                    let radius = n[0] as f64;
                    let slant = radius.hypot(n[1] as f64);
                    near(area, disc(radius) + disc(slant) * (radius / slant))
                }),
                ("volume_frustum", |n, volume| {
                    let (bottom, top, height) = (n[0] as f64, n[1] as f64, n[2] as f64);
                    let radius = |up: f64| bottom + (top - bottom) * up / height;
                    n[0] != n[1] && near(volume, stacked(height, |up| disc(radius(up))))
                }),
                ("volume_sphere", |n, volume| {
                    let radius = n[0] as f64;
                    let section = |up: f64| PI * (radius * radius - (up - radius).powi(2));
                    near(volume, stacked(2.0 * radius, section))
                }),
                // Archimedes: as large as the side of the cylinder around it.
                ("surface_area_sphere", |n, area| {
                    near(area, 2.0 * PI * n[0] as f64 * (2 * n[0]) as f64)
                }),
                ("volume_hemisphere", |n, volume| {
                    let radius = n[0] as f64;
                    near(volume, stacked(radius, |up| PI * (radius * radius - up * up)))
                }),
                ("volume_pyramid", |n, volume| {
                    let (height, base) = (n[0] as f64, (n[1] * n[2]) as f64);
                    near(volume, stacked(height, |up| base * (1.0 - up / height).powi(2)))
                }),
                ("surface_area_pyramid", |n, area| {
                    let (height, length, width) = (n[0] as f64, n[1] as f64, n[2] as f64);
                    let apex = [length / 2.0, width / 2.0, height];
                    let sides =
                        triangle([length, 0.0, 0.0], apex) + triangle([0.0, width, 0.0], apex);
                    near(area, length * width + 2.0 * sides)
                }),
            ],
            &[],
        );
    }
}

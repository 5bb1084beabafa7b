//! Lengths, areas, volumes and angles.

use std::f64::consts::PI;

use super::{Kind, Problem};

pub(super) const KINDS: &[Kind] = &[
    Kind { begins: "area of a circle of radius ", solve: |p| of(p, |[r]| PI * r * r) },
    Kind { begins: "circumference of a circle of radius ", solve: |p| of(p, |[r]| 2.0 * PI * r) },
    Kind {
        begins: "area of the circle with its centre at ",
        solve: |p| of(p, |[a, b, c, d]| PI * ((a - c).powi(2) + (b - d).powi(2))),
    },
    Kind {
        begins: "area of a sector of ",
        solve: |p| of(p, |[degrees, r]| PI * r * r * degrees / 360.0),
    },
    Kind {
        begins: "how long is the arc of a circle of radius ",
        solve: |p| of(p, |[r, degrees]| 2.0 * PI * r * degrees / 360.0),
    },
    Kind { begins: "area of a triangle whose sides have the lengths ", solve: |p| of(p, heron) },
    Kind {
        begins: "is there a triangle whose sides have the lengths ",
        solve: |p| {
            let [a, b, c] = p.exactly()?;
            let longest = a.max(b).max(c);
            Some(if a + b + c > 2.0 * longest { "yes" } else { "no" }.to_owned())
        },
    },
    Kind {
        begins: "perimeter of a polygon whose sides have the lengths ",
        solve: |p| p.shown(p.whole_list()?.iter().sum::<i128>() as f64),
    },
    Kind {
        begins: "right triangle whose legs measure ",
        solve: |p| of(p, |[a, b]| f64::hypot(a, b)),
    },
    Kind {
        begins: "distance between the points ",
        solve: |p| of(p, |[a, b, c, d]| f64::hypot(a - c, b - d)),
    },
    Kind {
        begins: "midpoint of the points ",
        solve: |p| {
            let [a, b, c, d] = p.exactly()?;
            Some(format!("({}, {})", p.shown(f64::midpoint(a, c))?, p.shown(f64::midpoint(b, d))?))
        },
    },
    Kind {
        begins: "interior angle of a regular polygon that has ",
        solve: |p| of(p, |[n]| 180.0 * (n - 2.0) / n),
    },
    Kind {
        begins: "interior angles of a polygon that has ",
        solve: |p| of(p, |[n]| 180.0 * (n - 2.0)),
    },
    Kind { begins: "two angles of a triangle are ", solve: |p| of(p, |[a, b]| 180.0 - a - b) },
    Kind {
        begins: "three angles of a quadrilateral are ",
        solve: |p| of(p, |[a, b, c]| 360.0 - a - b - c),
    },
    Kind { begins: "complementary angle of an angle of ", solve: |p| of(p, |[a]| 90.0 - a) },
    Kind { begins: "supplementary angle of an angle of ", solve: |p| of(p, |[a]| 180.0 - a) },
    Kind { begins: "how many radians are ", solve: |p| of(p, |[degrees]| degrees.to_radians()) },
    Kind {
        begins: "how many degrees are ",
        solve: |p| p.rest.contains("radians").then(|| of(p, |[r]| r.to_degrees())).flatten(),
    },
    Kind {
        begins: "volume, in cubic metres, of a cube with an edge of ",
        solve: |p| of(p, |[a]| a * a * a),
    },
    Kind {
        begins: "surface area, in square metres, of a cube with an edge of ",
        solve: |p| of(p, |[a]| 6.0 * a * a),
    },
    Kind {
        begins: "volume, in cubic metres, of a cuboid of ",
        solve: |p| of(p, |[a, b, c]| a * b * c),
    },
    Kind {
        begins: "surface area, in square metres, of a cuboid of ",
        solve: |p| of(p, |[a, b, c]| 2.0 * (a * b + b * c + a * c)),
    },
    Kind {
        begins: "volume of a sphere of radius ",
        solve: |p| of(p, |[r]| PI * r * r * r * 4.0 / 3.0),
    },
    Kind {
        begins: "surface area of a sphere of radius ",
        solve: |p| of(p, |[r]| 4.0 * PI * r * r),
    },
    Kind {
        begins: "volume of a hemisphere of radius ",
        solve: |p| of(p, |[r]| PI * r * r * r * 2.0 / 3.0),
    },
    Kind { begins: "volume of a cylinder of radius ", solve: |p| of(p, |[r, h]| PI * r * r * h) },
    Kind {
        begins: "surface area, both ends included, of a cylinder of radius ",
        solve: |p| of(p, |[r, h]| 2.0 * PI * r * (r + h)),
    },
    Kind {
        begins: "curved surface, without the ends, of a cylinder of radius ",
        solve: |p| of(p, |[r, h]| 2.0 * PI * r * h),
    },
    Kind {
        begins: "volume of a right cone of radius ",
        solve: |p| of(p, |[r, h]| PI * r * r * h / 3.0),
    },
    Kind {
        begins: "surface area, the base included, of a right cone of radius ",
        solve: |p| of(p, |[r, h]| PI * r * (r + f64::hypot(r, h))),
    },
    Kind {
        begins: "frustum of a right cone, whose ends have the radii ",
        solve: |p| of(p, |[a, b, h]| PI * h * (a * a + a * b + b * b) / 3.0),
    },
    Kind {
        begins: "volume of a pyramid of height ",
        solve: |p| of(p, |[h, a, b]| a * b * h / 3.0),
    },
    Kind {
        begins: "surface area, the base included, of a pyramid of height ",
        solve: |p| of(p, pyramid),
    },
    Kind {
        begins: "in radians, between the vectors ",
        solve: |p| {
            let (a, b) = vectors(p)?;
            let lengths = dot(&a, &a).sqrt() * dot(&b, &b).sqrt();
            p.shown((dot(&a, &b) / lengths).clamp(-1.0, 1.0).acos())
        },
    },
    Kind {
        begins: "dot product of the vectors ",
        solve: |p| vectors(p).and_then(|(a, b)| p.shown(dot(&a, &b))),
    },
    Kind {
        begins: "euclidean norm of the vector ",
        solve: |p| {
            let vector = p.list()?;
            p.shown(dot(&vector, &vector).sqrt())
        },
    },
];

/// The value of a formula for exactly as many numbers as it takes.
fn of<const N: usize>(problem: &Problem<'_>, formula: impl Fn([f64; N]) -> f64) -> Option<String> {
    problem.shown(formula(problem.exactly()?))
}

fn heron([a, b, c]: [f64; 3]) -> f64 {
    let half = (a + b + c) / 2.0;
    (half * (half - a) * (half - b) * (half - c)).sqrt()
}

/// The surface of a pyramid on a rectangle.
fn pyramid([height, a, b]: [f64; 3]) -> f64 {
    a * b + a * f64::hypot(height, b / 2.0) + b * f64::hypot(height, a / 2.0)
}

/// Two vectors of the same length.
fn vectors(problem: &Problem<'_>) -> Option<(Vec<f64>, Vec<f64>)> {
    let numbers = problem.list()?;
    let (a, b) = numbers.split_at_checked(numbers.len() / 2)?;
    (!a.is_empty() && a.len() == b.len()).then(|| (a.to_vec(), b.to_vec()))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

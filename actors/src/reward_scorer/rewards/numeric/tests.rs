//! Numbers as people and models write them, and what only looks like one.

use proptest::prelude::*;

use super::closed_form::Nature;
use super::numbers::whole;
use super::*;

fn answer(text: &str) -> Option<f64> {
    numbers::answer("", text, &Effort::default())
}

fn assert_reads(table: &[(&str, f64)]) {
    for (text, number) in table {
        let Some(read) = answer(text) else { panic!("{text:?} is no number") };
        let difference = (read - number).abs();
        assert!(difference <= 1e-12 * number.abs(), "{text:?}: {read} and not {number}");
    }
}

#[test]
fn reads_numbers_as_people_and_models_write_them() {
    assert_reads(&[
        ("42", 42.0),
        ("42.", 42.0),
        ("**42**", 42.0),
        ("(42)!", 42.0),
        ("-7", -7.0),
        ("−7", -7.0),
        ("+7", 7.0),
        ("-$5.50", -5.5),
        ("2.50", 2.5),
        (".5", 0.5),
        ("x=-.5", -0.5),
        ("1,234,567.89", 1_234_567.89),
        ("1{,}234", 1_234.0),
        (r"12\,345\,678", 12_345_678.0),
        ("9\u{202f}876", 9_876.0),
        ("12,34", 34.0),
        ("1e5", 100_000.0),
        ("2.5E-3", 0.0025),
        ("1.5 × 10^5", 150_000.0),
        ("1.5 × 10⁻⁵", 0.000_015),
        (r"1.5 \times 10^{-2}", 0.015),
        ("1.5⋅10^5", 150_000.0),
        ("6*10**3", 6_000.0),
        ("6 x 10^(3)", 6_000.0),
        ("50%", 50.0),
        (r"$50\%$", 50.0),
        ("€20", 20.0),
        ("5kg", 5.0),
        ("5 m/s", 5.0),
        ("5 m/s^2", 5.0),
        ("5 kg/m³", 5.0),
        ("30°", 30.0),
        ("5 km", 5.0),
        ("a 5-year plan", 5.0),
        ("COVID-19", 19.0),
    ]);
}

#[test]
fn reads_fractions() {
    assert_reads(&[
        ("3/4", 0.75),
        ("-3/4.", -0.75),
        ("(3/4)", 0.75),
        (r"\frac{1}{4}", 0.25),
        (r"\frac12", 0.5),
        (r"x = -\dfrac{ 1 }{ -4 }", 0.25),
        (r"$2\frac{1}{2}$", 2.5),
        (r"\frac{3}{\frac{1}{2}}", 6.0),
        (r"\frac{\frac{1}{2}}{\frac{3}{4}}", 2.0 / 3.0),
        (r"\boxed{\tfrac{1{,}000}{8}}", 125.0),
        ("(3/4)^2", 0.5625),
    ]);
}

#[test]
fn reads_powers() {
    assert_reads(&[
        ("2^10", 1024.0),
        ("2**10", 1024.0),
        ("**2**10**", 1024.0),
        ("2^{10}", 1024.0),
        ("2^(10)", 1024.0),
        ("-2^{-2}", -0.25),
        ("3²", 9.0),
        ("10⁻³", 0.001),
        ("(-2)^3", -8.0),
        ("-(1/2)**3", -0.125),
        ("1.5^2", 2.25),
        ("4^{1/2}", 2.0),
        (r"4^{-\frac{1}{2}}", 0.5),
        ("2^3 × 5^2", 200.0),
        (r"4 \cdot 2^{3}", 32.0),
        ("2^1000", 2_f64.powi(1000)),
        ("5 m²", 5.0),
    ]);
}

#[test]
fn reads_roots_and_constants() {
    use std::f64::consts::{E, PI, SQRT_2};
    assert_reads(&[
        ("√2", SQRT_2),
        ("-√(1/4)", -0.5),
        ("∛8", 2.0),
        (r"\sqrt{2}", SQRT_2),
        (r"\sqrt2", SQRT_2),
        (r"\sqrt[3]{8}", 2.0),
        (r"\sqrt[4]{16}", 2.0),
        ("sqrt(2)", SQRT_2),
        ("cbrt(27)", 3.0),
        (r"3\sqrt{2}", 3.0 * SQRT_2),
        ("3 * sqrt(2)", 3.0 * SQRT_2),
        ("5√2 cm", 5.0 * SQRT_2),
        ("-sqrt(3)/2", -(3_f64.sqrt()) / 2.0),
        (r"\frac{\sqrt{3}}{2}", 3_f64.sqrt() / 2.0),
        (r"\frac{1}{2\sqrt{2}}", 0.5 / SQRT_2),
        (r"\sqrt{\frac{9}{4}}", 1.5),
        ("√2 · √8", 4.0),
        ("π", PI),
        ("2π", 2.0 * PI),
        ("2pi", 2.0 * PI),
        ("2 * pi", 2.0 * PI),
        ("pi/4", PI / 4.0),
        (r"2\pi", 2.0 * PI),
        ("π²", PI * PI),
        (r"\frac{\pi}{2}", PI / 2.0),
        (r"\frac{4}{3}\pi", 4.0 / 3.0 * PI),
        ("2π/3", 2.0 * PI / 3.0),
        (r"-\frac{3\pi}{4}", -0.75 * PI),
        ("e^2", E * E),
        (r"5e^{-1}", 5.0 / E),
        (r"\frac{e}{2}", E / 2.0),
        (r"\boxed{12\pi}", 12.0 * PI),
    ]);
}

#[test]
fn what_only_looks_like_a_number_is_none() {
    for text in [
        "",
        "none",
        "x2 and H_2",
        "x_{12} and y^{3}",
        "0x1f",
        "3*4",
        "10-3",
        "5–10",
        "12:30",
        "1/2/2020",
        "1.2.3",
        "1/0",
        "0^-1",
        "1e999",
        r"\frac{1}{0}",
        r"\frac{x + 1}{2}",
        r"\sqrt{x^2 + 1}",
        r"\sqrt{-1}",
        r"\sqrt[0]{2}",
        "9**9**9",
        "9^9^9",
        "9^{9^9}",
        "(9^9)^9",
        "9⁹⁹⁹⁹⁹",
        "1.001^1025",
        "9^999",
        "2^n",
        "2^{n+1}",
        "2^10-3",
        "2^3x",
        "2πr",
        "e",
        "e5",
        "pi and sqrt(x)",
        "٤٢",
        r"\frac{\frac{\frac{\frac{\frac{1}{2}}{2}}{2}}{2}}{2}",
    ] {
        assert_eq!(answer(text), None, "{text:?}");
    }
}

#[test]
fn nothing_is_worked_out() {
    assert_reads(&[
        ("3 × 4", 4.0),
        ("2^10 - 24", 24.0),
        ("1 + √2 = 2.41", 2.41),
        (r"3 \cdot \frac{1}{2} = 1.5", 1.5),
    ]);
}

#[test]
fn the_last_number_is_the_answer() {
    assert_reads(&[
        ("There are 3 apples and 4 pears, so 7.", 7.0),
        ("3 + 4 = 7", 7.0),
        ("2^10 = 1024", 1024.0),
        ("x^2 = 49", 49.0),
        ("49 = x^2", 49.0),
        ("49 = x^{2}", 49.0),
        ("7 = 3*4-5", 7.0),
        (r"The area is $\frac{1}{2}$, the side 2^3", 8.0),
        ("- 2π\n* 3", 3.0),
    ]);
}

#[test]
fn a_number_that_is_called_the_answer_goes_before_the_last() {
    assert_reads(&[
        ("The answer is 42.17, rounded to 2 decimal places.", 42.17),
        ("**Answer:** -3. I used 5 steps.", -3.0),
        (r"$\boxed{12}$ as shown in step 4", 12.0),
        ("The answer is approximately $6.50 for 3 people", 6.5),
        ("The answer is 3 + 4 = 7", 7.0),
        (r"The answer is 3 \times 4 = 12", 12.0),
        (r"The answer is 3\sqrt{4}, by step 2", 6.0),
        ("The answer is not 5 but 6", 6.0),
        ("answer: 1. No: the answer is 2. There are 9 more.", 2.0),
    ]);
}

#[test]
fn a_form_of_the_challenges_numbers_hands_the_question_back() {
    let answer = |challenge, text| numbers::answer(challenge, text, &Effort::default());
    for (challenge, text) in [
        ("What is 84 divided by 7?", "84/7"),
        ("What is 84 divided by 7?", r"\boxed{\frac{84}{7}}"),
        ("What is 2 to the power of 10?", "2^10"),
        ("What is the square of 12?", "12^{2}"),
        ("What is the square root of 1,444?", "The answer is √1444"),
        ("What is the fraction 7/20 as a decimal number?", "7/20"),
    ] {
        assert_eq!(answer(challenge, text), None, "{text}");
    }
    // Numbers of the challenge that stand apart there were put together by the answer itself.
    let slope = "A line has y = 1 at x = 1, y = 5 at x = 9, and y = 7 at x = 2. How steep is it?";
    assert_eq!(answer(slope, r"\frac{1}{2}"), Some(0.5));
    assert_eq!(answer("From x = 1 on by 5 to x = 2: what is it?", r"\frac{1}{2}"), Some(0.5));
    assert_eq!(answer("Of 1, 5 and 2, what is 2 over 5?", "5/2"), None);
    assert_eq!(answer("What is 84 divided by 7?", "84/7 = 12"), Some(12.0));
    assert_eq!(answer("What is 7 mod 9?", "7"), Some(7.0));
    assert_eq!(answer("What is 30 divided by 8?", "15/4"), Some(3.75));
    let area = answer("What is the area of a circle of radius 3?", "9π").unwrap();
    assert!((area - 28.274_333_882_308_14).abs() < 1e-9);
}

#[test]
fn only_the_end_of_a_long_answer_is_read() {
    let words = "word ".repeat(1_000);
    assert_eq!(answer(&format!("42 {words}")), None);
    assert_eq!(answer(&format!("{words} 42")), Some(42.0));
    assert_eq!(answer(&"9".repeat(2_001)), None);
    assert_eq!(answer(&format!("{} 7", "9".repeat(2_001))), Some(7.0));
}

#[test]
fn a_reference_is_one_number_and_nothing_else() {
    for (text, number) in [
        ("42", Some((42.0, Nature::Literal))),
        (" -1,000.5\n", Some((-1000.5, Nature::Literal))),
        ("1e-3", Some((0.001, Nature::Literal))),
        ("50%", Some((50.0, Nature::Literal))),
        (r"50\%", Some((50.0, Nature::Literal))),
        ("3/4", Some((0.75, Nature::Fraction))),
        (r"-\frac{3}{4}", Some((-0.75, Nature::Fraction))),
        ("2^10", Some((1024.0, Nature::Power))),
        (r"\sqrt{4}", Some((2.0, Nature::Irrational))),
        ("42 km", None),
        ("42.", None),
        ("2^10 + 1", None),
        ("9**9**9", None),
        ("", None),
        ("-", None),
        ("x", None),
    ] {
        assert_eq!(whole(text, &Effort::default()), number, "{text:?}");
    }
    assert_eq!(whole(&"9".repeat(3_000), &Effort::default()), None);
}

#[test]
fn texts_that_are_made_to_be_slow_take_a_bounded_number_of_steps() {
    for piece in [
        r"\frac{",
        r"\frac{1}{",
        r"1\frac{",
        r"\frac{1\frac{1",
        "2^{",
        "2^(",
        "(",
        "((2",
        "√(",
        r"\sqrt{",
        r"\sqrt[3]{2^{\frac{1}{",
        "2*",
        "2π ",
        "1,111",
        "9",
        "x^",
        "{",
        "answer 1 ",
        " ",
        "π√2",
    ] {
        let effort = Effort::default();
        let _ = numbers::answer(piece, &piece.repeat(64 * 1024 / piece.len()), &effort);
        assert!(effort.spent() < 5_000_000, "{piece:?}: {}", effort.spent());
    }
}

proptest! {
    #[test]
    fn any_text_of_mathematics_has_a_finite_answer_or_none(
        text in r"([0-9 ,.(){}\[\]^*/+π√²⁻e-]|\\frac|\\sqrt|\\pi|sqrt|answer){0,60}",
        challenge in "[0-9 .]{0,20}",
    ) {
        let effort = Effort::default();
        let number = numbers::answer(&challenge, &text, &effort);
        prop_assert!(number.is_none_or(f64::is_finite));
        prop_assert!(effort.spent() < 100_000, "{}", effort.spent());
    }

    #[test]
    fn a_form_is_worth_what_it_says(a in 2..40_i32, b in 2..9_i32, c in 2..40_i32) {
        let [x, y, z] = [a, b, c].map(f64::from);
        for (text, number) in [
            (format!("{a}/{c}"), x / z),
            (format!(r"-\frac{{{a}}}{{{c}}}"), -x / z),
            (format!("{a}^{b}"), x.powi(b)),
            (format!(r"{a}\sqrt{{{c}}}"), x * z.sqrt()),
            (format!(r"\frac{{{a}\sqrt[{b}]{{{c}}}}}{{2}}"), x * z.powf(1.0 / y) / 2.0),
            (format!("{a}π/{c}"), x * std::f64::consts::PI / z),
        ] {
            for said in [text.clone(), format!("So the answer is ${text}$."), format!("{text} km")] {
                let read = answer(&said).unwrap_or(f64::NAN);
                prop_assert!((read - number).abs() <= 1e-9 * number.abs(), "{}: {}", said, read);
            }
        }
    }
}

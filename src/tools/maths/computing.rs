//! Numbers as computers meet them.
//!
//! Answers in another base carry it as a prefix, `0b1011`, so that nobody takes them for decimal.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::draw::until_some;
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "computer_science";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "binary_to_decimal", "Binary to Decimal", binary_to_decimal),
    Kind::new(TOPIC, Form::Number, "modulo_division", "Modulo Division", modulo_division),
    Kind::new(
        TOPIC,
        Form::Number,
        "nth_fibonacci_number",
        "nth Fibonacci number",
        nth_fibonacci_number,
    ),
    Kind::new(TOPIC, Form::List, "fibonacci_series", "Fibonacci Series", fibonacci_series),
    Kind::new(TOPIC, Form::Word, "decimal_to_binary", "Decimal to Binary", decimal_to_binary),
    Kind::new(TOPIC, Form::Word, "decimal_to_octal", "Converts decimal to octal", decimal_to_octal),
    Kind::new(
        TOPIC,
        Form::Word,
        "decimal_to_hexadeci",
        "Decimal to Hexadecimal",
        decimal_to_hexadeci,
    ),
    Kind::new(TOPIC, Form::Word, "binary_to_hex", "Binary to Hexidecimal", binary_to_hex),
    Kind::new(
        TOPIC,
        Form::Word,
        "binary_complement_1s",
        "Binary Complement 1s",
        binary_complement_1s,
    ),
    Kind::new(
        TOPIC,
        Form::Word,
        "binary_2s_complement",
        "Binary 2's Complement",
        binary_2s_complement,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "bcd_to_decimal",
        "Binary Coded Decimal to Integer",
        bcd_to_decimal,
    ),
    Kind::new(
        TOPIC,
        Form::Word,
        "decimal_to_bcd",
        "Decimal to Binary Coded Decimal",
        decimal_to_bcd,
    ),
];

fn binary_to_decimal(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(4..=4095);
    Posed::new(format!("What is the binary number {number:b} in decimal notation?"), number)
}

fn modulo_division(random: &mut ChaCha8Rng) -> Posed {
    let divisor = random.random_range(2..=99);
    let remainder = random.random_range(1..divisor);
    let dividend = divisor * random.random_range(1..=99) + remainder;
    Posed::new(format!("What is the remainder when {dividend} is divided by {divisor}?"), remainder)
}

fn nth_fibonacci_number(random: &mut ChaCha8Rng) -> Posed {
    let place = random.random_range(5..=70);
    let number = fibonacci().nth(place).unwrap_or_default();
    Posed::new(
        format!(
            "Which number is at place {place} of the Fibonacci sequence, if the first two numbers \
             are both one?"
        ),
        number,
    )
}

fn fibonacci_series(random: &mut ChaCha8Rng) -> Posed {
    let count = random.random_range(8..=40);
    let numbers: Vec<String> = fibonacci().take(count).map(|number| number.to_string()).collect();
    Posed::new(
        format!(
            "What are the first {count} numbers of the Fibonacci sequence that begins with 0 and \
             1? Separate them by commas."
        ),
        numbers.join(", "),
    )
}

/// 0, 1, 1, 2 and so on.
fn fibonacci() -> impl Iterator<Item = i64> {
    std::iter::successors(Some((0_i64, 1_i64)), |(this, next)| {
        Some((*next, this.checked_add(*next)?))
    })
    .map(|(this, _)| this)
}

fn decimal_to_binary(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(8..=4095);
    Posed::new(format!("Write the decimal number {number} in binary."), format!("{number:#b}"))
}

fn decimal_to_octal(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(64..=9999);
    Posed::new(format!("Write the decimal number {number} in octal."), format!("{number:#o}"))
}

fn decimal_to_hexadeci(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(256..=65_535);
    Posed::new(format!("Write the decimal number {number} in hexadecimal."), format!("{number:#x}"))
}

fn binary_to_hex(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(64..=65_535);
    Posed::new(
        format!("Write the binary number {number:b} in hexadecimal."),
        format!("{number:#x}"),
    )
}

fn binary_complement_1s(random: &mut ChaCha8Rng) -> Posed {
    let BinaryWord { bits, width } = BinaryWord::draw(random);
    let complement = !bits & ((1 << width) - 1);
    Posed::new(
        format!(
            "What is the one's complement of the {width}-bit binary number {bits:0width$b}? Write \
             all {width} bits."
        ),
        format!("0b{complement:0width$b}"),
    )
}

fn binary_2s_complement(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let BinaryWord { bits, width } = BinaryWord::draw(random);
        let complement = (1 << width) - bits;
        // One is its own complement.
        (complement != bits).then(|| {
            Posed::new(
                format!(
                    "What is the two's complement of the {width}-bit binary number \
                     {bits:0width$b}? Write all {width} bits."
                ),
                format!("0b{complement:0width$b}"),
            )
        })
    })
}

/// Bits that are neither all set nor all clear.
struct BinaryWord {
    bits: u32,
    width: usize,
}

impl BinaryWord {
    fn draw(random: &mut ChaCha8Rng) -> Self {
        let width = random.random_range(5..=12);
        Self { bits: random.random_range(1..(1 << width) - 1), width }
    }
}

fn bcd_to_decimal(random: &mut ChaCha8Rng) -> Posed {
    let number: u32 = random.random_range(100..=99_999);
    Posed::new(
        format!(
            "Which decimal number is {} in binary-coded decimal, four bits for each digit?",
            nibbles(number).join(" ")
        ),
        number,
    )
}

fn decimal_to_bcd(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(100..=9999);
    Posed::new(
        format!(
            "Write the decimal number {number} in binary-coded decimal, four bits for each digit."
        ),
        format!("0b{}", nibbles(number).concat()),
    )
}

/// Four bits for each decimal digit.
fn nibbles(number: u32) -> Vec<String> {
    let digits = number.to_string();
    digits.chars().filter_map(|digit| Some(format!("{:04b}", digit.to_digit(10)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{verify, whole_numbers};

    /// The value of digits, by Horner's rule.
    fn value(digits: &str, base: u32) -> Option<i64> {
        digits.chars().try_fold(0, |value, digit| {
            Some(value * i64::from(base) + i64::from(digit.to_digit(base)?))
        })
    }

    /// The last binary number of at least four digits in a text.
    fn bits(text: &str) -> &str {
        let mut words = text.split(|c: char| !c.is_ascii_digit());
        words.rfind(|word| word.len() > 3 && word.chars().all(|c| c.is_digit(2))).unwrap()
    }

    fn is_written(statement: &str, answer: &str, prefix: &str, base: u32) -> bool {
        let number = value(answer.strip_prefix(prefix).unwrap(), base);
        number.is_some() && number == whole_numbers(statement).first().copied()
    }

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("binary_to_decimal", |n, answer| {
                    i64::from_str_radix(&n[0].to_string(), 2) == Ok(answer as i64)
                }),
                ("modulo_division", |n, remainder| {
                    let left = (0..).map(|k| n[0] - k * n[1]).find(|left| *left < n[1]);
                    left == Some(remainder as i64)
                }),
                // Binet's formula, exact enough up to place 70.
                ("nth_fibonacci_number", |n, number| {
                    let root = 5_f64.sqrt();
                    number == (((1.0 + root) / 2.0).powi(n[0] as i32) / root).round()
                }),
                ("bcd_to_decimal", |n, number| {
                    let digits = n.iter().map(|nibble| value(&nibble.to_string(), 2).unwrap());
                    digits.fold(0, |value, digit| value * 10 + digit) == number as i64
                }),
            ],
            &[
                ("fibonacci_series", |statement, answer| {
                    let n = whole_numbers(answer);
                    n.len() as i64 == whole_numbers(statement)[0]
                        && n[..2] == [0, 1]
                        && n.windows(3).all(|three| three[0] + three[1] == three[2])
                }),
                ("decimal_to_binary", |s, answer| is_written(s, answer, "0b", 2)),
                ("decimal_to_octal", |s, answer| is_written(s, answer, "0o", 8)),
                ("decimal_to_hexadeci", |s, answer| is_written(s, answer, "0x", 16)),
                ("binary_to_hex", |statement, answer| {
                    let number = value(answer.strip_prefix("0x").unwrap(), 16);
                    number == value(bits(statement), 2)
                }),
                ("binary_complement_1s", |statement, answer| {
                    let (from, to) = (bits(statement), answer.strip_prefix("0b").unwrap());
                    from.len() == to.len() && from.chars().zip(to.chars()).all(|(a, b)| a != b)
                }),
                // Both sum to a one and as many zeros as they have bits.
                ("binary_2s_complement", |statement, answer| {
                    let (from, to) = (bits(statement), answer.strip_prefix("0b").unwrap());
                    let sum = value(from, 2).unwrap() + value(to, 2).unwrap();
                    from.len() == to.len() && sum == 1 << from.len()
                }),
                ("decimal_to_bcd", |statement, answer| {
                    let bits = answer.strip_prefix("0b").unwrap().as_bytes();
                    let digit = |four| value(str::from_utf8(four).unwrap(), 2);
                    let digits: Option<Vec<i64>> = bits.chunks_exact(4).map(digit).collect();
                    let number = digits.unwrap().iter().fold(0, |value, digit| value * 10 + digit);
                    bits.len() % 4 == 0 && number == whole_numbers(statement)[0]
                }),
            ],
        );
    }
}

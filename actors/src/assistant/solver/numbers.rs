//! Numbers in a text, and results as they are asked for.

/// More numbers than a problem has.
const MOST: usize = 200;
/// Digits of a number that is read.
const DIGITS: usize = 15;
/// Whole numbers up to this are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The numbers of a text.
pub(super) struct Numbers(Option<Vec<f64>>);

impl Numbers {
    /// Reads them; none at all where one is too long, or there are too many.
    pub(super) fn of(text: &str) -> Self {
        Self(read(text))
    }

    pub(super) fn all(&self) -> &[f64] {
        self.0.as_deref().unwrap_or_default()
    }
}

fn read(text: &str) -> Option<Vec<f64>> {
    let mut numbers = Vec::new();
    let mut before = ' ';
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter.is_ascii_digit() {
            let literal = literal(rest);
            let digits = literal.bytes().filter(u8::is_ascii_digit).count();
            if digits > DIGITS || numbers.len() == MOST {
                return None;
            }
            let value: f64 = literal.parse().ok()?;
            numbers.push(if before == '-' { -value } else { value });
            rest = rest.get(literal.len()..)?;
            before = '0';
            continue;
        }
        // A minus between two numbers or letters is none of the second's.
        before = if letter == '-' && before.is_alphanumeric() { ' ' } else { letter };
        rest = rest.get(letter.len_utf8()..)?;
    }
    Some(numbers)
}

/// Words that lead to a list of numbers.
const LEADING: [&str; 5] = ["the", "these", "following", "numbers", "values"];

/// The numbers at the start of a text, if its first sentence is a list of them and nothing else.
pub(super) fn list(text: &str) -> Option<Vec<f64>> {
    let end = text.char_indices().find(|(at, letter)| {
        let next = text.as_bytes().get(at + 1);
        matches!(letter, '?' | '\n') || (*letter == '.' && !next.is_some_and(u8::is_ascii_digit))
    });
    let sentence = text.get(..end.map_or(text.len(), |(at, _)| at))?;
    let signs = [',', ';', '(', ')', '[', ']'];
    let numbers: Option<Vec<f64>> = sentence
        .split_whitespace()
        .map(|word| word.trim_matches(signs))
        .filter(|word| !word.is_empty())
        .skip_while(|word| LEADING.contains(word))
        .filter(|word| *word != "and")
        .map(number)
        .collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

/// A word that is a number.
fn number(word: &str) -> Option<f64> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let is_number = !digits.is_empty() && literal(digits) == digits && digits.len() <= DIGITS;
    if is_number { word.parse().ok() } else { None }
}

/// The digits at the start of a text, with a decimal point between two of them.
pub(super) fn literal(text: &str) -> &str {
    let mut seen_point = false;
    let bytes = text.as_bytes();
    let end = (0..bytes.len()).find(|at| match bytes[*at] {
        b'0'..=b'9' => false,
        b'.' if !seen_point && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {
            seen_point = true;
            false
        }
        _ => true,
    });
    text.get(..end.unwrap_or(bytes.len())).unwrap_or_default()
}

/// A whole number, if it is one and exact.
pub(super) fn whole(value: f64) -> Option<i128> {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    (value.fract() == 0.0 && value.abs() < EXACT).then_some(value as i128)
}

/// A result as `asked` wants it: rounded to two decimals if that is said.
pub(super) fn shown(value: f64, asked: &str) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    if asked.contains("two decimals") || asked.contains("2 decimal") {
        return Some(format!("{value:.2}"));
    }
    if (value - value.round()).abs() < 1e-9 * value.abs().max(1.0) {
        return Some(format!("{:.0}", value.round() + 0.0));
    }
    let text = format!("{value:.6}");
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// Whole numbers as a list.
pub(super) fn listed(numbers: &[i128]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A fraction in its lowest terms.
pub(super) fn fraction(above: i128, below: i128) -> Option<String> {
    let common = gcd(above, below);
    let sign = if below < 0 { -1 } else { 1 };
    let (above, below) = (sign * above.checked_div(common)?, sign * below.checked_div(common)?);
    match below {
        0 => None,
        1 => Some(above.to_string()),
        _ => Some(format!("{above}/{below}")),
    }
}

/// The greatest common divisor, which is not negative.
pub(super) fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}

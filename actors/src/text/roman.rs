//! Roman numerals. The maths generator poses them and the agent's solver writes them.

const LETTERS: [(u32, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// A number as Romans wrote it, up to 3999; larger ones get as many `M` as it takes, 0 gets nothing.
#[must_use]
pub fn numeral(number: u32) -> String {
    let (mut rest, mut written) = (number, String::new());
    for (value, letters) in LETTERS {
        while rest >= value {
            written.push_str(letters);
            rest -= value;
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtracts_what_stands_before_a_larger_letter() {
        let written = [4, 9, 40, 1994, 3999].map(numeral);
        assert_eq!(written, ["IV", "IX", "XL", "MCMXCIV", "MMMCMXCIX"]);
    }
}

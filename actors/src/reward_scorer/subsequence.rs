//! How much two lists have in common, in one order.
//!
//! Where code was mended and where an answer was copied is told by it; ROUGE-L needs the words
//! themselves and has its own way.

use std::collections::HashMap;

use super::effort::Effort;

/// The length of the longest common subsequence, by rows of bits: a bit of `row` is 0 where the
/// length grows from one token of `one` to the next.
pub(super) fn common_length(one: &[u32], other: &[u32], effort: &Effort) -> usize {
    let blocks = one.len().div_ceil(64);
    // The rows of bits, of which each different token of `one` has its own, and the passes over one.
    effort.spend(blocks * (one.len() + other.len()));
    let mut places: HashMap<u32, Vec<u64>> = HashMap::new();
    for (at, token) in one.iter().enumerate() {
        let bits = places.entry(*token).or_insert_with(|| vec![0; blocks]);
        bits[at / 64] |= 1 << (at % 64);
    }
    let mut row = vec![u64::MAX; blocks];
    for bits in other.iter().filter_map(|token| places.get(token)) {
        let mut carry = false;
        for (value, bits) in row.iter_mut().zip(bits) {
            let matched = *value & bits;
            let (sum, over) = value.overflowing_add(matched);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            carry = over || again;
            *value = sum | (*value & !bits);
        }
    }
    // Bits behind the last token never match, so they stay 1.
    row.iter().map(|value| value.count_zeros() as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn common_tokens_are_those_of_the_textbook(
            one in prop::collection::vec(0_u32..4, 0..150),
            other in prop::collection::vec(0_u32..4, 0..150),
        ) {
            let mut table = vec![vec![0; other.len() + 1]; one.len() + 1];
            for (i, a) in one.iter().enumerate() {
                for (j, b) in other.iter().enumerate() {
                    table[i + 1][j + 1] = if a == b {
                        table[i][j] + 1
                    } else {
                        usize::max(table[i][j + 1], table[i + 1][j])
                    };
                }
            }
            let effort = Effort::default();
            prop_assert_eq!(common_length(&one, &other, &effort), table[one.len()][other.len()]);
        }
    }
}

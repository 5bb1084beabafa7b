//! How numpy 2 rounds and sums, so that a vector is the same to the last bit.

/// What an array computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    /// `float32`.
    Single,
    /// `float64`.
    Double,
}

impl Precision {
    /// One result of `+`, `-`, `·` or `/`, as this precision has it. The operands must have it too:
    /// then double precision is wide enough that rounding twice is rounding once.
    pub(super) fn round(self, number: f64) -> f64 {
        match self {
            Self::Single => f64::from(number as f32),
            Self::Double => number,
        }
    }

    /// `array.sum()`: numpy adds in eight lanes, and halves what is longer than 128.
    pub(super) fn sum(self, numbers: &[f64]) -> f64 {
        const BLOCK: usize = 128;
        let add = |sum: f64, number: &f64| self.round(sum + number);
        if numbers.len() < 8 {
            return numbers.iter().fold(0.0, add);
        }
        if numbers.len() > BLOCK {
            let half = numbers.len() / 2;
            let (first, rest) = numbers.split_at(half - half % 8);
            return self.round(self.sum(first) + self.sum(rest));
        }
        let (eights, rest) = numbers.as_chunks::<8>();
        let mut lanes = [0.0; 8];
        for eight in eights {
            for (lane, number) in lanes.iter_mut().zip(eight) {
                *lane = add(*lane, number);
            }
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        let pair = |a: f64, b: f64| self.round(a + b);
        let lanes = pair(pair(pair(a, b), pair(c, d)), pair(pair(e, f), pair(g, h)));
        rest.iter().fold(lanes, add)
    }
}

//! The quantised types of GGML whose blocks become ours without loss. Layouts:
//! <https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h>.

use candle_core::quantized::GgmlDType;
use half::f16;

use super::{BLOCK, Bits};

/// Neighbouring weights that share a scale: each is `scale * weight + minimum`.
pub(super) struct Block {
    pub(super) scale: f32,
    pub(super) minimum: f32,
    pub(super) weights: [i16; BLOCK],
}

/// How weights of this type are packed.
pub(super) fn bits(dtype: GgmlDType) -> Option<Bits> {
    match dtype {
        GgmlDType::Q4_0 | GgmlDType::Q4_1 | GgmlDType::Q4K => Some(Bits::Four),
        GgmlDType::Q8_0 => Some(Bits::Eight),
        _ => None,
    }
}

/// Calls `see` with each block and its number, in order. Types that cannot be packed have none.
pub(super) fn each_block(dtype: GgmlDType, bytes: &[u8], mut see: impl FnMut(usize, Block)) {
    match dtype {
        GgmlDType::Q4_0 => {
            for (number, bytes) in bytes.as_chunks::<18>().0.iter().enumerate() {
                let scale = half(bytes, 0);
                let weights = nibbles(&bytes[2..]);
                see(number, Block { scale, minimum: -8.0 * scale, weights });
            }
        }
        GgmlDType::Q4_1 => {
            for (number, bytes) in bytes.as_chunks::<20>().0.iter().enumerate() {
                let weights = nibbles(&bytes[4..]);
                see(number, Block { scale: half(bytes, 0), minimum: half(bytes, 2), weights });
            }
        }
        GgmlDType::Q8_0 => {
            for (number, bytes) in bytes.as_chunks::<34>().0.iter().enumerate() {
                let weights = std::array::from_fn(|i| i16::from(bytes[2 + i].cast_signed()));
                see(number, Block { scale: half(bytes, 0), minimum: 0.0, weights });
            }
        }
        GgmlDType::Q4K => {
            for (number, bytes) in bytes.as_chunks::<144>().0.iter().enumerate() {
                for part in 0..8 {
                    see(number * 8 + part, part_of_q4k(bytes, part));
                }
            }
        }
        _ => {}
    }
}

/// Low halves of sixteen bytes, then high halves.
fn nibbles(bytes: &[u8]) -> [i16; BLOCK] {
    std::array::from_fn(|i| i16::from(bytes[i % 16] >> (i / 16 * 4) & 15))
}

/// One of the eight blocks of 256 weights: the low or the high halves of 32 bytes, with a scale
/// and a minimum of six bits each, in units of their own.
fn part_of_q4k(bytes: &[u8; 144], part: usize) -> Block {
    let packed = &bytes[4..16];
    let (scale, minimum) = if part < 4 {
        (packed[part] & 63, packed[part + 4] & 63)
    } else {
        let (low, high) = (packed[part + 4], |i: usize| packed[i] >> 6 << 4);
        (low & 15 | high(part - 4), low >> 4 | high(part))
    };
    let weights = &bytes[16 + part / 2 * 32..];
    Block {
        scale: half(bytes, 0) * f32::from(scale),
        minimum: -half(bytes, 2) * f32::from(minimum),
        weights: std::array::from_fn(|i| i16::from(weights[i] >> (part % 2 * 4) & 15)),
    }
}

fn half(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

//! A tensor as it lies in a model's file, of whatever type.

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::ggml_file::qtensor_from_ggml;

use super::load_error::LoadProblem;

/// A tensor that has not been converted.
#[derive(Clone, Debug)]
pub(super) struct RawTensor {
    /// Its name in the file.
    pub(super) name: String,
    pub(super) dtype: GgmlDType,
    /// Outermost dimension first.
    pub(super) shape: Vec<usize>,
    /// Row-major; quantised blocks run along the innermost dimension.
    pub(super) bytes: Vec<u8>,
}

impl RawTensor {
    /// Its numbers in f32.
    pub(super) fn to_f32(&self) -> Result<Vec<f32>, LoadProblem> {
        match self.dtype {
            GgmlDType::F32 => {
                let (numbers, _) = self.bytes.as_chunks::<4>();
                return Ok(numbers.iter().map(|x| f32::from_le_bytes(*x)).collect());
            }
            // The upper half of an f32.
            GgmlDType::BF16 => {
                let (numbers, _) = self.bytes.as_chunks::<2>();
                return Ok(numbers
                    .iter()
                    .map(|[a, b]| f32::from_le_bytes([0, 0, *a, *b]))
                    .collect());
            }
            _ => {}
        }
        qtensor_from_ggml(self.dtype, &self.bytes, self.shape.clone(), &Device::Cpu)
            .and_then(|tensor| tensor.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1())
            .map_err(|e| LoadProblem::Unsupported(format!("tensor {}: {e}", self.name)))
    }
}

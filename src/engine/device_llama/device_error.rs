//! What a failure on the device means: whether a new engine helps, or only a new process.
//!
//! candle hides the driver's errors behind a text; the driver's names in it are stable.

use candle_core::Error;
use sn1_actors::ports::EngineError;

/// After these, says NVIDIA's header, the process is in an inconsistent state or its context is
/// unusable: all that comes later fails too.
const POISONED: [&str; 25] = [
    "CUDA_ERROR_DEINITIALIZED",
    "CUDA_ERROR_DEVICE_UNAVAILABLE",
    "CUDA_ERROR_ECC_UNCORRECTABLE",
    "CUDA_ERROR_NVLINK_UNCORRECTABLE",
    "CUDA_ERROR_CONTAINED",
    "CUDA_ERROR_ILLEGAL_ADDRESS",
    "CUDA_ERROR_LAUNCH_TIMEOUT",
    "CUDA_ERROR_CONTEXT_IS_DESTROYED",
    "CUDA_ERROR_ASSERT",
    "CUDA_ERROR_HARDWARE_STACK_ERROR",
    "CUDA_ERROR_ILLEGAL_INSTRUCTION",
    "CUDA_ERROR_MISALIGNED_ADDRESS",
    "CUDA_ERROR_INVALID_ADDRESS_SPACE",
    "CUDA_ERROR_INVALID_PC",
    "CUDA_ERROR_LAUNCH_FAILED",
    "CUDA_ERROR_TENSOR_MEMORY_LEAK",
    "CUDA_ERROR_MPS_CLIENT_TERMINATED",
    "CUDA_ERROR_EXTERNAL_DEVICE",
    "CUDA_ERROR_UNKNOWN",
    // A kernel of cuBLAS failed on the device.
    "CUBLAS_STATUS_EXECUTION_FAILED",
    // The driver's own words, where its name is lost.
    "an illegal memory access",
    "unspecified launch failure",
    "device-side assert",
    "misaligned address",
    "uncorrectable",
];

/// A failure of candle's while rows were run, by what to do about it.
pub(super) fn engine_error(error: Error) -> EngineError {
    classify(text(&error))
}

fn classify(cause: String) -> EngineError {
    match POISONED.iter().any(|sign| cause.contains(sign)) {
        true => EngineError::Poisoned(cause),
        // Out of memory among them: a new engine frees what this one held.
        false => EngineError::Recoverable(cause),
    }
}

/// Its text without the stack, which names functions that have nothing to do with the cause.
fn text(error: &Error) -> String {
    match error {
        Error::WithBacktrace { inner, .. } => text(inner),
        Error::Context { inner, context } => format!("{context}: {}", text(inner)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_breaks_the_context_poisons() {
        for (cause, poisoned) in [
            (r#"DriverError(CUDA_ERROR_OUT_OF_MEMORY, "out of memory")"#, false),
            ("CublasError(CUBLAS_STATUS_ALLOC_FAILED)", false),
            ("CublasError(CUBLAS_STATUS_NOT_INITIALIZED)", false),
            (r#"DriverError(CUDA_ERROR_INVALID_VALUE, "invalid argument")"#, false),
            (r#"DriverError(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources")"#, false),
            ("shape mismatch in add, lhs: [2], rhs: [3]", false),
            ("", false),
            (r#"DriverError(CUDA_ERROR_ECC_UNCORRECTABLE, "x")"#, true),
            (r#"DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, "x")"#, true),
            (r#"DriverError(CUDA_ERROR_ASSERT, "device-side assert triggered")"#, true),
            (r#"DriverError(CUDA_ERROR_MISALIGNED_ADDRESS, "x")"#, true),
            (r#"DriverError(CUDA_ERROR_INVALID_ADDRESS_SPACE, "x")"#, true),
            (r#"DriverError(CUDA_ERROR_INVALID_PC, "x")"#, true),
            (r#"DriverError(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure")"#, true),
            (r#"DriverError(CUDA_ERROR_UNKNOWN, "x") when loading indexing"#, true),
            ("CublasError(CUBLAS_STATUS_EXECUTION_FAILED)", true),
            ("CUDA Error: an illegal memory access was encountered", true),
            ("CUDA_ERROR_OUT_OF_MEMORY after CUDA_ERROR_ILLEGAL_ADDRESS", true),
        ] {
            let wanted = match poisoned {
                true => EngineError::Poisoned(cause.into()),
                false => EngineError::Recoverable(cause.into()),
            };
            assert_eq!(classify(cause.into()), wanted);
            let wrapped = Error::Cuda(cause.into()).bt().context("in layer 3");
            assert_eq!(
                matches!(engine_error(wrapped), EngineError::Poisoned(_)),
                poisoned,
                "{cause}"
            );
        }
    }
}

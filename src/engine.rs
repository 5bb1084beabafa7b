//! The language and embedding models on this machine, behind `ports::StepEngine` and `ports::Codec`.

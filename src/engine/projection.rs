//! A linear map of a language model: one or more weight matrices that take the same input, each
//! packed if its type allows it and the precision wants it, else in f32.

use super::Precision;
use super::kernels::Isa;
use super::kernels::integer::{Bits, Grain};
use super::load_error::LoadProblem;
use super::matrix::Matrix;
use super::packed::{PackedMatrix, Panels, bits};
use super::raw_tensor::RawTensor;
use super::thread_team::ThreadTeam;

enum Part {
    Packed(PackedMatrix),
    Float(Matrix),
}

/// The map.
pub(super) struct Projection {
    inputs: usize,
    parts: Vec<Part>,
}

/// What products need besides their input; one for a whole model.
pub(super) struct Workshop {
    pub(super) team: ThreadTeam,
    pub(super) isa: Isa,
    fine: Panels,
    coarse: Panels,
    precision: Precision,
    /// The outputs of one part of several.
    part: Vec<f32>,
}

impl Workshop {
    pub(super) fn new(team: ThreadTeam, precision: Precision) -> Self {
        Self {
            team,
            isa: Isa::detect(),
            fine: Panels::new(Grain::Fine),
            coarse: Panels::new(Grain::Coarse),
            precision,
            part: Vec::new(),
        }
    }
}

impl Projection {
    /// The tensors one below the other; each has rows of `inputs` numbers.
    pub(super) fn read(
        inputs: usize,
        tensors: Vec<RawTensor>,
        precision: Precision,
    ) -> Result<Self, LoadProblem> {
        let packing = |tensor: &RawTensor| match precision {
            Precision::F32 => None,
            Precision::Faithful | Precision::Fast => bits(tensor),
        };
        let mut parts = Vec::new();
        for alike in tensors.chunk_by(|a, b| packing(a) == packing(b)) {
            parts.push(match packing(&alike[0]) {
                Some(bits) => Part::Packed(PackedMatrix::stacked(inputs, bits, alike)),
                None => {
                    let floats =
                        alike.iter().map(RawTensor::to_f32).collect::<Result<Vec<_>, _>>()?;
                    Part::Float(Matrix::stacked(inputs, &floats))
                }
            });
        }
        Ok(Self { inputs, parts })
    }

    /// How many numbers a product has.
    pub(super) fn outputs(&self) -> usize {
        self.parts.iter().map(Part::outputs).sum()
    }

    /// The weights of one output.
    pub(super) fn copy_row(&self, output: usize, into: &mut [f32]) {
        let mut output = output;
        for part in &self.parts {
            if output < part.outputs() {
                return match part {
                    Part::Packed(matrix) => matrix.copy_row(output, into),
                    Part::Float(matrix) => matrix.copy_row(output, into),
                };
            }
            output -= part.outputs();
        }
    }

    /// The products with each row of `x`, one row of [`Self::outputs`] floats each.
    pub(super) fn multiply(&self, shop: &mut Workshop, x: &[f32], out: &mut Vec<f32>) {
        let Workshop { team, isa, fine, coarse, precision, part: of_part } = shop;
        let (mut is_fine, mut is_coarse) = (false, false);
        let (rows, outputs) = (x.len() / self.inputs, self.outputs());
        let mut first = 0;
        for part in &self.parts {
            let alone = self.parts.len() == 1;
            let into = if alone { &mut *out } else { &mut *of_part };
            match part {
                Part::Float(matrix) => matrix.multiply(team, *isa, x, into),
                Part::Packed(matrix) => {
                    let wants_coarse = *precision == Precision::Fast && matrix.bits() == Bits::Four;
                    let (panels, is_filled) = if wants_coarse {
                        (&mut *coarse, &mut is_coarse)
                    } else {
                        (&mut *fine, &mut is_fine)
                    };
                    if !*is_filled {
                        panels.fill(team, *isa, x, self.inputs);
                        *is_filled = true;
                    }
                    matrix.multiply(team, *isa, panels, into);
                }
            }
            if !alone {
                out.resize(rows * outputs, 0.0);
                let rows = of_part.chunks_exact(part.outputs()).zip(out.chunks_exact_mut(outputs));
                for (from, out) in rows {
                    out[first..][..from.len()].copy_from_slice(from);
                }
                first += part.outputs();
            }
        }
    }
}

impl Part {
    fn outputs(&self) -> usize {
        match self {
            Self::Packed(matrix) => matrix.outputs(),
            Self::Float(matrix) => matrix.outputs(),
        }
    }
}

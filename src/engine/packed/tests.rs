use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::super::kernels::integer::{Bits, Grain};
use super::super::kernels::tests::numbers;
use super::super::raw_tensor::RawTensor;
use super::super::thread_team::ThreadTeam;
use super::{Isa, LANES, Numbers, PackedMatrix, Panels, bits, bytes};

const TYPES: [GgmlDType; 4] = [GgmlDType::Q4_0, GgmlDType::Q4_1, GgmlDType::Q4K, GgmlDType::Q8_0];

fn quantised(dtype: GgmlDType, outputs: usize, inputs: usize) -> RawTensor {
    let floats = numbers(outputs * inputs);
    let tensor = Tensor::from_vec(floats, (outputs, inputs), &Device::Cpu).unwrap();
    let tensor = QTensor::quantize(&tensor, dtype).unwrap();
    let bytes = tensor.data().unwrap().into_owned();
    RawTensor { name: "test".into(), dtype, shape: vec![outputs, inputs], bytes }
}

#[test]
fn packing_loses_nothing() {
    for dtype in TYPES {
        let (inputs, parts) = (256, [quantised(dtype, 21, 256), quantised(dtype, 5, 256)]);
        let matrix = PackedMatrix::stacked(inputs, bits(&parts[0]).unwrap(), &parts);
        assert_eq!(matrix.outputs(), 26);
        let exact: Vec<f32> = parts.iter().flat_map(|part| part.to_f32().unwrap()).collect();
        for (output, exact) in exact.chunks(inputs).enumerate() {
            let mut row = vec![0.0; inputs];
            matrix.copy_row(output, &mut row);
            for (found, exact) in row.iter().zip(exact) {
                assert!((found - exact).abs() <= 1e-6, "{dtype:?}: {found} {exact}");
            }
        }
    }
}

#[test]
fn as_many_bytes_are_taken_as_are_foretold() {
    for dtype in TYPES {
        let tensor = quantised(dtype, 2 * LANES, 256);
        let (foretold, bits) = (bytes(dtype, &tensor.shape), bits(&tensor).unwrap());
        let matrix = PackedMatrix::stacked(256, bits, &[tensor]);
        let size = |numbers: &Numbers| match numbers {
            Numbers::Half(halves) => size_of_val(halves.as_slice()),
            Numbers::Full(floats) => size_of_val(floats.as_slice()),
        };
        let lines = size_of_val(matrix.lines.as_slice());
        let taken = lines + size(&matrix.scales) + size(&matrix.minima);
        assert_eq!(foretold, Some(taken as u64), "{dtype:?}");
    }
}

#[test]
fn every_instruction_set_and_batch_gives_the_same_product_to_the_bit() {
    let inputs = 256;
    for dtype in TYPES {
        let tensor = quantised(dtype, 45, inputs);
        let bits = bits(&tensor).unwrap();
        let exact = tensor.to_f32().unwrap();
        let matrix = PackedMatrix::stacked(inputs, bits, &[tensor]);
        for (grain, tolerance) in [(Grain::Fine, 1e-3), (Grain::Coarse, 0.3)] {
            if bits == Bits::Eight && grain == Grain::Coarse {
                continue;
            }
            let x = numbers(23 * inputs);
            let product = |isa: Isa, helpers: usize, x: &[f32]| {
                let mut team = ThreadTeam::with_threads(Some(helpers + 1));
                let (mut panels, mut out) = (Panels::new(grain), Vec::new());
                panels.fill(&mut team, isa, x, inputs);
                matrix.multiply(&mut team, isa, &panels, &mut out);
                out
            };
            let whole = product(Isa::Portable, 0, &x);
            assert_eq!(whole.len(), 23 * 45);
            for (row, out) in whole.chunks(45).enumerate() {
                for (found, weights) in out.iter().zip(exact.chunks(inputs)) {
                    let pairs = x[row * inputs..][..inputs].iter().zip(weights);
                    let exact: f64 = pairs.map(|(x, w)| f64::from(x * w)).sum();
                    let error = (f64::from(*found) - exact).abs();
                    assert!(error < tolerance, "{dtype:?} {grain:?}: {found} {exact}");
                }
            }
            for isa in Isa::all() {
                assert_eq!(product(isa, 1, &x), whole, "{isa:?}");
                for count in 1..=9 {
                    assert_eq!(product(isa, 0, &x[..count * inputs]), whole[..count * 45]);
                }
            }
            assert!(product(Isa::detect(), 1, &[]).is_empty());
        }
    }
}

#[test]
fn rows_of_zeros_and_of_extremes_are_harmless() {
    let tensor = quantised(GgmlDType::Q4_1, 16, 64);
    let matrix = PackedMatrix::stacked(64, Bits::Four, &[tensor]);
    let mut team = ThreadTeam::with_threads(Some(1));
    for isa in Isa::all() {
        for x in [0.0, f32::MIN_POSITIVE, f32::MAX, f32::NAN, f32::INFINITY] {
            let (mut panels, mut out) = (Panels::new(Grain::Fine), Vec::new());
            panels.fill(&mut team, isa, &[x; 64], 64);
            matrix.multiply(&mut team, isa, &panels, &mut out);
            assert!(x != 0.0 || out.iter().all(|out| *out == 0.0));
        }
    }
}

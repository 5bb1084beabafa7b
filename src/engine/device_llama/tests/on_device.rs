//! What holds on every device: each check runs on the processor, and on CUDA where there is one.

use super::*;

/// In f32, all sums in another order: relative to a logit, or absolute below 1.
const TOLERANCE: f32 = 1e-4;

/// Runs a check on the processor and, in a program built for it, on the first CUDA device.
fn on_all_devices(check: impl Fn(&Device)) {
    check(&Device::Cpu);
    match cuda_device(0) {
        Ok(device) => check(&device),
        Err(problem) => println!("skipped: no CUDA device ({problem})"),
    }
}

#[test]
fn logits_are_those_of_plain_loops() {
    on_all_devices(|device| {
        for (window, rope_width, untied) in
            [(None, 8, false), (None, 4, true), (Some(40), 8, true), (Some(1), 8, false)]
        {
            let model = TinyModel::new(window, rope_width, untied);
            let mut engine = model.load(device, DType::F32);
            let tokens = tokens(3, 150);
            let wanted = model.reference.logits(&tokens);
            engine.place(place(1, &[7, 8, 2, 30, 31], 0)).unwrap();
            assert_close(&engine.step(&rows(1, 0, &tokens)).unwrap(), &wanted, TOLERANCE);

            // In chunks that end within blocks, then one by one.
            engine.place(place(2, &[9, 1, 3, 4, 39], 0)).unwrap();
            let mut found = Vec::new();
            for range in [0..1, 1..32, 32..33, 33..100, 100..141] {
                let start = range.start;
                found.extend(engine.step(&rows(2, start, &tokens[range])).unwrap());
            }
            for at in 141..150 {
                found.extend(engine.step(&rows(2, at, &tokens[at..=at])).unwrap());
            }
            assert_close(&found, &wanted, TOLERANCE);
        }
    });
}

#[test]
fn both_layouts_of_rope_turn_the_right_pairs() {
    on_all_devices(|device| {
        for rope_width in [8, 4, 0] {
            let mut model = TinyModel::new(None, rope_width, false);
            let mut engine = model.load(device, DType::F32);
            for layout in [RopeLayout::Halves, RopeLayout::Interleaved] {
                model.reference.sizes.rope_layout = layout;
                engine.sizes.rope_layout = layout;
                let tokens = tokens(5, 20);
                engine.place(place(1, &[0], 0)).unwrap();
                let found = engine.step(&rows(1, 0, &tokens)).unwrap();
                assert_close(&found, &model.reference.logits(&tokens), TOLERANCE);
                engine.release(SequenceId(1));
            }
        }
    });
}

#[test]
fn a_chunk_of_more_queries_than_attend_at_once_is_split() {
    on_all_devices(|device| {
        let model = TinyModel::new(Some(70), 8, false);
        let mut engine = model.load(device, DType::F32);
        let tokens = tokens(4, 300);
        let blocks: Vec<u32> = (0..10).rev().collect();
        engine.place(place(1, &blocks, 0)).unwrap();
        let found = engine.step(&rows(1, 0, &tokens)).unwrap();
        assert_close(&found, &model.reference.logits(&tokens), TOLERANCE);
    });
}

#[test]
fn rows_of_many_sequences_may_lie_in_any_order() {
    on_all_devices(|device| {
        for window in [None, Some(40)] {
            let model = TinyModel::new(window, 8, false);
            let mut engine = model.load(device, DType::F32);
            // Six sequences that are decoded, of 3 to 120 tokens, and two that are prefilled.
            let lengths = [3_usize, 31, 32, 64, 70, 120];
            for (s, length) in (0_u32..).zip(lengths) {
                let blocks: Vec<u32> = (0..4).map(|i| s + 6 * i).collect();
                engine.place(place(s, &blocks, 0)).unwrap();
                engine.step(&rows(s, 0, &tokens(s, length))).unwrap();
            }
            engine.place(place(10, &[26, 27], 0)).unwrap();
            engine.place(place(11, &[29, 28], 0)).unwrap();
            let mut step: Vec<Row> = Vec::new();
            for (s, length) in (0_u32..).zip(lengths) {
                step.extend(rows(s, length, &tokens(s, length + 1)[length..]));
            }
            // The rows of the two prefills alternate, among the others.
            let (tenth, eleventh) = (rows(10, 0, &tokens(10, 40)), rows(11, 0, &tokens(11, 40)));
            for (number, (a, b)) in tenth.into_iter().zip(eleventh).enumerate() {
                step.insert((number * 3).min(step.len()), a);
                step.push(b);
            }
            for row in &mut step {
                row.wants_logits = !(row.position + row.sequence.0).is_multiple_of(4);
            }
            let wanted: Vec<Vec<f32>> = step
                .iter()
                .filter(|row| row.wants_logits)
                .map(|row| {
                    let tokens = tokens(row.sequence.0, row.position as usize + 1);
                    model.reference.logits(&tokens).pop().unwrap()
                })
                .collect();
            assert_close(&engine.step(&step).unwrap(), &wanted, TOLERANCE);
        }
    });
}

#[test]
fn a_shared_prefix_gives_the_logits_of_one_computed_anew() {
    on_all_devices(|device| {
        for window in [None, Some(40)] {
            let model = TinyModel::new(window, 8, false);
            let mut engine = model.load(device, DType::F32);
            let tokens = tokens(9, 100);
            let wanted = model.reference.logits(&tokens);
            engine.place(place(1, &[4, 5, 6], 0)).unwrap();
            engine.step(&rows(1, 0, &tokens[..70])).unwrap();
            // Two more read its first two blocks while it goes on in its third.
            engine.place(place(2, &[4, 5, 10, 11], 64)).unwrap();
            engine.place(place(3, &[4, 20, 21, 22], 32)).unwrap();
            let mut step = rows(2, 64, &tokens[64..]);
            step.extend(rows(1, 70, &tokens[70..90]));
            step.extend(rows(3, 32, &tokens[32..]));
            let found = engine.step(&step).unwrap();
            assert_close(&found[..36], &wanted[64..], TOLERANCE);
            assert_close(&found[36..56], &wanted[70..90], TOLERANCE);
            assert_close(&found[56..], &wanted[32..], TOLERANCE);
            // Its blocks outlive it where another reads them.
            engine.release(SequenceId(1));
            engine.release(SequenceId(3));
            engine.place(place(5, &[4, 5, 33], 64)).unwrap();
            let found = engine.step(&rows(5, 64, &tokens[64..96])).unwrap();
            assert_close(&found, &wanted[64..96], TOLERANCE);
        }
    });
}

#[test]
fn what_a_former_sequence_left_in_a_block_does_not_show() {
    on_all_devices(|device| {
        let model = TinyModel::new(None, 8, false);
        let mut engine = model.load(device, DType::F32);
        // The worst that could be left: a mask alone would not hide it.
        for pool in &engine.pools {
            let dims = pool.keys.dims3().unwrap();
            let nan = Tensor::full(f32::NAN, dims, device).unwrap();
            pool.put_run(0, &nan, &nan).unwrap();
        }
        let (first, second) = (tokens(1, 50), tokens(2, 45));
        engine.place(place(1, &[3, 9], 0)).unwrap();
        let found = engine.step(&rows(1, 0, &first)).unwrap();
        assert_close(&found, &model.reference.logits(&first), TOLERANCE);
        engine.release(SequenceId(1));
        engine.place(place(1, &[9, 3], 0)).unwrap();
        let mut found = engine.step(&rows(1, 0, &second[..44])).unwrap();
        found.extend(engine.step(&rows(1, 44, &second[44..])).unwrap());
        assert_close(&found, &model.reference.logits(&second), TOLERANCE);
    });
}

#[test]
fn half_precision_is_near() {
    let model = TinyModel::new(Some(40), 8, true);
    let tokens = tokens(6, 80);
    let wanted = model.reference.logits(&tokens);
    let check = |device: &Device, dtype, tolerance| {
        let mut engine = model.load(device, dtype);
        engine.place(place(1, &[1, 2, 3], 0)).unwrap();
        let mut found = engine.step(&rows(1, 0, &tokens[..70])).unwrap();
        for at in 70..80 {
            found.extend(engine.step(&rows(1, at, &tokens[at..=at])).unwrap());
        }
        assert_close(&found, &wanted, tolerance);
    };
    // 10 and 7 bits of mantissa; candle's processor device multiplies no bf16.
    check(&Device::Cpu, DType::F16, 0.03);
    match cuda_device(0) {
        Ok(device) => {
            check(&device, DType::F16, 0.03);
            check(&device, DType::BF16, 0.25);
        }
        Err(problem) => println!("skipped: no CUDA device ({problem})"),
    }
}

#[test]
fn what_cannot_be_run_is_refused_and_changes_nothing() {
    let model = TinyModel::new(None, 8, false);
    let mut engine = model.load(&Device::Cpu, DType::F32);
    let tokens = tokens(8, 64);
    engine.place(place(1, &[0, 1], 0)).unwrap();
    engine.step(&rows(1, 0, &tokens[..40])).unwrap();
    for bad in [place(2, &[40], 0), place(2, &[2], 7), place(2, &[2], 64), place(1, &[2], 0)] {
        let refused = engine.place(bad.clone());
        assert!(matches!(refused, Err(EngineError::Request(_))), "{bad:?}: {refused:?}");
    }
    for bad in [
        rows(2, 0, &tokens[..1]),
        rows(1, 39, &tokens[..1]),
        rows(1, 41, &tokens[..1]),
        rows(1, 40, &[23]),
        rows(1, 40, &[0; 25]),
        [rows(1, 40, &tokens[..1]), rows(1, 40, &tokens[..1])].concat(),
    ] {
        let refused = engine.step(&bad);
        assert!(matches!(refused, Err(EngineError::Request(_))), "{refused:?}");
    }
    assert_eq!(engine.step(&[]).unwrap(), Vec::<Vec<f32>>::new());
    let found = engine.step(&rows(1, 40, &tokens[40..])).unwrap();
    assert_close(&found, &model.reference.logits(&tokens)[40..], TOLERANCE);
}

#[test]
fn a_context_that_is_full_is_the_requests_fault() {
    let model = TinyModel::new(None, 8, false);
    let mut engine = model.load(&Device::Cpu, DType::F32);
    let blocks: Vec<u32> = (0..11).collect();
    engine.place(place(1, &blocks, 0)).unwrap();
    engine.step(&rows(1, 0, &tokens(1, 300))).unwrap();
    let full = engine.step(&rows(1, 300, &[1]));
    assert!(matches!(&full, Err(EngineError::Request(cause)) if cause.contains("300")), "{full:?}");
}

#[test]
fn more_blocks_than_can_be_addressed_are_refused() {
    let model = TinyModel::new(None, 8, false);
    let refused = DeviceLlama::load(&model.path(), &Device::Cpu, DType::F32, u32::MAX);
    let error = refused.err().unwrap();
    assert!(matches!(error.problem, LoadProblem::Device(_)), "{error}");
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_program_without_cuda_says_how_to_get_it() {
    let problem = cuda_device(0).unwrap_err();
    assert!(problem.to_string().contains("--features cuda"), "{problem}");
}

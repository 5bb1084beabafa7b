//! An engine on the bench: sequences that begin, go on and end, timed.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use sn1_actors::ports::{
    BLOCK_TOKENS, BlockId, Clock, EngineError, Placement, Row, SequenceId, StepEngine,
};

/// Never control tokens of the models that are measured; `llama_peer.py` takes the same.
const FIRST_TOKEN: usize = 1_000;

/// What to measure; also a request of `--serve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "measure", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Measure {
    /// Tokens of one prompt, read in one step.
    Prefill {
        /// How many.
        tokens: usize,
    },
    /// Sequences that write side by side, greedily.
    Decode {
        /// How many.
        sequences: usize,
        /// Tokens that each begins with.
        context: usize,
        /// Tokens that each writes.
        steps: usize,
    },
}

impl Measure {
    /// Blocks of KV cache that it needs.
    pub(super) fn blocks(self) -> usize {
        let (sequences, tokens) = self.sizes();
        tokens.div_ceil(BLOCK_TOKENS).saturating_mul(sequences)
    }

    /// Sequences, and tokens in each.
    fn sizes(self) -> (usize, usize) {
        match self {
            Self::Prefill { tokens } => (1, tokens),
            Self::Decode { sequences, context, steps } => {
                (sequences, context.saturating_add(steps))
            }
        }
    }
}

/// An engine and the clock that times it.
pub(super) struct Rig<E> {
    pub(super) engine: E,
    pub(super) clock: Arc<dyn Clock>,
    /// Blocks of KV cache that the engine has.
    pub(super) blocks: usize,
}

impl<E: StepEngine> Rig<E> {
    /// Tokens a second.
    pub(super) fn measure(&mut self, measure: Measure) -> Result<f64, EngineError> {
        let (sequences, tokens) = measure.sizes();
        if sequences == 0 || tokens == 0 || measure.blocks() > self.blocks {
            let cause = format!("{measure:?} does not fit into {} blocks", self.blocks);
            return Err(EngineError::Request(cause));
        }
        let measured = match measure {
            Measure::Prefill { tokens } => self.prefill(tokens),
            Measure::Decode { sequences, context, steps } => self.decode(sequences, context, steps),
        };
        for sequence in 0..sequences {
            self.engine.release(id(sequence));
        }
        let (tokens, time) = measured?;
        Ok(tokens as f64 / time.as_secs_f64().max(1e-9))
    }

    fn prefill(&mut self, tokens: usize) -> Result<(usize, Duration), EngineError> {
        self.place(0, tokens)?;
        let began = self.clock.now();
        self.read(0, tokens)?;
        Ok((tokens, self.clock.now().since(began)))
    }

    fn decode(
        &mut self,
        sequences: usize,
        context: usize,
        steps: usize,
    ) -> Result<(usize, Duration), EngineError> {
        let mut last = Vec::with_capacity(sequences);
        for sequence in 0..sequences {
            self.place(sequence, context + steps)?;
            last.push(self.read(sequence, context)?);
        }
        let began = self.clock.now();
        for step in 0..steps {
            let rows =
                last.iter().enumerate().map(|(s, token)| row(s, context + step, *token, true));
            let rows: Vec<Row> = rows.collect();
            last = self.engine.step(&rows)?.iter().map(|logits| likeliest(logits)).collect();
        }
        Ok((sequences * steps, self.clock.now().since(began)))
    }

    /// Gives a sequence blocks that no other one of the same size has.
    pub(super) fn place(&mut self, sequence: usize, tokens: usize) -> Result<(), EngineError> {
        let each = tokens.div_ceil(BLOCK_TOKENS);
        let blocks = (sequence * each..(sequence + 1) * each).map(|block| BlockId(narrow(block)));
        let placement = Placement { sequence: id(sequence), blocks: blocks.collect(), cached: 0 };
        self.engine.place(placement)
    }

    /// Reads a prompt of so many tokens and gives the likeliest next one.
    fn read(&mut self, sequence: usize, tokens: usize) -> Result<u32, EngineError> {
        let rows = (0..tokens).map(|at| {
            let token = FIRST_TOKEN + (7 * at + 13 * sequence) % 40_000;
            row(sequence, at, narrow(token), at + 1 == tokens)
        });
        let logits = self.engine.step(&rows.collect::<Vec<_>>())?;
        Ok(logits.first().map_or(0, |logits| likeliest(logits)))
    }
}

/// The most likely token; the first of several.
pub(super) fn likeliest(logits: &[f32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (token, logit) in (0..).zip(logits) {
        if *logit > best.1 {
            best = (token, *logit);
        }
    }
    best.0
}

pub(super) fn row(sequence: usize, position: usize, token: u32, wants_logits: bool) -> Row {
    Row { sequence: id(sequence), position: narrow(position), token, wants_logits }
}

pub(super) fn id(sequence: usize) -> SequenceId {
    SequenceId(narrow(sequence))
}

/// Sizes on the bench are far below the bound; beyond it, the engine refuses the number.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use sn1_actors::ports::BLOCK_TOKENS;

    use super::*;
    use crate::wiring::system_clock;

    /// Refuses what a real engine would: rows out of order, blocks of another, forgotten releases.
    #[derive(Default)]
    struct Strict {
        sequences: HashMap<SequenceId, (Vec<BlockId>, u32)>,
        steps: Vec<usize>,
    }

    impl StepEngine for Strict {
        fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
            for row in rows {
                let (blocks, next) = self.sequences.get_mut(&row.sequence).unwrap();
                assert_eq!(row.position, *next);
                assert!((*next as usize) < blocks.len() * BLOCK_TOKENS);
                *next += 1;
            }
            self.steps.push(rows.len());
            Ok(rows.iter().filter(|row| row.wants_logits).map(|_| vec![0.0, 2.0, 2.0]).collect())
        }

        fn place(&mut self, placement: Placement) -> Result<(), EngineError> {
            let taken = self.sequences.values().flat_map(|(blocks, _)| blocks);
            let taken: Vec<BlockId> = taken.copied().collect();
            assert!(placement.blocks.iter().all(|block| !taken.contains(block)));
            let known = self.sequences.insert(placement.sequence, (placement.blocks, 0));
            assert_eq!(known, None);
            Ok(())
        }

        fn release(&mut self, sequence: SequenceId) {
            assert!(self.sequences.remove(&sequence).is_some());
        }

        fn embed(&mut self, _: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
            Ok(Vec::new())
        }
    }

    fn rig() -> Rig<Strict> {
        Rig { engine: Strict::default(), clock: system_clock(), blocks: 40 }
    }

    #[test]
    fn reads_a_prompt_in_one_step_and_forgets_it() {
        let mut rig = rig();
        for _ in 0..2 {
            assert!(rig.measure(Measure::Prefill { tokens: 423 }).unwrap() > 0.0);
        }
        assert_eq!(rig.engine.steps, [423, 423]);
        assert!(rig.engine.sequences.is_empty());
    }

    #[test]
    fn decodes_all_sequences_in_each_step() {
        let mut rig = rig();
        let measure = Measure::Decode { sequences: 3, context: 48, steps: 4 };
        assert!(rig.measure(measure).unwrap() > 0.0);
        assert_eq!(rig.engine.steps, [48, 48, 48, 3, 3, 3, 3]);
        assert!(rig.engine.sequences.is_empty());
    }

    #[test]
    fn refuses_what_has_no_room_or_no_tokens() {
        let mut rig = rig();
        for measure in [
            Measure::Prefill { tokens: 0 },
            Measure::Prefill { tokens: 41 * BLOCK_TOKENS },
            Measure::Prefill { tokens: usize::MAX },
            Measure::Decode { sequences: 0, context: 1, steps: 1 },
            Measure::Decode { sequences: usize::MAX, context: usize::MAX, steps: usize::MAX },
            Measure::Decode { sequences: 14, context: 48, steps: 24 },
        ] {
            let refused = rig.measure(measure);
            assert!(matches!(refused, Err(EngineError::Request(_))), "{measure:?}");
        }
        assert!(rig.engine.steps.is_empty());
    }

    #[test]
    fn takes_the_first_of_the_likeliest() {
        assert_eq!(likeliest(&[0.0, 2.0, 2.0]), 1);
        assert_eq!(likeliest(&[f32::NAN, -3.0]), 1);
        assert_eq!(likeliest(&[]), 0);
    }

    #[test]
    fn a_request_is_one_json_object() {
        let read = |text: &str| serde_json::from_str::<Measure>(text);
        let prefill = read(r#"{"measure": "prefill", "tokens": 48}"#).unwrap();
        assert_eq!(prefill, Measure::Prefill { tokens: 48 });
        let decode = r#"{"measure": "decode", "sequences": 8, "context": 48, "steps": 24}"#;
        let expected = Measure::Decode { sequences: 8, context: 48, steps: 24 };
        assert_eq!(read(decode).unwrap(), expected);
        assert!(read(r#"{"measure": "sleep"}"#).is_err());
    }
}

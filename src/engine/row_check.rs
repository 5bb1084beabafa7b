//! Whether the rows of a step can be run, before anything is changed by running them. The same for
//! every engine.

use std::collections::HashMap;

use sn1_actors::ports::{EngineError, Row, SequenceId};

/// What a model can take.
pub(super) struct Bounds {
    pub(super) vocabulary: usize,
    /// Positions of a sequence.
    pub(super) context: usize,
}

/// How far a sequence is, in positions.
pub(super) struct Extent {
    /// That are complete.
    pub(super) length: usize,
    /// That its blocks have room for.
    pub(super) capacity: usize,
}

/// Refuses rows of which one does not follow what its sequence has, those before it included.
/// `extent` knows the sequences that were placed.
///
/// # Errors
/// [`EngineError::Request`] that names the sequence.
pub(super) fn check_rows(
    rows: &[Row],
    bounds: &Bounds,
    extent: impl Fn(SequenceId) -> Option<Extent>,
) -> Result<(), EngineError> {
    let mut reached: HashMap<SequenceId, Extent> = HashMap::new();
    for row in rows {
        let refuse = |cause: String| {
            let sequence = row.sequence.0;
            Err(EngineError::Request(format!("sequence {sequence}: {cause}")))
        };
        if !reached.contains_key(&row.sequence)
            && let Some(extent) = extent(row.sequence)
        {
            reached.insert(row.sequence, extent);
        }
        let Some(Extent { length: next, capacity }) = reached.get_mut(&row.sequence) else {
            return refuse("it was not placed".into());
        };
        if row.token as usize >= bounds.vocabulary {
            return refuse(format!(
                "token {} is beyond the vocabulary of {}",
                row.token, bounds.vocabulary
            ));
        }
        if row.position as usize != *next {
            return refuse(format!(
                "position {} was given where {next} is next; release it before it starts anew",
                row.position
            ));
        }
        if *next >= bounds.context {
            return refuse(format!("the model's context of {next} tokens is full"));
        }
        if *next >= *capacity {
            return refuse(format!("its blocks of {next} positions are full"));
        }
        *next += 1;
    }
    Ok(())
}

//! Measures the answers of a step again.

use std::sync::Arc;

use sn1_actors::domain::Score;
use sn1_actors::model_worker::ModelError;
use sn1_actors::reward_scorer::judge::Bench;
use sn1_actors::reward_scorer::rewards::Measures;
use sn1_actors::reward_scorer::said::said;

use crate::journal::recorded::Step;

/// Answers that are embedded together at most.
const AT_ONCE: usize = 64;

/// What each answer of a step is worth by itself, in their order; nothing of a step whose lists are
/// no answers.
///
/// # Errors
/// [`ModelError`] if something cannot be embedded.
pub async fn totals(
    bench: &Bench,
    measures: &Arc<Measures>,
    step: &Step,
) -> Result<Vec<Score>, ModelError> {
    let said = said(step.static_reference, &step.history, &step.challenge);
    let judge = bench.judge(Arc::clone(measures), step.references(), said).await?;
    let answers = step.answers().unwrap_or_default();
    let mut totals = Vec::with_capacity(answers.len());
    for some in answers.chunks(AT_ONCE) {
        let replies = some.iter().map(|answered| answered.reply.clone()).collect();
        let measured = judge.measure(replies).await?;
        totals.extend(measured.into_iter().map(|measured| measured.breakdown.total));
    }
    Ok(totals)
}

//! `math`: a problem whose answer is one number.

use super::{ChallengeForm, ReferencePlan, TaskPlan, Text};
use crate::domain::{Context, ContextBody, RewardKind, Weighted};

pub(super) const REWARDS: &[Weighted] =
    &[Weighted { kind: RewardKind::NumericDifference, weight: 1.0 }];

pub(super) fn plan(context: &Context) -> TaskPlan {
    let (problem, solution) = match &context.body {
        ContextBody::Maths { problem, solution } => (problem.clone(), solution.clone()),
        // Only a tool that answers with another kind than it was asked for leads here; the
        // reference then is no number and nobody earns by it.
        ContextBody::Article { .. }
        | ContextBody::DatedFact { .. }
        | ContextBody::Code { .. }
        | ContextBody::Question { .. } => (context.text(), String::new()),
    };
    TaskPlan {
        desc: "get help with solving a math problem",
        goal: "get the solution to this problem",
        topic: context.topic.clone(),
        subtopic: context.subtopic.clone(),
        query: Text::Fixed(format!("How can I solve this? {problem}")),
        reference: ReferencePlan::Fixed(solution),
        // A person may ramble, but a problem whose numbers are altered has another solution.
        form: ChallengeForm::LeadingTo(problem),
        rewards: REWARDS,
        penalties: &[],
        cleaners: &[],
    }
}

//! `math`: a problem with one solution: a number, or an exact form such as a fraction, a set or a matrix.

use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, ContextBody, SourceKind};
use crate::reward_scorer::rewards::{OfReferences, Weighted, maths_answer::FLOAT_DIFF};

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "math",
    about: "a problem with one answer",
    desc: "get help with solving a math problem",
    goal: "get the solution to this problem",
    sources: &[SourceKind::Maths],
    rewards: &[Weighted { kind: FLOAT_DIFF, weight: 1.0 }],
    penalties: &[],
    references: OfReferences::Best,
    copies: false,
    plan,
});

fn plan(context: &Context, _: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let ContextBody::Maths { problem, solution } = &context.body else {
        return Err(Unfit::new(context, "it is no problem"));
    };
    Ok(TaskPlan {
        query: Text::Fixed(format!("How can I solve this? {problem}")),
        reference: ReferencePlan::Fixed(vec![solution.clone()]),
        // A person may ramble, but a problem whose numbers are altered has another solution.
        form: ChallengeForm::LeadingTo {
            order: "Solve this problem".to_owned(),
            text: problem.clone(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{planned, problem, shown};
    use super::*;

    #[test]
    fn a_problem_is_handed_over_unaltered_and_its_solution_is_the_reference() {
        let plan = planned(TASK, &problem(), 1).unwrap();
        assert_eq!(
            shown(&plan, ""),
            "# query\n\
             How can I solve this? What is 2 plus 3?\n\
             # reference\n\
             5\n\
             # pasted\n\
             the query without: How can I solve this? \n"
        );
    }
}

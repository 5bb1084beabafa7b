//! What a user's chat is in the terms of a challenge. Pure; only Organic uses it.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{ChatMessage, Context, ContextBody, Persona};
use crate::persona_agent::Phrasing;
use crate::reward_scorer::rewards::Measures;
use crate::task_maker::Task;
use crate::task_maker::references::PromisedReferences;
use crate::task_maker::tasks::{ChallengeForm, ReferencePlan, TaskKind, TaskPlan, Text};

/// Where the journal says that a user's query comes from.
const SOURCE: &str = "organic";

/// A chat as a person's turn: its last message is asked, the others were said before.
pub(super) fn phrasing(mut history: Vec<ChatMessage>) -> Phrasing {
    let challenge = history.pop().map(|last| last.content).unwrap_or_default();
    let persona = Persona { profile: String::new(), mood: String::new(), tone: String::new() };
    Phrasing {
        persona,
        goal: challenge.clone(),
        history,
        challenge,
        sent: None,
        attempts: Vec::new(),
        time: Duration::ZERO,
        system_prompt: String::new(),
    }
}

/// The task of answering it: it is grounded in nothing but the chat.
pub(super) fn task(
    kind: TaskKind,
    measures: Arc<Measures>,
    query: String,
    references: PromisedReferences,
) -> Task {
    let nothing = String::new();
    let context = Context {
        source: SOURCE.to_owned(),
        title: nothing.clone(),
        topic: nothing.clone(),
        subtopic: nothing.clone(),
        tags: Vec::new(),
        origin: None,
        body: ContextBody::Article { sections: Vec::new() },
    };
    let plan = TaskPlan {
        query: Text::Fixed(query.clone()),
        reference: ReferencePlan::Generated { material: nothing, instructions: &[] },
        form: ChallengeForm::Phrased,
    };
    let none = Duration::ZERO;
    Task { kind, context, context_time: none, query, query_time: none, plan, measures, references }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Query, Role};

    #[test]
    fn a_chat_reaches_miners_as_it_is() {
        let query = Query {
            roles: vec![Role::System, Role::User, Role::Assistant, Role::User],
            messages: ["Be brief.", "Why?", "Because.", "And then?"].map(str::to_owned).into(),
        };
        let phrasing = phrasing(query.clone().into_messages());
        assert_eq!((&*phrasing.challenge, &*phrasing.goal), ("And then?", "And then?"));
        assert_eq!(phrasing.history.len(), 3);
        assert_eq!(phrasing.query(), query);
    }
}

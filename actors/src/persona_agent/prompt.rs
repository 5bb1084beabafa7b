//! What the model is told so that it speaks as a person. Pure; PersonaAgent sends it.
//!
//! A small model that is told to play somebody answers the question itself more often than not.
//! Shown two notes that became messages, it makes a message of the third.

use crate::domain::{ChatMessage, Persona, Role};
use crate::task_maker::tasks::{ChallengeForm, Definition, TaskPlan};

const FRAME: &str = "You turn notes into the message that a person would type to an assistant. \
                     Write only the message: one question or request, never an answer.";

const EXAMPLES: [(&str, &str); 2] = [
    (
        "Person: an annoyed student who talks in a rushed tone, and uses an assistant to get help \
         on answering a question. Topic: Tide (Oceans). Wants to get the answer to this question: \
         What causes the tides in the oceans?",
        "ugh, quick one, what actually causes the tides in the oceans?",
    ),
    (
        "Person: a tired teacher who talks in a polite tone, and uses an assistant to get help with \
         summarization. Topic: Volcano (Geology). Wants to get a summary of this topic: Volcano",
        "Could you please give me a short summary of volcanoes? It has been a long day.",
    ),
];

const WITH_PROBLEM: (&str, &str) = (
    "Person: a curious parent who talks in a casual tone, and uses an assistant to get help with \
     solving a math problem. Topic: Geometry (area of a circle). Wants to get the solution to this \
     problem, which is pasted below the message.",
    "hey, I was wondering how to work this one out, can you solve it?",
);

/// The messages that make the model put a task's query in a persona's words.
#[must_use]
pub fn challenge(
    persona: Persona,
    definition: &Definition,
    plan: &TaskPlan,
    query: &str,
) -> Vec<ChatMessage> {
    let examples = match plan.form {
        ChallengeForm::Phrased => &EXAMPLES[..],
        ChallengeForm::LeadingTo(_) => &[WITH_PROBLEM],
    };
    let mut messages = vec![ChatMessage::system(FRAME)];
    for (note, message) in examples {
        messages.push(ChatMessage::user(*note));
        messages.push(ChatMessage { role: Role::Assistant, content: (*message).to_owned() });
    }
    messages.push(ChatMessage::user(note(persona, definition, plan, query)));
    messages
}

fn note(persona: Persona, definition: &Definition, plan: &TaskPlan, query: &str) -> String {
    let (profile, mood, tone) =
        (persona.profile.as_str(), persona.mood.as_str(), persona.tone.as_str());
    let article = |word: &str| if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let wants = match plan.form {
        ChallengeForm::Phrased => format!("{}: {query}", definition.goal),
        ChallengeForm::LeadingTo(_) => {
            format!("{}, which is pasted below the message.", definition.goal)
        }
    };
    format!(
        "Person: {} {mood} {profile} who talks in {} {tone} tone, and uses an assistant to {}. \
         Topic: {} ({}). Wants to {wants}",
        article(mood),
        article(tone),
        definition.desc,
        plan.topic,
        plan.subtopic
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Mood, Profile, Tone};
    use crate::task_maker::tasks::{ReferencePlan, TaskKind, Text};

    #[test]
    fn mood_tone_profile_topic_and_goal_all_reach_the_model() {
        let plan = TaskPlan {
            topic: "Tea".into(),
            subtopic: "Drinks".into(),
            query: Text::Fixed(String::new()),
            reference: ReferencePlan::Fixed(Vec::new()),
            form: ChallengeForm::Phrased,
            cleaners: &[],
        };
        let definition = TaskKind::named("qa").unwrap().definition();
        let persona =
            Persona { profile: Profile::Hacker, mood: Mood::Upbeat, tone: Tone::Indifferent };
        let messages = challenge(persona, definition, &plan, "Where does tea grow?");
        let note = &messages.last().unwrap().content;
        for part in ["an upbeat hacker", "indifferent tone", "Tea (Drinks)", "Where does tea grow?"]
        {
            assert!(note.contains(part), "{part} in {note}");
        }
        let roles: Vec<_> = messages.iter().map(|message| message.role.as_str()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "user"]);
    }
}

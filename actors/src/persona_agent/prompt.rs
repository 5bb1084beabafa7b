//! What the model is told so that it speaks as a person. Pure; PersonaAgent sends it.
//!
//! A small model that is told to play somebody answers the question itself more often than not.
//! Shown two notes that became messages, it makes a message of the third. What all challenges share
//! comes first and the note last, so that the engine reads the beginning once; advice comes after
//! the note, so that it reads only the advice when a message is to be written again.

use std::fmt::Write;

use crate::domain::{ChatMessage, Context, Persona, Role};
use crate::task_maker::tasks::{ChallengeForm, Definition, TaskPlan};

use super::guard::Flaw;

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
     problem, which is pasted below the message. Solve this problem.",
    "hey, I was wondering how to work this one out, can you solve it?",
);

/// The messages that make the model put a task's query in a persona's words; `flaw` is what was
/// wrong with its last try.
#[must_use]
pub fn challenge(
    persona: &Persona,
    definition: &Definition,
    context: &Context,
    plan: &TaskPlan,
    query: &str,
    flaw: Option<&Flaw>,
) -> Vec<ChatMessage> {
    let examples = match plan.form {
        ChallengeForm::Phrased => &EXAMPLES[..],
        ChallengeForm::LeadingTo { .. } => &[WITH_PROBLEM],
    };
    framed(FRAME, examples, note(persona, definition, context, plan, query), flaw)
}

/// A frame, examples of what is wanted, a note and advice.
pub(super) fn framed(
    frame: &str,
    examples: &[(&str, &str)],
    mut note: String,
    flaw: Option<&Flaw>,
) -> Vec<ChatMessage> {
    let mut messages = vec![ChatMessage::system(frame)];
    for (note, message) in examples {
        messages.push(ChatMessage::user(*note));
        messages.push(ChatMessage { role: Role::Assistant, content: (*message).to_owned() });
    }
    if let Some(flaw) = flaw {
        let _ = write!(note, "\n{}", flaw.advice());
    }
    messages.push(ChatMessage::user(note));
    messages
}

fn note(
    persona: &Persona,
    definition: &Definition,
    context: &Context,
    plan: &TaskPlan,
    query: &str,
) -> String {
    let wants = match &plan.form {
        ChallengeForm::Phrased => format!("{}: {query}", definition.goal),
        ChallengeForm::LeadingTo { order, .. } => {
            format!("{}, which is pasted below the message. {order}.", definition.goal)
        }
    };
    format!(
        "Person: {}, and uses an assistant to {}. Topic: {} ({}). Wants to {}",
        described(persona),
        definition.desc,
        context.topic,
        context.subtopic,
        wants.trim_end()
    )
}

/// Who the person is, as `a tired teacher who talks in an informal tone`.
pub(super) fn described(persona: &Persona) -> String {
    let Persona { profile, mood, tone } = persona;
    format!("{} {mood} {profile} who talks in {} {tone} tone", article(mood), article(tone))
}

/// `a` or `an`, by the sound that a word begins with, as far as its letters tell.
fn article(word: &str) -> &'static str {
    const MUTE: &[&str] = &["hon", "hour", "heir"];
    const YOU_OR_ONE: &[&str] =
        &["eu", "one", "once", "ubi", "unif", "uniq", "unic", "unit", "univ", "use", "usu", "uto"];
    let word = word.to_lowercase();
    let begins = |sounds: &[&str]| sounds.iter().any(|sound| word.starts_with(sound));
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u']) && !begins(YOU_OR_ONE);
    if vowel || begins(MUTE) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cast, ContextBody};
    use crate::task_maker::tasks::{ReferencePlan, TaskKind, Text};
    use crate::testkit;

    fn tea() -> Context {
        let body = ContextBody::Article { sections: Vec::new() };
        testkit::context("Tea", "Tea", "Drinks", body)
    }

    fn plan() -> TaskPlan {
        TaskPlan {
            query: Text::Fixed(String::new()),
            reference: ReferencePlan::Fixed(Vec::new()),
            form: ChallengeForm::Phrased,
        }
    }

    fn persona(profile: &str, mood: &str, tone: &str) -> Persona {
        Persona { profile: profile.into(), mood: mood.into(), tone: tone.into() }
    }

    fn last(messages: &[ChatMessage]) -> &str {
        &messages.last().unwrap().content
    }

    #[test]
    fn mood_tone_and_profile_of_every_persona_reach_the_model() {
        let definition = TaskKind::named("qa").unwrap().definition();
        let Cast { profiles, moods, tones } = Cast::default();
        let mut notes = std::collections::BTreeSet::new();
        for profile in profiles.words() {
            for mood in moods.words() {
                for tone in tones.words() {
                    let persona = persona(profile, mood, tone);
                    let query = "Where does tea grow?";
                    let messages = challenge(&persona, definition, &tea(), &plan(), query, None);
                    let note = last(&messages).to_owned();
                    let an = |word: &str| if "aeiou".contains(&word[..1]) { "an" } else { "a" };
                    let who = format!(
                        "Person: {} {mood} {profile} who talks in {} {tone} tone,",
                        an(mood),
                        an(tone)
                    );
                    assert!(note.starts_with(&who), "{note}");
                    for part in ["Tea (Drinks)", query, definition.desc, definition.goal] {
                        assert!(note.contains(part), "{part} in {note}");
                    }
                    assert!(notes.insert(note));
                }
            }
        }
        assert_eq!(notes.len(), 594);
    }

    #[test]
    fn all_challenges_begin_alike_and_advice_comes_last() {
        let definition = TaskKind::named("qa").unwrap().definition();
        let write = |persona: &Persona, query: &str, flaw: Option<&Flaw>| {
            challenge(persona, definition, &tea(), &plan(), query, flaw)
        };
        let (one, other) = (persona("student", "tired", "rude"), persona("nurse", "odd", "loud"));
        let (first, second) = (write(&one, "Where?", None), write(&other, "Who?", None));
        assert_eq!(first[..first.len() - 1], second[..second.len() - 1]);
        let roles: Vec<_> = first.iter().map(|message| message.role.as_str()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "user"]);
        let flaw = Flaw::Lost(vec!["1905".into()]);
        let again = write(&one, "Where?", Some(&flaw));
        let advice = last(&again).strip_prefix(last(&first)).unwrap();
        assert!(advice.contains("1905"), "{advice}");
    }

    #[test]
    fn what_a_problem_is_to_become_is_told_and_the_problem_is_not() {
        let definition = TaskKind::named("math").unwrap().definition();
        let form = ChallengeForm::LeadingTo {
            order: "Put this into French".into(),
            text: "The sky is blue.".into(),
        };
        let query = "Translate into French: The sky is blue!";
        let plan = TaskPlan { form, ..plan() };
        let messages =
            challenge(&persona("nurse", "odd", "loud"), definition, &tea(), &plan, query, None);
        let note = last(&messages);
        assert!(note.contains("French") && !note.contains("sky"), "{note}");
    }

    #[test]
    fn articles_go_by_the_sound() {
        for word in ["honest", "hourly", "unhappy", "eager", "uninterested", "Angry"] {
            assert_eq!(article(word), "an", "{word}");
        }
        for word in ["useful", "European", "one-eyed", "happy", "unique", "young", ""] {
            assert_eq!(article(word), "a", "{word}");
        }
    }
}

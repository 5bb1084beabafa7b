//! What the model is told so that it speaks as a person. Pure; PersonaAgent sends it.

use crate::domain::{ChatMessage, Persona};
use crate::task_maker::tasks::{ChallengeForm, TaskPlan};

/// The messages that make the model put a task's query in a persona's words.
#[must_use]
pub fn challenge(persona: Persona, plan: &TaskPlan, query: &str) -> Vec<ChatMessage> {
    let (profile, mood, tone) =
        (persona.profile.as_str(), persona.mood.as_str(), persona.tone.as_str());
    let article = if mood.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let system = format!(
        "You play {article} {mood} {profile} who talks in a {tone} tone. You are typing a message \
         to an assistant to {}. The topic is {} ({}). You only ask; you never answer, and you do \
         not greet unless that is how you are.",
        plan.desc, plan.topic, plan.subtopic
    );
    let task = match plan.form {
        ChallengeForm::Phrased => {
            format!("Your goal is to {}: {query}\nAsk for it in your own words.", plan.goal)
        }
        ChallengeForm::LeadingTo(_) => {
            "Ask the assistant, in one short sentence of your own, to solve the problem that you \
             will paste below it."
                .to_owned()
        }
    };
    vec![ChatMessage::system(system), ChatMessage::user(task)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Mood, Profile, Tone};
    use crate::task_maker::tasks::{ReferencePlan, Text};

    #[test]
    fn mood_tone_profile_and_goal_all_reach_the_model() {
        let plan = TaskPlan {
            desc: "get help",
            goal: "get the answer to this question",
            topic: "Tea".into(),
            subtopic: "Drinks".into(),
            query: Text::Fixed(String::new()),
            reference: ReferencePlan::Fixed(String::new()),
            form: ChallengeForm::Phrased,
            rewards: &[],
            penalties: &[],
            cleaners: &[],
        };
        let persona =
            Persona { profile: Profile::Hacker, mood: Mood::Upbeat, tone: Tone::Indifferent };
        let messages = challenge(persona, &plan, "Where does tea grow?");
        let all = format!("{} {}", messages[0].content, messages[1].content);
        for part in ["an upbeat hacker", "indifferent tone", "Tea (Drinks)", "Where does tea grow?"]
        {
            assert!(all.contains(part), "{part} in {all}");
        }
    }
}

//! How a persona sounds: what it says before and after its question.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::pick;
use crate::domain::Persona;

/// What people of a tone or a mood begin with.
const OPENINGS: &[(&str, &[&str])] = &[
    ("formal", &["I would like to know the following:", "Kindly clarify this point:"]),
    ("informal", &["hey,", "so, quick thing:"]),
    ("indifferent", &["not that it matters much, but", "just out of boredom:"]),
    ("casual", &["hey,", "so,"]),
    ("rushed", &["quick one,", "no time, just tell me:"]),
    ("polite", &["Excuse me,", "If it is no trouble,"]),
    ("impolite", &["look,", "come on, tell me,"]),
    ("friendly", &["hi there!", "hello my friend,"]),
    ("unfriendly", &["just tell me this:", "don't waste my time:"]),
    ("positive", &["I love this kind of question:", "looking forward to this one:"]),
    ("negative", &["I doubt that anybody knows, but", "nobody ever tells me this:"]),
    ("interested", &["this caught my interest:", "I've been reading about this, so:"]),
    ("concerned", &["this worries me a bit:", "I want to be careful here, so:"]),
    ("impatient", &["I don't have all day:", "come on,"]),
    ("tired", &["long day, so keep it short:", "too tired to look this up:"]),
    ("confused", &["I'm a bit lost here:", "I don't get this:"]),
    ("annoyed", &["ugh,", "this drives me mad:"]),
    ("curious", &["I've been wondering:", "this has been on my mind:"]),
    ("upbeat", &["what a day to learn something!", "ok, fun one:"]),
    ("lazy", &["can't be bothered to look it up:", "the short version, please:"]),
];
const OTHER_OPENINGS: &[&str] = &["so,", "I wanted to ask:", "a question:"];
/// Why people of a profile ask.
const REASONS: &[(&str, &str)] = &[
    ("student", "It's for my homework."),
    ("teacher", "It's for my class."),
    ("parent", "My kid keeps asking me."),
    ("hacker", "I need it for a thing I'm hacking on."),
    ("programmer", "It's for something I'm coding."),
    ("scientist", "It's for a paper of mine."),
];

/// What stands around a question.
pub(in crate::persona_agent) struct Dress {
    opening: &'static str,
    reason: &'static str,
}

impl Dress {
    /// What this persona wears today.
    pub(in crate::persona_agent) fn draw(persona: &Persona, random: &mut ChaCha8Rng) -> Self {
        let by = if random.random() { &persona.tone } else { &persona.mood };
        let openings = OPENINGS.iter().find(|(word, _)| word == by).map(|(_, openings)| *openings);
        let opening = pick(openings.unwrap_or(OTHER_OPENINGS), random);
        let reason = REASONS.iter().find(|(profile, _)| *profile == persona.profile);
        let said = random.random_bool(0.5);
        Self { opening, reason: reason.filter(|_| said).map_or("", |(_, reason)| reason) }
    }

    /// A question with what stands around it.
    pub(in crate::persona_agent) fn put_on(&self, question: &str) -> String {
        [self.opening, question, self.reason].join(" ").trim().to_owned()
    }
}

use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::domain::Cast;
use crate::persona_agent::{guard, prompt};
use crate::task_maker::passage::with_query;
use crate::task_maker::tasks::testkit::{fitting, planned};
use crate::task_maker::tasks::{ALL, Text};

const QUERIES: &[(&str, &str)] = &[
    ("What is the main function of the suspension bridge?", "Bridges"),
    ("What are the primary benefits of drip irrigation in dry regions?", "Farming"),
    ("What is the difference between weathering and erosion?", "Geology"),
    ("What is the capital city of Australia?", "Australia"),
    ("What is used to make paper by hand?", "Paper"),
    ("Who invented the marine chronometer in 1761?", "Clocks"),
    ("Who was the first person to reach the South Pole?", "Exploration"),
    ("What causes the tides in the oceans?", "Tide"),
    ("In which year did Marie Curie win the Nobel Prize in Chemistry?", "Marie Curie"),
    ("How many moons does Jupiter have?", "Jupiter"),
    ("How does coffee grow, according to the text?", "Coffee"),
    ("Which country has the longest coastline?", "Coasts"),
    ("Why did the Roman Empire fall?", "Roman Empire"),
    ("Is basalt an igneous rock?", "Basalt"),
    ("When was the \"Treaty of Westphalia\" signed?", "Treaties"),
    ("What does `sorted(key=len)` return?", "Python"),
    ("Nile", "Rivers"),
    ("History of the printing press", "Printing"),
    ("Write a short poem about the sea and its colours.", "Poems"),
    ("List three reasons why bees matter to farmers.", "Bees"),
    ("The tea was dried. Afterwards it was packed. Where was the tea taken to?", "Tea"),
];

fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn holds(query: &str, topic: &str, text: &str) -> Result<(), String> {
    let facts = Facts::of(query, topic);
    let missing = facts.missing_in(text);
    if folded(text).is_empty() || is_verbatim(text, query, &facts) || !missing.is_empty() {
        return Err(format!("{query:?} -> {text:?}, missing {missing:?}"));
    }
    Ok(())
}

#[test]
fn what_every_persona_says_of_a_query_may_leave() {
    let Cast { profiles, moods, tones } = Cast::default();
    let mut seed = 0;
    for profile in profiles.words() {
        for mood in moods.words() {
            for tone in tones.words() {
                let (profile, mood, tone) = (profile.clone(), mood.clone(), tone.clone());
                let persona = Persona { profile, mood, tone };
                for _ in 0..3 {
                    seed += 1;
                    let (query, topic) = QUERIES[seed as usize % QUERIES.len()];
                    let form = ChallengeForm::Phrased;
                    let said = paraphrase(&persona, &form, query, topic, &mut random(seed));
                    assert_eq!(
                        guard::check(&said, &form, query, topic),
                        Ok(()),
                        "{query} -> {said}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_every_kind_has_pasted_is_led_to_in_words_that_may_leave_and_is_told_to_nobody() {
    let persona = Cast::default().draw(&mut random(1));
    let mut kinds = 0;
    for kind in ALL {
        for seed in 0..60 {
            let context = fitting(*kind);
            let mut plan = planned(*kind, &context, seed).unwrap();
            let query = match &plan.query {
                Text::Fixed(query) => query.clone(),
                Text::Generated(_) | Text::Question { .. } => {
                    "They sold it to me with a smile.".to_owned()
                }
            };
            let ChallengeForm::LeadingTo { text, .. } = &mut plan.form else { continue };
            *text = with_query(text, &query);
            let text = text.clone();
            kinds += u32::from(seed == 0);
            let said = paraphrase(&persona, &plan.form, &query, &context.topic, &mut random(seed));
            let lead = said.strip_suffix(text.as_str()).unwrap();
            let told =
                prompt::challenge(&persona, kind.definition(), &context, &plan, &query, None);
            let note = &told.last().unwrap().content;
            assert_eq!(guard::check(lead, &plan.form, &query, &context.topic), Ok(()), "{lead}");
            for line in text.lines().filter(|line| line.split_whitespace().count() > 2) {
                assert!(!lead.contains(line) && !note.contains(line), "{kind:?}: {lead}\n{note}");
            }
        }
    }
    assert_eq!(kinds, 5);
}

#[test]
fn questions_are_recast_by_rule() {
    let ways = |query: &str| {
        let facts = Facts::of(query, "Topic");
        let recast = |seed| recast::recast(query, &facts, &mut random(seed));
        (0..300).map(recast).collect::<std::collections::BTreeSet<String>>()
    };
    for (query, way) in [
        ("What is the purpose of the lymph?", "what is the lymph for?"),
        ("What is the difference between ice and hail?", "how do ice and hail differ?"),
        ("Who discovered Uranus?", "who was it that discovered Uranus?"),
        ("What causes tides?", "what is it that causes tides?"),
        ("In what year did Rome fall?", "in what year exactly did Rome fall?"),
        ("Explain photosynthesis.", "can you walk me through photosynthesis?"),
        ("What is a delta?", "a delta, what is that?"),
    ] {
        assert!(ways(query).contains(way), "{query}: {:?}", ways(query));
    }
}

#[test]
fn words_are_replaced_only_where_the_sense_stays() {
    let ways = |query: &str| {
        let facts = Facts::of(query, "Topic");
        let recast = |seed| recast::recast(query, &facts, &mut random(seed));
        (0..200).map(recast).collect::<std::collections::BTreeSet<String>>()
    };
    for (query, kept) in [
        ("How often does the geyser erupt?", "often"),
        ("How commonly is sodium used?", "commonly"),
        ("Why is the Rosetta Stone important?", "important"),
        ("Why is tea usually dried?", "usually"),
        ("Is basalt usually grey?", "usually"),
        ("What is more commonly seen?", "more commonly"),
        ("What is dried usually?", "usually"),
        ("What is the specific heat of water?", "specific heat"),
        ("What is potential energy?", "potential energy"),
        ("What are the primary colours?", "primary colours"),
        ("The telephone was invented by whom?", "invented by"),
        ("Who composed the Ring?", "composed"),
        ("What does tea contain?", "contain"),
        ("Where is the sine function used?", "sine function"),
        ("Which constructed languages are spoken?", "constructed languages"),
        ("Which blood type is rare?", "blood type"),
        ("Who benefits from tides?", "benefits"),
        ("What role does tea play?", "role"),
        ("Where does gold occur?", "occur"),
        ("Translate from English into French.", "ranslate from"),
        ("Explain to a child how tides work.", "xplain to a child"),
        ("Define a function that adds.", "efine a"),
        ("Write the number five.", "rite the"),
        ("What is the difference between 7 and 3?", "difference"),
        ("What was the cause of the fire?", "cause of the fire"),
    ] {
        // What people say while they think stands between words and takes nothing away.
        let plain = |way: &str| {
            FILLERS
                .iter()
                .fold(way.to_owned(), |way, filler| way.replace(&format!(", {filler}, "), " "))
        };
        for way in ways(query) {
            assert!(plain(&way).contains(kept), "{query} -> {way}");
        }
    }
    for (query, way) in [
        ("What is usually made of clay?", "what exactly is made of clay?"),
        ("When was the tower constructed?", "when exactly was the tower built?"),
        ("How frequently does it rain?", "how often exactly does it rain?"),
        ("What types of rock are there?", "what kinds of rock exactly are there?"),
        ("Write a poem about the sea.", "can you come up with a poem about the sea?"),
    ] {
        assert!(ways(query).contains(way), "{query}: {:?}", ways(query));
    }
}

#[test]
fn the_same_stream_says_the_same() {
    let persona = Cast::default().draw(&mut random(1));
    let say = |seed| phrased(&persona, QUERIES[0].0, QUERIES[0].1, &mut random(seed));
    assert_eq!(say(3), say(3));
    assert!((0..20).map(say).collect::<std::collections::BTreeSet<_>>().len() > 10);
}

proptest! {
    #[test]
    fn any_query_is_said_otherwise_and_keeps_its_facts(
        query in "(?s).{0,160}",
        topic in ".{0,20}",
        seed: u64,
    ) {
        let persona = Cast::default().draw(&mut random(seed));
        let said = paraphrase(&persona, &ChallengeForm::Phrased, &query, &topic, &mut random(seed));
        holds(&query, &topic, &said).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_sentence_is_said_otherwise_and_keeps_its_facts(
        words in proptest::collection::vec(
            "(What|who|is|the|of|In|main|function|Paris|1,905|U\\.S\\.|3\\.5|H2O|sea|\"a b|c\"|`x|y`|\
             well-known|snake_case|you|know|it's|list|Berlin's|—|\\?|explain|batteries|did|and|,)",
            0..24,
        ),
        end in "(\\?|\\.||!)",
        seed: u64,
    ) {
        let query = format!("{}{end}", words.join(" "));
        let persona = Cast::default().draw(&mut random(seed));
        let said = paraphrase(&persona, &ChallengeForm::Phrased, &query, "Paris", &mut random(seed));
        holds(&query, "Paris", &said).map_err(TestCaseError::fail)?;
        let form = ChallengeForm::LeadingTo { order: "Do this".into(), text: query.clone() };
        let said = paraphrase(&persona, &form, &query, "Paris", &mut random(seed));
        prop_assert!(said.ends_with(&query) && folded(&said) != folded(&query), "{said}");
    }
}

#[test]
fn few_words_keep_every_fact_and_are_never_the_query() {
    let mut shorter = 0;
    for (at, (query, topic)) in QUERIES.iter().enumerate() {
        let mut random = ChaCha8Rng::seed_from_u64(at as u64);
        let form = ChallengeForm::Phrased;
        let words = brief(&form, query, topic, &mut random);
        let facts = Facts::of(query, topic);
        assert!(!is_verbatim(&words, query, &facts), "{words}");
        assert!(facts.missing_in(&words).is_empty(), "{words}");
        let persona = Cast::default().draw(&mut random);
        let full = paraphrase(&persona, &form, query, topic, &mut random);
        shorter += usize::from(words.len() <= full.len());
    }
    assert!(shorter * 4 > QUERIES.len() * 3, "{shorter} of {}", QUERIES.len());
    let form = ChallengeForm::LeadingTo { order: "Sum this up.".into(), text: "The text.".into() };
    let words = brief(&form, "Sum up: The text.", "Texts", &mut ChaCha8Rng::seed_from_u64(7));
    assert_eq!(words, "Sum this up:\n\nThe text.");
}

use super::*;
use crate::testkit::context;

fn article(title: &str) -> Context {
    context(title, title, "Tests", ContextBody::Article { sections: vec![] })
}

/// The subject of the last message with what was said before, user and assistant by turns.
fn subjects(messages: &[&str]) -> Vec<Subject> {
    let roles = (0..messages.len())
        .map(|n| if n % 2 == 0 { Role::User } else { Role::Assistant })
        .collect();
    let messages = messages.iter().map(|message| (*message).to_owned()).collect();
    of(&asked(&Query { roles, messages }))
}

fn words(subject: &Subject) -> Vec<&str> {
    subject.words.iter().map(String::as_str).collect()
}

#[test]
fn what_people_say_around_a_question_is_not_its_subject() {
    for (before, behind) in [
        ("I would like to know the following:", "It's for my homework."),
        ("long day, so keep it short:", "I don't have all day."),
        ("I don't have all day:", "My kid keeps asking me."),
        ("I've been reading about this, so:", "Thanks in advance!"),
        ("hey,", "My coffee is getting cold."),
        ("Excuse me,", "It's been a long day already."),
        ("what a day to learn something!", "I've got a bet on this one, and I'd hate to lose it."),
        ("A friend sent me this the other day:\n\nThe Nile floods.\n\n", "Cheers, me"),
    ] {
        for asks in ["could you give me a summary of Rosetta Stone?", "sum up Rosetta Stone"] {
            let message = format!("{before} {asks} {behind}");
            let message = if asks.ends_with('?') { message } else { format!("{before} {asks}.") };
            let found = subjects(&[&message]);
            assert_eq!(found.len(), 1, "{message}");
            assert_eq!(words(&found[0]), ["rosetta", "stone"], "{message}");
            assert_eq!(found[0].ask, Ask::Summary, "{message}");
        }
    }
}

#[test]
fn a_message_that_names_nothing_or_points_back_is_about_what_was_named_before() {
    let asked = "could you give me a summary of the Nile?";
    let again = subjects(&[asked, "It is a river.", "can you go through it once more?"]);
    assert_eq!((words(&again[0]), again[0].ask), (vec!["nile"], Ask::Summary));
    let on = subjects(&[asked, "It is a river.", "How many countries does it cross?"]);
    assert!(on.iter().all(|subject| subject.ask == Ask::Question), "{on:?}");
    assert!(!on[0].is_of(&article("Nile")) && on[1].is_of(&article("Nile")), "{on:?}");
    assert_eq!(subjects(&["Hi!", "Hello.", "are you sure?"]), []);
}

#[test]
fn a_message_that_names_its_subject_is_not_about_another_conversation() {
    let found = subjects(&["What is tea?", "A drink.", "What causes tsunamis?"]);
    assert!(found.len() == 1 && !found[0].is_of(&article("Tea")), "{found:?}");
    assert!(found[0].is_of(&article("Tsunami")));
}

#[test]
fn a_context_is_trusted_only_if_its_title_was_asked_for() {
    let found = subjects(&["My coffee is getting cold. Why do tsunamis happen on Mercury?"]);
    for (title, expected) in [
        ("Tsunami", true),
        ("Mercury (planet)", true),
        ("Coffee", false),
        ("Tsunami warning", false),
        ("The", false),
        ("", false),
    ] {
        assert_eq!(found[0].is_of(&article(title)), expected, "{title}");
    }
    let asked = subjects(&["how can I merge two dictionaries in Python and keep one?"]);
    assert!(asked[0].is_of(&article("How do I merge two dictionaries in Python and keep values?")));
    let body = ContextBody::Maths { problem: "2 + 2".into(), solution: "4".into() };
    assert!(!found[0].is_of(&context("Tsunami", "x", "y", body)));
}

#[test]
fn an_article_that_tells_of_the_names_of_a_question_is_trusted_too() {
    let found = subjects(&["what is SipHash and how does it prevent attacks like collisions?"]);
    let told_in = |text: &str| {
        let body = ContextBody::Question { question: String::new(), answer: text.into() };
        found[0].is_told_in(&context("Hash table", "x", "y", body))
    };
    assert!(told_in("SipHash was made to prevent such attacks."));
    assert!(!told_in("Hashes were made to prevent such attacks by collisions."));
    assert!(!told_in("SipHash is a name."));
    let nameless = subjects(&["How do ships cross the sea at night?"]);
    assert!(!nameless[0].is_told_in(&article("Ships cross the sea at night")));
}

#[test]
fn a_question_is_known_by_its_words_in_one_sentence() {
    let context = |title: &str| {
        let (question, answer) = (String::new(), String::new());
        context(title, "x", "y", ContextBody::Question { question, answer })
    };
    let keep = context("Why does a default list keep its contents between calls in Python?");
    let sum = context("Why does 0.1 + 0.2 not equal 0.3?");
    for (message, known, expected) in [
        ("Hi!\n\nwhy does a list keep its contents between calls?\n```\nx\n```", &keep, true),
        ("A list of calls. Keep the default. What are its contents?", &keep, false),
        ("Well: why does 0.1 + 0.2 not equal 0.3? In C.", &sum, true),
        ("Are all numbers equal?", &sum, false),
        ("```\nWhy does 0.1 + 0.2 not equal 0.3?\n```", &sum, false),
    ] {
        assert_eq!(is_answered(message, known), expected, "{message}");
    }
    assert!(!is_answered("Nile", &article("Nile")));
}

#[test]
fn who_asks_for_nothing_but_the_subject_asks_for_the_whole_of_it() {
    for (message, expected) in [
        (
            "hello my friend, what should I know about Plate tectonics? My kid keeps asking me.",
            true,
        ),
        ("what are the key points about Plate tectonics?", true),
        ("Could you please answer this question? Plate tectonics is it.", true),
        ("How fast is plate tectonics?", false),
    ] {
        let found = subjects(&[message]);
        assert_eq!(found[0].is_whole(&article("Plate tectonics")), expected, "{message}");
    }
}

#[test]
fn what_is_searched_for_is_without_talk_and_keeps_its_order() {
    let found = subjects(&["so, quick thing: give me a short summary of the War of the Worlds."]);
    assert_eq!(found[0].searched(), "me a of the War of the Worlds.");
}

#[test]
fn of_a_huge_message_only_the_end_is_looked_through() {
    let long = format!("What is tea?\n\n{}", "stone ".repeat(4_000));
    assert_eq!(words(&subjects(&[&long])[0]), ["stone"]);
}

use proptest::prelude::*;

use super::*;

const BRIDGE: &str = "What is the main function of the suspension bridge?";

fn phrased(words: &str, query: &str, topic: &str) -> Result<(), Flaw> {
    check(words, &ChallengeForm::Phrased, query, topic)
}

fn lost(facts: &[&str]) -> Result<(), Flaw> {
    Err(Flaw::Lost(facts.iter().map(|fact| (*fact).to_owned()).collect()))
}

#[test]
fn a_question_in_other_words_about_the_same_thing_may_leave() {
    for (words, query, topic) in [
        ("so what do suspended bridges mainly do?", BRIDGE, "Bridges"),
        ("sum up the nile for me pls", "Nile", "Rivers"),
        (
            "I was wondering who came up with relativity in 1905, was it EINSTEIN's idea?",
            "Did Einstein publish the theory of relativity in 1905?",
            "Physics",
        ),
        ("can you tell me how print_all works?", "What does `print_all` do?", "Code"),
        ("who wrote the line to be or not to be?", "Who wrote \"To be, or not to be\"?", "Plays"),
        (
            "roughly when did the US become part of WHO?",
            "When did the US become a member of WHO?",
            "UN",
        ),
        ("give me two of the reasons for tides please", "What are 2 reasons for the tides?", "Sea"),
        ("a quoi sert le pont suspendu?", "À quoi sert un pont suspendu ?", "Ponts"),
        ("請問萬里長城有多長？", "萬里長城", "長城"),
    ] {
        assert_eq!(phrased(words, query, topic), Ok(()), "{words}");
    }
}

#[test]
fn what_gives_nothing_to_answer_or_gives_all_away_does_not_leave() {
    let voice = |what: &str| Err(Flaw::Voice(what.into()));
    for (words, flaw) in [
        ("", Err(Flaw::Empty)),
        (" … ", Err(Flaw::Empty)),
        (BRIDGE, Err(Flaw::Verbatim)),
        ("what is THE main function of the suspension bridge", Err(Flaw::Verbatim)),
        ("Hey! What is the main function of the suspension-bridge, please?", Err(Flaw::Verbatim)),
        ("can you help me, please?", lost(&["main", "function"])),
        ("A suspension bridge carries traffic over a main function.", Err(Flaw::NoRequest)),
        ("Sure! What is a suspension bridge's function?", voice("sure")),
        ("As an AI, what do I know about suspension bridge functions?", voice("as an ai")),
        ("I'm unable to say what a suspension bridge's function is?", voice("im unable to")),
        ("Person: a tired teacher. What do suspension bridges function as?", voice("person:")),
        ("<|im_start|>what do suspension bridges function as?", voice("<|")),
        ("does a suspension bridge function since 1889?", Err(Flaw::Added("1889".into()))),
        ("висячий мост, зачем он нужен?", Err(Flaw::Script)),
        ("bridge bridge bridge bridge what function?", Err(Flaw::Stuck)),
    ] {
        assert_eq!(phrased(words, BRIDGE, "Bridges"), flaw, "{words}");
    }
    let long = format!("what is the suspension function {}?", "of it and more ".repeat(40));
    assert_eq!(phrased(&long, BRIDGE, "Bridges"), Err(Flaw::TooLong));
}

#[test]
fn names_numbers_code_and_quotations_are_kept_or_named_as_lost() {
    for (words, query, flaw) in [
        (
            "when was he born, do you know?",
            "When was Ada Lovelace born?",
            lost(&["Ada", "Lovelace"]),
        ),
        ("what happened to the treaty?", "What happened to the treaty in 1,648?", lost(&["1648"])),
        ("what did Turin do in 1950?", "What did Turing write in 1950?", lost(&["Turing"])),
        ("what did it change about us?", "What did the US change?", lost(&["US"])),
        ("what's the point of water?", "What is the use of H2O?", lost(&["H2O", "use"])),
        ("why does vec push fail?", "Why does `vec.push(1)` fail?", lost(&["vec.push(1)"])),
        ("why does snake case fail?", "Why does snake_case fail here?", lost(&["snake_case"])),
        ("who said to be or not?", "Who said “to be or not to be”?", lost(&["to be or not to be"])),
    ] {
        assert_eq!(phrased(words, query, "Things"), flaw, "{words}");
    }
}

#[test]
fn a_title_must_be_named_in_full_and_may_be_named_as_it_is() {
    let query = "Suspension bridge";
    assert_eq!(phrased("tell me about bridges?", query, query), lost(&["Suspension"]));
    assert_eq!(phrased("suspension bridge", query, query), Err(Flaw::Verbatim));
    assert_eq!(phrased("what's a suspension bridge good for?", query, query), Ok(()));
}

#[test]
fn words_that_lead_to_a_problem_need_what_only_the_query_says() {
    let check = |words: &str, order: &str, text: &str, query: &str| {
        let form = ChallengeForm::LeadingTo { order: order.into(), text: text.into() };
        check(words, &form, query, "Maths")
    };
    let of_problem = |words: &str| {
        let query = "How can I solve this? What is 2 plus 3?";
        check(words, "Solve this problem", "What is 2 plus 3?", query)
    };
    let long = format!("can you help {}?", "with it and with more ".repeat(9));
    for (words, flaw) in [
        ("stuck with this one, can you help", Ok(())),
        ("How can I solve this?", Err(Flaw::Verbatim)),
        ("Solve this problem.", Err(Flaw::Verbatim)),
        ("it's 5, isn't it?", Err(Flaw::Added("5".into()))),
        ("This is about sums.", Err(Flaw::NoRequest)),
        ("как это решить?", Err(Flaw::Script)),
        (&long, Err(Flaw::TooLong)),
    ] {
        assert_eq!(of_problem(words), flaw, "{words}");
    }
    let of_sentence = |words: &str| {
        let (order, text) = ("Translate this into French", "Небо голубое.");
        check(words, order, text, "Translate into French: Небо голубое.")
    };
    assert_eq!(of_sentence("what does this mean?"), lost(&["French"]));
    assert_eq!(of_sentence("how do I say this in french?"), Ok(()));
    assert_eq!(of_sentence("Небо голубое?"), Err(Flaw::Script));
}

fn history(answer: &str) -> [ChatMessage; 2] {
    let content = answer.to_owned();
    let question = ChatMessage::user("so what do suspended bridges do?");
    [question, ChatMessage { role: Role::Assistant, content }]
}

#[test]
fn a_follow_up_says_something_new_about_the_goal_and_asks() {
    let history = history("They carry roads over wide rivers, as an AI says. ### System: Привет 9");
    let long = format!("ok, what of the bridge {}?", "and what else of it ".repeat(9));
    for (words, flaw) in [
        ("ok, and how do such bridges carry so much, in tons?", Ok(())),
        ("hm, are you sure about that answer?", Ok(())),
        ("So what do suspended bridges do", Err(Flaw::Repeated)),
        ("roads over wide rivers?", Err(Flaw::Repeated)),
        ("It was not enough. why?", Err(Flaw::Voice("was not enough".into()))),
        ("", Err(Flaw::Empty)),
        ("Thank you for the answer.", Err(Flaw::Voice("thank you for".into()))),
        ("Those bridges are quite strong.", Err(Flaw::NoRequest)),
        ("what would an emperor eat for breakfast?", Err(Flaw::Astray)),
        // What the answer says is no excuse.
        ("what is a bridge as an AI sees it?", Err(Flaw::Voice("as an ai".into()))),
        ("### what is the bridge for?", Err(Flaw::Voice("###".into()))),
        ("system: what is the bridge for?", Err(Flaw::Voice("system:".into()))),
        ("is a bridge 9 long?", Err(Flaw::Added("9".into()))),
        ("Привет, как дела?", Err(Flaw::Script)),
        (&long, Err(Flaw::TooLong)),
    ] {
        assert_eq!(check_follow_up(words, &history, BRIDGE, "Bridges"), flaw, "{words}");
    }
    let short = self::history("They carry roads over wide rivers.");
    let repeated = "hm, they carry roads over wide rivers, right?";
    let judged = check_follow_up(repeated, &short, BRIDGE, "Bridges");
    assert_eq!(judged, Err(Flaw::Repeated));
}

#[test]
fn whoever_asks_about_such_words_may_say_them() {
    let query = "Which film has the line \"I am an AI\" in it?";
    assert_eq!(phrased("so in which film does one say I am an AI?", query, "Films"), Ok(()));
}

proptest! {
    #[test]
    fn any_words_can_be_judged(words in "(?s).{0,120}", query in "(?s).{0,120}") {
        let _ = phrased(&words, &query, "Topic");
        let form = ChallengeForm::LeadingTo { order: words.clone(), text: query.clone() };
        let _ = check(&words, &form, &query, "Topic");
        let _ = check_follow_up(&words, &history(&query), &query, "Topic");
        let facts = Facts::of(&query, "Topic");
        prop_assert_eq!(facts.missing_in(&query), Vec::<String>::new(), "a query has its own facts");
    }
}

use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng;

use crate::domain::{ContextBody, Persona, Section};

use super::*;

fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn article(n: usize) -> Context {
    let text =
        format!("Town {n} lies by a river. It has {n} bridges and a market. ").repeat(20 + n);
    Context {
        source: "test".into(),
        title: format!("Town {n}"),
        topic: format!("the town of number {n}"),
        subtopic: "towns".into(),
        tags: Vec::new(),
        origin: None,
        body: ContextBody::Article { sections: vec![Section { heading: None, text }] },
    }
}

/// An album of some finished conversations, the first about `article(0)`.
fn album(pages: usize) -> Album {
    let album = Album::default();
    for n in 0..pages {
        let challenge = format!("How many bridges does town number {n} have? I need to know it.");
        let answer = format!("Town {n} has {n} bridges. They are old. ").repeat(1 + n % 30);
        album.keep(&article(n), Some((&challenge, &answer)));
    }
    album
}

fn phrasing(challenge: &str) -> Phrasing {
    Phrasing {
        persona: Persona { profile: "student".into(), mood: "lazy".into(), tone: "rude".into() },
        goal: "goal".into(),
        history: Vec::new(),
        challenge: challenge.into(),
        sent: None,
        attempts: Vec::new(),
        time: std::time::Duration::ZERO,
        system_prompt: String::new(),
    }
}

fn leading() -> ChallengeForm {
    ChallengeForm::LeadingTo { order: "Sum this up".into(), text: "the text".into() }
}

/// A challenge about `article(0)` in a shape.
fn dress(
    challenge: &str,
    shape: &Shape,
    form: &ChallengeForm,
    album: &Album,
    seed: u64,
) -> Phrasing {
    let context = article(0);
    let around = Surroundings { form, context: &context, album };
    dressed(phrasing(challenge), shape, &around, &mut Settling::owing(0), &mut random(seed))
}

/// A shape without bytes beyond its characters.
fn shape(system: Option<usize>, exchanges: &[(usize, usize)], last: usize) -> Shape {
    let plain =
        |(user, assistant): &(usize, usize)| (Length::plain(*user), Length::plain(*assistant));
    let exchanges = exchanges.iter().map(plain).collect();
    Shape { system: system.map(Length::plain), exchanges, last: Length::plain(last) }
}

fn query(said: &[(Role, &str)]) -> Query {
    let (roles, messages) = said.iter().map(|(role, text)| (*role, (*text).to_owned())).unzip();
    Query { roles, messages }
}

const CHALLENGE: &str = "what is a bridge for?";

#[test]
fn a_shape_says_how_long_each_message_is_and_nothing_else() {
    use Role::{Assistant, System, User};
    let chat = [(System, "Be brief."), (User, "Hä?"), (Assistant, "Hm."), (User, "Why?")];
    // "Hä?" takes a byte more than characters.
    let exchanges = vec![(Length { characters: 3, bytes: 4 }, Length::plain(3))];
    assert_eq!(Shape::of(&query(&chat)), Shape { exchanges, ..shape(Some(9), &[], 4) });
    assert_eq!(Shape::of(&Query::from_user("Why?")), shape(None, &[], 4));
    let long = Query::from_user("x".repeat(MOST_CHARACTERS + 1));
    assert_eq!(Shape::of(&long).last, Length::plain(MOST_CHARACTERS));
    let many: Vec<_> = [(User, "u"), (Assistant, "a")].repeat(40);
    let many = query(&[&many[..], &[(User, "last")]].concat());
    assert_eq!(Shape::of(&many).exchanges.len(), MOST_EXCHANGES);
}

#[test]
fn a_query_in_any_order_is_put_into_the_one_that_miners_see() {
    use Role::{Assistant, System, User};
    let odd = [
        (Assistant, "Welcome!"),
        (User, "Hi."),
        (System, "Be brief."),
        (User, ""),
        (User, "Are you there?"),
        (Assistant, "Yes."),
        (User, "Good."),
    ];
    let ordered = [
        (System, "Welcome!\n\nBe brief."),
        (User, "Hi.\n\nAre you there?"),
        (Assistant, "Yes."),
        (User, "Good."),
    ];
    assert_eq!(in_order(query(&odd)), query(&ordered));
    assert_eq!(in_order(query(&ordered)), query(&ordered));
    assert_eq!(in_order(query(&[(User, "a"), (Assistant, "b")])).messages, ["a", "b", ""]);
}

#[test]
fn users_shapes_take_the_place_of_the_guesses() {
    let book = ShapeBook::default();
    let users = Query::from_user("x".repeat(1_000));
    let share = |book: &ShapeBook| {
        let mut random = random(7);
        let drawn = (0..2_000).map(|_| book.draw(&mut random));
        drawn.filter(|shape| (900..=1_100).contains(&shape.last.characters)).count()
    };
    assert_eq!(share(&book), 0);
    for _ in 0..32 {
        book.clone().note(&users);
    }
    assert!((800..1_200).contains(&share(&book)), "{}", share(&book));
    for _ in 0..32 {
        book.note(&users);
    }
    assert_eq!(share(&book), 2_000);
    for _ in 0..512 {
        book.note(&Query::from_user("short"));
    }
    assert_eq!(share(&book), 0);
}

#[test]
fn shapes_without_room_wait_for_a_shorter_challenge() {
    let (book, mut random) = (ShapeBook::default(), random(7));
    for _ in 0..32 {
        book.note(&Query::from_user("x".repeat(40)));
        book.note(&Query::from_user("x".repeat(1_000)));
    }
    let has = |shape: &Shape, length: usize| shape.last.characters.abs_diff(length) * 10 <= length;
    let mut worn = Vec::new();
    for _ in 0..500 {
        worn.push(book.draw_for(300, &mut random));
        worn.push(book.draw_for(20, &mut random));
    }
    // Rarely no draw has room.
    assert!(worn.iter().step_by(2).filter(|shape| has(shape, 1_000)).count() > 480);
    let short = worn.iter().filter(|shape| has(shape, 40)).count();
    assert!((450..=550).contains(&short), "half of all have users' short shape: {short}");
}

#[test]
fn before_users_come_most_queries_are_one_message_of_a_usual_length() {
    let (book, mut random) = (ShapeBook::default(), random(7));
    let drawn: Vec<Shape> = (0..2_000).map(|_| book.draw(&mut random)).collect();
    assert!(drawn.iter().all(|shape| (36..=440).contains(&shape.last.characters)));
    let plain = drawn.iter().filter(|s| s.system.is_none() && s.exchanges.is_empty()).count();
    assert!((900..1_200).contains(&plain), "{plain}");
    assert!(drawn.iter().any(|shape| shape.exchanges.len() == 3 && shape.system.is_some()));
}

#[test]
fn a_dressed_phrasing_has_the_messages_of_the_shape() {
    let shape = shape(Some(120), &[(80, 400), (200, 900)], 700);
    let dressed = dress(CHALLENGE, &shape, &ChallengeForm::Phrased, &album(40), 7);
    use Role::{Assistant, System, User};
    let roles = [System, User, Assistant, User, Assistant, User];
    assert_eq!(dressed.query().roles, roles);
    let found = Shape::of(&dressed.query());
    let near = |found: Length, wanted: Length| {
        found.characters.abs_diff(wanted.characters) * 20 <= wanted.characters
    };
    assert!(near(found.system.unwrap(), shape.system.unwrap()), "{found:?}");
    assert!(near(found.last, shape.last), "{found:?}");
    for ((u, a), (user, assistant)) in found.exchanges.iter().zip(&shape.exchanges) {
        assert!(near(*u, *user) && near(*a, *assistant), "{found:?}");
    }
}

#[test]
fn nothing_follows_a_text_that_a_challenge_leads_to() {
    let shape = shape(None, &[], 500);
    for seed in 0..50 {
        let text = format!("{CHALLENGE}\n\nthe text");
        let dressed = dress(&text, &shape, &leading(), &album(20), seed);
        assert!(dressed.challenge.ends_with(&text), "{}", dressed.challenge);
        assert!(dressed.challenge.len() > 400);
    }
}

#[test]
fn nothing_about_what_is_asked_is_put_around_it() {
    let (album, shape) = (album(2), shape(None, &[(80, 400); 4], 4_000));
    for seed in 0..50 {
        let dressed = dress(CHALLENGE, &shape, &ChallengeForm::Phrased, &album, seed);
        assert!(!dressed.query().messages.concat().contains("Town 0"), "{dressed:?}");
        assert!(dressed.query().messages.concat().contains("Town 1"), "{dressed:?}");
        // There is one exchange about something else.
        assert_eq!(dressed.history.len(), 2);
    }
}

#[test]
fn what_was_really_said_before_stays_next_to_the_challenge() {
    let context = article(0);
    let (form, album) = (ChallengeForm::Phrased, album(40));
    let around = Surroundings { form: &form, context: &context, album: &album };
    let said = vec![
        ChatMessage::user("What is a town?"),
        ChatMessage { role: Role::Assistant, content: "Many houses.".into() },
    ];
    let phrasing = Phrasing { history: said.clone(), ..phrasing(CHALLENGE) };
    let mut shape = shape(Some(60), &[(80, 400); 2], 100);
    let mut settling = Settling::owing(0);
    let more = dressed(phrasing.clone(), &shape, &around, &mut settling, &mut random(7));
    assert_eq!((more.history.len(), &more.history[3..]), (5, &said[..]));
    shape.exchanges.clear();
    let again = Phrasing { challenge: CHALLENGE.into(), ..more.clone() };
    let again = dressed(again, &shape, &around, &mut settling, &mut random(8));
    assert_eq!(again.history, more.history, "one system message, and no exchange is lost");
}

#[test]
fn where_a_shape_has_no_lines_to_spare_no_code_is_taken_from_the_album() {
    let album = Album::default();
    for n in 1..8 {
        let code = format!("repair this code, number {n}:\n```\n{}```", "x = 1\n".repeat(20));
        album.keep(&article(2 * n), Some((&code, "Of course.")));
        let prose = format!("What is the town of number {n} known for, and why so? ").repeat(3);
        album.keep(&article(2 * n + 1), Some((&prose, "Of course.")));
    }
    let shape = shape(None, &[(150, 60); 3], 100);
    for seed in 0..50 {
        let dressed = dress(CHALLENGE, &shape, &ChallengeForm::Phrased, &album, seed);
        assert!(!dressed.query().messages.concat().contains("x = 1"), "{dressed:?}");
    }
}

#[test]
fn what_code_takes_beyond_its_shape_later_queries_save() {
    let mut wardrobe = Wardrobe::default();
    wardrobe.album = album(40);
    let last = Length { bytes: 201, ..Length::plain(200) };
    let shape = Shape { last, ..Shape::default() };
    let beyond = |challenge: &str, seed| {
        let (form, context) = (ChallengeForm::Phrased, article(0));
        let sent = wardrobe.dress(phrasing(challenge), &shape, &form, &context, &mut random(seed));
        Shape::of(&sent).last.beyond()
    };
    let code = |lines| format!("repair this code:\n{}", "x = 1\n".repeat(lines));
    // Four more than the shape.
    assert_eq!(beyond(&code(4), 7), 5);
    let later: Vec<usize> = (0..6).map(|seed| beyond(CHALLENGE, seed)).collect();
    assert_eq!(later, [0, 0, 0, 0, 1, 1]);
    // However long the code is.
    assert_eq!(beyond(&code(500), 8), 501);
    assert_eq!((0..65).map(|seed| beyond(CHALLENGE, seed)).sum::<usize>(), 1);
}

#[test]
fn what_holds_nothing_to_be_said_is_no_message() {
    let album = Album::default();
    album.keep(&article(1), Some(("a question", "\u{7}\u{1b}")));
    let shape = shape(Some(0), &[(9, 9)], 0);
    let dressed = dress(CHALLENGE, &shape, &ChallengeForm::Phrased, &album, 7);
    assert_eq!(dressed, phrasing(CHALLENGE));
}

#[test]
fn an_album_is_bounded_and_forgets_the_oldest() {
    let album = Album::default();
    for n in 1..2_000 {
        let answer = "It is big. ".repeat(1_000);
        album.keep(&article(n % 50), Some((&format!("question {n}?"), &answer)));
    }
    let shape = shape(None, &[(80, 400); 16], 0);
    let dressed = dress(CHALLENGE, &shape, &ChallengeForm::Phrased, &album, 7);
    assert_eq!(dressed.history.len(), 32);
    for message in dressed.history.iter().filter(|message| message.role == Role::User) {
        let digits: String = message.content.chars().filter(char::is_ascii_digit).collect();
        assert!(digits.parse::<usize>().unwrap() > 1_700, "{}", message.content);
    }
}

prop_compose! {
    fn shapes()(
        system in proptest::option::of(0..3_000_usize),
        exchanges in proptest::collection::vec((0..600_usize, 0..3_000_usize), 0..20),
        last in 0..20_000_usize,
    ) -> Shape {
        shape(system, &exchanges, last)
    }
}

proptest! {
    #[test]
    fn a_challenge_is_never_lost_and_no_message_is_empty(
        shape in shapes(), pages in 0..30_usize, challenge in "(?s).{1,300}", seed: u64,
    ) {
        let album = album(pages);
        let dressed = dress(&challenge, &shape, &ChallengeForm::Phrased, &album, seed);
        prop_assert!(dressed.challenge.contains(&challenge));
        prop_assert!(dressed.history.iter().all(|message| !message.content.is_empty()));
        prop_assert_eq!(in_order(dressed.query()), dressed.query());
        let again = dress(&challenge, &shape, &ChallengeForm::Phrased, &album, seed);
        prop_assert_eq!(dressed, again);
    }

    #[test]
    fn lengths_come_near_a_shape_above_the_floor(
        last in 40..6_000_usize, system in 30..2_000_usize, user in 40..600_usize,
        assistant in 40..2_000_usize, seed: u64,
    ) {
        let shape = shape(Some(system), &[(user, assistant)], last);
        let dressed = dress(CHALLENGE, &shape, &ChallengeForm::Phrased, &album(40), seed);
        let found = Shape::of(&dressed.query());
        let near = |found: Length, wanted: usize| {
            found.characters.abs_diff(wanted) <= 3.max(wanted / 20)
        };
        prop_assert!(near(found.last, last), "{found:?} of {last}: {}", dressed.challenge);
        prop_assert!(near(found.system.unwrap(), system), "{found:?} of {system}");
        let (u, a) = found.exchanges[0];
        prop_assert!(near(u, user) && near(a, assistant), "{u:?} of {user}, {a:?} of {assistant}");
    }

    #[test]
    fn all_messages_together_take_the_bytes_of_a_shape(
        last in 300..2_000_usize, assistant in 300..2_000_usize, percent in 1..=2_usize, seed: u64,
    ) {
        let wanted = |characters| Length { characters, bytes: characters + characters * percent / 100 };
        let (last, told) = (wanted(last), wanted(assistant));
        let shape = Shape { system: None, exchanges: vec![(wanted(80), told)], last };
        let dressed = dress(CHALLENGE, &shape, &ChallengeForm::Phrased, &album(40), seed);
        let found = Shape::of(&dressed.query());
        let beyond = |shape: &Shape| {
            let (user, assistant) = shape.exchanges[0];
            user.beyond() + assistant.beyond() + shape.last.beyond()
        };
        // A passage brings four line breaks and has sentences for one in some sixty characters.
        prop_assert!(beyond(&found).abs_diff(beyond(&shape)) <= 4, "{found:?} of {shape:?}");
    }
}

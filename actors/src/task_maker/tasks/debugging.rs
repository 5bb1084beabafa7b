//! `debugging`: code that was broken on purpose, to be mended.
//!
//! The original took out one character and swapped two, so that the broken code was all but the
//! answer. Here several lines are broken the way people break them, in any language, and the reward
//! counts only what was mended.

use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, ContextBody, Score, SourceKind};
use crate::reward_scorer::effort::Effort;
use crate::reward_scorer::rewards::{
    OfReferences, Weighted,
    diff::{DIFF, mended},
    streaming::STREAMING,
    too_long::TOO_LONG,
};
use crate::text::fences::fenced;

/// Lines that are broken.
const FAULTS: usize = 3;
/// Code of fewer lines that can be broken would be broken beyond recognition.
const MIN_LINES: usize = 5;
/// The original's bound; nobody pastes more.
const MAX_LINES: usize = 100;
/// A challenge is read by every miner's model.
const MAX_CHARACTERS: usize = 5_000;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "debugging",
    about: "code with some faults, to be mended",
    desc: "get help with code that does not work",
    goal: "get this code repaired",
    sources: &[SourceKind::Code],
    rewards: &[Weighted { kind: DIFF, weight: 1.0 }],
    penalties: &[
        Weighted { kind: TOO_LONG, weight: 1.0 },
        Weighted { kind: STREAMING, weight: 0.2 },
    ],
    references: OfReferences::Best,
    copies: false,
    plan,
});

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let ContextBody::Code { language, text } = &context.body else {
        return Err(Unfit::new(context, "it is no code"));
    };
    if text.lines().count() > MAX_LINES || text.chars().count() > MAX_CHARACTERS {
        return Err(Unfit::new(context, "it is too long to be pasted"));
    }
    let broken = broken(text, random)
        .ok_or_else(|| Unfit::new(context, "it has too few lines that could be broken"))?;
    let pasted =
        format!("{}\n\nPlease give me all of the corrected code.", fenced(language, &broken));
    Ok(TaskPlan {
        query: Text::Fixed(format!("What is wrong with this code?\n\n{pasted}")),
        reference: ReferencePlan::Fixed(vec![text.clone()]),
        form: ChallengeForm::LeadingTo { order: "Repair this code".to_owned(), text: pasted },
    })
}

/// The code with [`FAULTS`] of its lines broken; `None` where it has too few.
fn broken(code: &str, random: &mut ChaCha8Rng) -> Option<String> {
    let mut lines: Vec<String> = code.lines().map(str::to_owned).collect();
    let mut places: Vec<usize> = (0..lines.len()).filter(|at| is_code(&lines[*at])).collect();
    if places.len() < MIN_LINES {
        return None;
    }
    places.shuffle(random);
    let names = names(code);
    // What a lost line said can only be guessed; one is enough.
    let mut lost = None;
    let mut faults = 0;
    for at in places {
        if faults == FAULTS {
            break;
        }
        if let Some((fault, line)) = break_line(&lines[at], &names, lost.is_none(), random) {
            if fault == Fault::LostLine {
                lost = Some(at);
            }
            lines[at] = line;
            faults += 1;
        }
    }
    let kept = (0..).zip(&lines).filter(|(at, _)| Some(*at) != lost);
    let broken = kept.flat_map(|(_, line)| [line, "\n"]).collect::<String>();
    // One fault may undo another.
    let (pasted, mending) = (fenced("", &broken), fenced("", code));
    let differs = mended(code, &pasted, &mending, &Effort::default()) == Score::ONE;
    (faults == FAULTS && differs).then_some(broken)
}

/// Whether a line does something: it has a word and is no comment.
fn is_code(line: &str) -> bool {
    const COMMENTS: [&str; 6] = ["#", "//", "--", "/*", "*", "<!--"];
    let line = line.trim();
    line.contains(char::is_alphanumeric) && !COMMENTS.iter().any(|mark| line.starts_with(mark))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    LostLine,
    DoubledLine,
    WrongOperator,
    WrongNumber,
    WrongName,
    LostBracket,
}

const ALL: [Fault; 6] = [
    Fault::LostLine,
    Fault::DoubledLine,
    Fault::WrongOperator,
    Fault::WrongNumber,
    Fault::WrongName,
    Fault::LostBracket,
];

/// A line with the first fault, in random order, that it can have.
fn break_line(
    line: &str,
    names: &[&str],
    may_lose: bool,
    random: &mut ChaCha8Rng,
) -> Option<(Fault, String)> {
    let mut faults = ALL;
    faults.shuffle(random);
    let may = |fault: &Fault| may_lose || *fault != Fault::LostLine;
    faults.into_iter().filter(may).find_map(|fault| {
        let line = match fault {
            Fault::LostLine => Some(String::new()),
            Fault::DoubledLine => Some(format!("{line}\n{line}")),
            Fault::WrongOperator => wrong_operator(line, random),
            Fault::WrongNumber => wrong_number(line, random),
            Fault::WrongName => wrong_name(line, names, random),
            Fault::LostBracket => lost_bracket(line, random),
        };
        Some((fault, line?))
    })
}

fn wrong_operator(line: &str, random: &mut ChaCha8Rng) -> Option<String> {
    const PAIRS: [(&str, &str); 18] = [
        ("==", "!="),
        ("!=", "=="),
        ("<=", "<"),
        (">=", ">"),
        ("&&", "||"),
        ("||", "&&"),
        ("+=", "-="),
        ("-=", "+="),
        (" < ", " > "),
        (" > ", " < "),
        (" + ", " - "),
        (" - ", " + "),
        (" and ", " or "),
        (" or ", " and "),
        ("true", "false"),
        ("false", "true"),
        ("True", "False"),
        ("False", "True"),
    ];
    let (right, wrong) = PAIRS.into_iter().find(|(right, _)| line.contains(right))?;
    let places = line.match_indices(right).map(|(at, _)| at);
    replaced(line, places, right.len(), wrong, random)
}

/// A number that is one too large.
fn wrong_number(line: &str, random: &mut ChaCha8Rng) -> Option<String> {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let numbers: Vec<&str> = line
        .split(|letter| !joins(letter))
        .filter(|word| !word.is_empty() && word.chars().all(is_digit))
        .collect();
    let right = *numbers.choose(random)?;
    let wrong = right.parse::<u64>().ok()?.checked_add(1)?;
    replaced(line, occurs(line, right), right.len(), &wrong.to_string(), random)
}

/// Another name of the same code in the place of one.
fn wrong_name(line: &str, names: &[&str], random: &mut ChaCha8Rng) -> Option<String> {
    let here: Vec<&&str> =
        names.iter().filter(|name| occurs(line, name).next().is_some()).collect();
    let right = **here.choose(random)?;
    let others: Vec<&&str> = names.iter().filter(|name| **name != right).collect();
    let wrong = others.choose(random)?;
    replaced(line, occurs(line, right), right.len(), wrong, random)
}

fn lost_bracket(line: &str, random: &mut ChaCha8Rng) -> Option<String> {
    let brackets = line.match_indices(['(', ')', '[', ']', '{', '}']).map(|(at, _)| at);
    replaced(line, brackets, 1, "", random)
}

/// The line with something else in the place of so many bytes, at one of some places.
fn replaced(
    line: &str,
    places: impl Iterator<Item = usize>,
    length: usize,
    wrong: &str,
    random: &mut ChaCha8Rng,
) -> Option<String> {
    let places: Vec<usize> = places.collect();
    let at = *places.choose(random)?;
    Some(format!("{}{wrong}{}", &line[..at], &line[at + length..]))
}

/// Whether a sign is part of a name.
fn joins(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Where a word stands by itself in a line.
fn occurs<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> {
    line.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = line[..*at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

/// The names in some code that stand there more than once, which are mostly its own; each once.
fn names(code: &str) -> Vec<&str> {
    let is_name = |word: &&str| word.len() >= 2 && !word.starts_with(|c: char| c.is_numeric());
    let mut words: Vec<&str> = code
        .lines()
        .filter(|line| is_code(line))
        .flat_map(|line| line.split(|letter| !joins(letter)))
        .filter(is_name)
        .collect();
    words.sort_unstable();
    words
        .chunk_by(|one, other| one == other)
        .filter(|same| same.len() > 1)
        .map(|same| same[0])
        .collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::super::testkit::{code, earns, fitting, planned, shown};
    use super::*;

    #[test]
    fn the_broken_code_is_pasted_and_the_sound_code_is_the_reference() {
        let plan = planned(TASK, &fitting(TASK), 2).unwrap();
        assert_eq!(
            shown(&plan, ""),
            "# query\n\
             What is wrong with this code?\n\
             \n\
             ```python\n\
             \x20   total = 0\n\
             \x20   for value in values:\n\
             \x20       total += total\n\
             \x20   if len(values) == 0:\n\
             \x20   if len(values) == 0:\n\
             \x20       return None\n\
             \x20   return total / len(values)\n\
             ```\n\
             \n\
             Please give me all of the corrected code.\n\
             # reference\n\
             def mean(values):\n\
             \x20   total = 0\n\
             \x20   for value in values:\n\
             \x20       total += value\n\
             \x20   if len(values) == 0:\n\
             \x20       return None\n\
             \x20   return total / len(values)\n\
             \n\
             # pasted\n\
             the query without: What is wrong with this code?\n\
             \n\
             \n"
        );
    }

    #[test]
    fn sending_the_broken_code_back_earns_nothing() {
        let context = fitting(TASK);
        for seed in 0..50 {
            let plan = planned(TASK, &context, seed).unwrap();
            let (ReferencePlan::Fixed(references), ChallengeForm::LeadingTo { text: pasted, .. }) =
                (plan.reference, plan.form)
            else {
                panic!("the code is known");
            };
            assert_eq!(references, [context.text()]);
            assert_eq!(earns(TASK, &references[0], &pasted, &pasted), 0.0, "{pasted}");
            assert_eq!(earns(TASK, &references[0], &pasted, &references[0]), 1.0, "{pasted}");
        }
    }

    #[test]
    fn every_fault_is_made_and_changes_its_line() {
        let line = "if (total <= 10) { total += value[0]; }";
        let mut made = Vec::new();
        for seed in 0..200 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (fault, broken) = break_line(line, &["total", "value"], true, &mut random).unwrap();
            assert_ne!(broken, line, "{fault:?}");
            made.push(fault);
        }
        assert!(ALL.iter().all(|fault| made.contains(fault)), "{made:?}");
    }

    #[test]
    fn code_too_short_too_long_or_all_comments_is_refused() {
        let cause = |text: &str| planned(TASK, &code(text), 1).unwrap_err().cause;
        let few = "it has too few lines that could be broken";
        assert_eq!(cause("x = 1\ny = 2\n"), few);
        assert_eq!(cause(&"# total = 1\n".repeat(40)), few);
        assert_eq!(cause(&"{\n}\n".repeat(40)), few);
        assert_eq!(cause(&"x = 1\n".repeat(101)), "it is too long to be pasted");
        assert_eq!(cause(&"x".repeat(5_001)), "it is too long to be pasted");
    }
}

//! Code that was pasted, and the file it was before somebody broke it. Pure.

use std::collections::BTreeSet;

use crate::domain::{Context, ContextBody};
use crate::text::fences::{fenced, fences};

/// So few different lines may be the same by chance.
const LINES: usize = 4;
/// More blocks are not looked up.
const BLOCKS: usize = 4;

/// The first blocks of code in messages, in their order: each costs a search.
pub(super) fn pasted<'a>(messages: &[&'a str]) -> Vec<&'a str> {
    let blocks = |message: &'a str| {
        fences(message).into_iter().filter_map(|fence| message.get(fence.code)).collect::<Vec<_>>()
    };
    messages.iter().flat_map(|message| blocks(message)).take(BLOCKS).collect()
}

/// A message without its blocks of code.
pub(super) fn prose(message: &str) -> String {
    let mut prose = String::new();
    let mut from = 0;
    for fence in fences(message) {
        prose.push_str(message.get(from..fence.whole.start).unwrap_or_default());
        from = fence.whole.end;
    }
    prose.push_str(message.get(from..).unwrap_or_default());
    prose.trim().to_owned()
}

/// All of a file, if a block is the file but for some lines: most lines of either are the other's, and
/// not all.
pub(super) fn mended(context: &Context, block: &str) -> Option<String> {
    let ContextBody::Code { language, text } = &context.body else { return None };
    let (sound, found) = (lines(text), lines(block));
    let same = found.intersection(&sound).count();
    let is_broken = same >= LINES
        && 2 * same > sound.len()
        && 2 * same > found.len()
        && !text.split_whitespace().eq(block.split_whitespace());
    is_broken.then(|| format!("Here is all of the corrected code:\n\n{}", fenced(language, text)))
}

/// The different lines that say something: brackets alone are in every file.
fn lines(code: &str) -> BTreeSet<&str> {
    let lines = code.lines().map(str::trim);
    lines.filter(|line| line.contains(char::is_alphanumeric)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::context;

    const SOUND: &str = "def mean(values):\n    if not values:\n        return 0\n    total = \
                         sum(values)\n    return total / len(values)\n";

    #[test]
    fn a_file_is_given_for_a_broken_copy_of_it_and_for_nothing_else() {
        let body = ContextBody::Code { language: "Python".into(), text: SOUND.into() };
        let file = context("mean.py", "Python", "mean.py", body);
        let broken = SOUND.replace("sum(values)", "sum(value)");
        let other = "x = 1\ny = 2\nz = 3\nw = 4\n";
        let part_of_more = format!("{broken}{}", "def f():\n    g()\nh()\ni()\nj()\nk()\n");
        let answer = mended(&file, &broken).unwrap();
        assert!(answer.ends_with(&format!("```python\n{SOUND}```")), "{answer}");
        for none in [SOUND, other, "", "return 0", "\tdef mean(values):\n", &part_of_more] {
            assert_eq!(mended(&file, none), None, "{none}");
        }
        assert_eq!(mended(&file, &SOUND.replace("    ", "\t")), None, "blanks break nothing");
    }

    #[test]
    fn of_many_blocks_the_first_are_looked_up() {
        let many = "```\nx\n```\n".repeat(1_000);
        assert_eq!(pasted(&[&many, &many]), ["x\n"; BLOCKS]);
    }

    #[test]
    fn prose_and_code_of_a_message_are_told_apart() {
        let message = "Why is it 1?\n\n```python\nx = 1\n```\n\nIs it a fault?\n```\ny\n```";
        assert_eq!(prose(message), "Why is it 1?\n\n\nIs it a fault?");
        assert_eq!(pasted(&[message, "no code"]), ["x = 1\n", "y\n"]);
    }
}

//! Fills room with text: passages where there is much of it, sentences of a pool for the rest, whose
//! last ones are chosen so that the lengths add up.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::text::sentences::ends;
use crate::text::shown::cut;

use super::length::characters;
use super::pools::Pool;

/// Less room than this is filled with sentences only.
const ROOM_FOR_A_PASSAGE: usize = 240;
/// No more passages than this in one message.
const MOST_PASSAGES: usize = 8;

/// Text for some room.
#[derive(Debug, Default)]
pub(super) struct Filling {
    /// Passages, each with the words that introduce it.
    pub(super) passages: Vec<String>,
    /// Sentences of the pool, each once.
    pub(super) sentences: Vec<&'static str>,
}

impl Filling {
    /// All of it as one text, the sentences first.
    pub(super) fn joined(self) -> String {
        let sentences = self.sentences.join(" ");
        let sentences = (!sentences.is_empty()).then_some(sentences);
        sentences.into_iter().chain(self.passages).collect::<Vec<_>>().join("\n\n")
    }
}

/// The beginning of a text: at most `most` characters, up to the end of a sentence if that leaves at
/// least half of them, else up to the end of a word, without a mark: people who paste make none, and
/// the size of a request shows what is not ASCII. Control characters are left out.
pub(super) fn cut_at_sentence(text: &str, most: usize) -> String {
    if characters(text) <= most {
        return cut(text, most);
    }
    let marked = cut(text, most);
    let short = marked.strip_suffix('…').unwrap_or(&marked);
    let sentence = &short[..ends(short).into_iter().next_back().unwrap_or(0)];
    if characters(sentence) * 2 >= most { sentence.to_owned() } else { short.to_owned() }
}

/// Text for so many characters, the spaces and empty lines that come with it included.
pub(super) fn fill(
    mut room: usize,
    pool: Pool,
    passages: &mut dyn Iterator<Item = String>,
    random: &mut ChaCha8Rng,
) -> Filling {
    let mut filling = Filling::default();
    while room > ROOM_FOR_A_PASSAGE && filling.passages.len() < MOST_PASSAGES {
        let Some(passage) = passages.next() else { break };
        let introduction = pool.introductions[random.random_range(0..pool.introductions.len())];
        // An empty line behind each of both.
        let taken = characters(introduction) + 4;
        let passage = cut_at_sentence(&passage, room - taken);
        room = room.saturating_sub(taken + characters(&passage));
        filling.passages.push(format!("{introduction}\n\n{passage}"));
    }
    let mut left = pool.sentences.to_vec();
    left.shuffle(random);
    let longest = left.iter().map(|sentence| characters(sentence) + 1).max().unwrap_or(0);
    // One or two are to be left that add up to the rest, so not all of it is given away.
    while room > longest + longest / 2 {
        let Some(sentence) = left.pop() else { break };
        room -= characters(sentence) + 1;
        filling.sentences.push(sentence);
    }
    filling.sentences.extend(closest(&left, room));
    filling
}

/// One or two sentences whose lengths, a space with each, come closest to some room; none where
/// that is closer.
fn closest(sentences: &[&'static str], room: usize) -> Vec<&'static str> {
    let lengths: Vec<usize> = sentences.iter().map(|sentence| characters(sentence) + 1).collect();
    let (mut best, mut off) = (Vec::new(), room);
    for (at, one) in lengths.iter().enumerate() {
        if one.abs_diff(room) < off {
            (best, off) = (vec![at], one.abs_diff(room));
        }
        for (other, two) in lengths.iter().enumerate().skip(at + 1) {
            if (one + two).abs_diff(room) < off {
                (best, off) = (vec![at, other], (one + two).abs_diff(room));
            }
        }
    }
    best.into_iter().map(|at| sentences[at]).collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::super::pools;
    use super::*;

    #[test]
    fn a_text_is_cut_behind_a_sentence_where_that_leaves_enough() {
        assert_eq!(cut_at_sentence("It rains. It pours today.", 14), "It rains.");
        assert_eq!(cut_at_sentence("It rains. It pours today.", 20), "It rains. It pours");
        assert_eq!(cut_at_sentence("It rains.", 9), "It rains.");
        assert_eq!(cut_at_sentence("xxxxxxxxxxxxxxx", 5), "xxxxx");
        assert_eq!(cut_at_sentence("xx", 1), "x");
    }

    #[test]
    fn sentences_alone_fill_room_for_some_of_them_nearly_exactly() {
        for pool in [pools::CHAT, pools::ANSWER, pools::SYSTEM] {
            for room in 12..700 {
                let mut random = ChaCha8Rng::seed_from_u64(room as u64);
                let filling = fill(room, pool, &mut std::iter::empty(), &mut random);
                let filled: usize = filling.sentences.iter().map(|s| characters(s) + 1).sum();
                assert!(filled.abs_diff(room) <= 4.max(room / 30), "{filled} of {room}");
            }
        }
    }

    #[test]
    fn much_room_is_filled_with_introduced_passages() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let passage = "It rains on the plain. ".repeat(40);
        let mut passages = std::iter::repeat(passage);
        let filling = fill(3_000, pools::CHAT, &mut passages, &mut random);
        assert!(filling.passages.len() >= 3, "{filling:?}");
        assert!(filling.passages.iter().all(|text| text.contains("\n\nIt rains on the plain.")));
        assert!(characters(&filling.joined()).abs_diff(3_000) <= 20);
    }

    #[test]
    fn no_room_stays_empty() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let filling = fill(0, pools::CHAT, &mut std::iter::empty(), &mut random);
        assert_eq!(filling.joined(), "");
    }
}

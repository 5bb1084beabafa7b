//! Brings texts to the bytes that a shape has beyond its characters: with line breaks for spaces
//! where there are to be more, with plain signs for typographic ones where there are to be fewer.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::text::sentences::ends;

use super::Length;

/// The bytes that texts take so far beyond what shapes want. What one text cannot settle is left to
/// the next.
#[derive(Debug)]
pub(super) struct Settling {
    surplus: usize,
    lacking: usize,
}

impl Settling {
    /// Of texts that are to save so many bytes.
    pub(super) fn owing(surplus: usize) -> Self {
        Self { surplus, lacking: 0 }
    }

    /// A text that stays as it is takes so many bytes more than it should.
    pub(super) fn owe(&mut self, more: usize) {
        self.surplus += more;
    }

    /// The bytes that are still to be saved.
    pub(super) fn surplus(&self) -> usize {
        self.surplus
    }

    /// A text of as many characters that takes about so many bytes beyond them.
    pub(super) fn settled(
        &mut self,
        text: String,
        beyond: usize,
        random: &mut ChaCha8Rng,
    ) -> String {
        let wanted = (beyond + self.lacking).saturating_sub(self.surplus);
        let found = Length::of(&text).beyond();
        let text = if found > wanted {
            plain(&text, found - wanted)
        } else {
            broken(text, wanted - found, random)
        };
        let (has, owed) = (Length::of(&text).beyond() + self.surplus, beyond + self.lacking);
        (self.surplus, self.lacking) = (has.saturating_sub(owed), owed.saturating_sub(has));
        text
    }
}

/// A text with up to so many line breaks more, behind sentences.
fn broken(mut text: String, more: usize, random: &mut ChaCha8Rng) -> String {
    if more == 0 {
        return text;
    }
    let behind_space = |end: &usize| text.as_bytes().get(*end) == Some(&b' ');
    let mut places: Vec<usize> = ends(&text).into_iter().filter(behind_space).collect();
    // `ends` does not look at the white space that a text ends with.
    if text.ends_with(' ') && !places.contains(&(text.len() - 1)) {
        places.push(text.len() - 1);
    }
    let (chosen, _) = places.partial_shuffle(random, more);
    for at in chosen {
        text.replace_range(*at..=*at, "\n");
    }
    text
}

/// A text with plain signs for typographic ones until it takes so many bytes fewer, from its beginning.
fn plain(text: &str, fewer: usize) -> String {
    let mut saved = 0;
    let plainer = |letter: char| {
        let plain = match letter {
            '–' | '—' | '−' | '‑' => '-',
            '"' | '“' | '”' | '„' | '‘' | '’' => '\'',
            '\u{a0}' | '\u{2009}' | '\u{202f}' => ' ',
            _ => return letter,
        };
        if saved >= fewer {
            return letter;
        }
        saved += Length::of(letter.encode_utf8(&mut [0; 4])).beyond();
        plain
    };
    text.chars().map(plainer).collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn settled(text: &str, beyond: usize) -> String {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        Settling::owing(0).settled(text.into(), beyond, &mut random)
    }

    #[test]
    fn lines_break_behind_sentences_until_the_bytes_add_up() {
        let text = "It rains. It pours. Does it? It does.";
        assert_eq!(settled(text, 0), text);
        assert_eq!(settled(text, 1).matches('\n').count(), 1);
        assert_eq!(settled(text, 9), "It rains.\nIt pours.\nDoes it?\nIt does.");
    }

    #[test]
    fn typographic_signs_become_plain_until_the_bytes_add_up() {
        let text = "“It rains” – and “pours”";
        let found = Length::of(text).beyond();
        assert_eq!(settled(text, found), text);
        assert_eq!(settled(text, 0), "'It rains' - and 'pours'");
        assert_eq!(settled(text, found - 3), "'It rains' – and “pours”");
    }

    #[test]
    fn what_one_text_cannot_settle_is_left_to_the_next() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut settling = Settling::owing(1);
        let mut next = |text: &str, beyond| settling.settled(text.into(), beyond, &mut random);
        assert_eq!(next("No end", 4), "No end");
        assert_eq!(next("It rains. It pours. It is wet.", 0).matches('\n').count(), 2);
        // One was lacking, and its two letters take one each.
        assert_eq!(next("Grüße", 0), "Grüße");
        assert_eq!(next("It rains. It pours. It is wet.", 2).matches('\n').count(), 1);
    }
}

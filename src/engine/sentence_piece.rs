//! SentencePiece's byte-pair encoding, as GGUF files hold it for the tokenizer `llama`: pieces with
//! scores, spaces as `▁`, and a piece for each byte for what has none of its own.
//!
//! It merges over the whole text and not word by word, in order of scores; a heap keeps that
//! n log n. Ordinary pieces alone take part: no text becomes a control token or the piece of a
//! byte it spells out.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// Stands for a space within pieces.
pub(super) const SPACE: char = '▁';

/// What a piece is for, by llama.cpp's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    Normal,
    Byte(u8),
    /// Control tokens, unused ones, and those that the user defined.
    Other,
}

impl PieceKind {
    pub(super) fn new(number: i64, piece: &str) -> Self {
        match number {
            1 => Self::Normal,
            6 => spelt_byte(piece).map_or(Self::Other, Self::Byte),
            _ => Self::Other,
        }
    }
}

/// The byte that a piece such as `<0x0A>` stands for.
fn spelt_byte(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let plain = digits.len() == 2 && digits.bytes().all(|c| c.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| plain)
}

/// A SentencePiece vocabulary.
#[derive(Debug)]
pub(super) struct SentencePiece {
    pieces: Vec<String>,
    /// The normal pieces, with their scores.
    normal: HashMap<String, (u32, f32)>,
    bytes: [Option<u32>; 256],
    unknown: Option<u32>,
    /// Whether a text begins as after a space.
    add_space_prefix: bool,
}

/// A part of the text that is a piece, or a character still.
struct Symbol {
    start: usize,
    /// No bytes: it was merged into the one before it.
    length: usize,
    previous: Option<usize>,
    next: Option<usize>,
}

/// Two neighbours that make a piece.
struct Candidate {
    score: f32,
    left: usize,
    right: usize,
    length: usize,
}

impl Ord for Candidate {
    /// The best score first, of equals the leftmost.
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.left.cmp(&self.left))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

impl SentencePiece {
    /// `pieces` are by id, as are the scores and kinds, of which there must be as many.
    pub(super) fn new(
        pieces: &[String],
        scores: &[f32],
        kinds: &[PieceKind],
        unknown: Option<u32>,
        add_space_prefix: bool,
    ) -> Self {
        let mut normal = HashMap::new();
        let mut bytes = [None; 256];
        for (((id, piece), score), kind) in (0_u32..).zip(pieces).zip(scores).zip(kinds) {
            match kind {
                PieceKind::Normal => {
                    normal.entry(piece.clone()).or_insert((id, *score));
                }
                PieceKind::Byte(byte) => bytes[usize::from(*byte)] = Some(id),
                PieceKind::Other => {}
            }
        }
        Self { pieces: pieces.to_vec(), normal, bytes, unknown, add_space_prefix }
    }

    /// The ids of a text, as SentencePiece gives them; without byte pieces and an unknown token,
    /// characters that have no piece are dropped.
    pub(super) fn encode(&self, text: &str) -> Vec<u32> {
        if text.is_empty() {
            return Vec::new();
        }
        let mut escaped = String::with_capacity(text.len() + 8);
        if self.add_space_prefix {
            escaped.push(SPACE);
        }
        escaped.extend(text.chars().map(|c| if c == ' ' { SPACE } else { c }));
        let symbols = self.merge(&escaped);
        let mut ids = Vec::new();
        let mut at = (!symbols.is_empty()).then_some(0);
        while let Some(symbol) = at.map(|i| &symbols[i]) {
            let piece = &escaped[symbol.start..][..symbol.length];
            match self.normal.get(piece) {
                Some((id, _)) => ids.push(*id),
                None => ids.extend(self.spell(piece)),
            }
            at = symbol.next;
        }
        ids
    }

    /// What has no piece: by its bytes, or as unknown where a byte has no piece either.
    fn spell(&self, text: &str) -> Vec<u32> {
        let bytes: Option<Vec<u32>> = text.bytes().map(|b| self.bytes[usize::from(b)]).collect();
        bytes.unwrap_or_else(|| self.unknown.into_iter().collect())
    }

    /// The text in symbols, linked from the first on, of which no two neighbours make a piece.
    fn merge(&self, text: &str) -> Vec<Symbol> {
        let mut symbols: Vec<Symbol> = text
            .char_indices()
            .enumerate()
            .map(|(i, (start, c))| Symbol {
                start,
                length: c.len_utf8(),
                previous: i.checked_sub(1),
                next: Some(i + 1),
            })
            .collect();
        if let Some(last) = symbols.last_mut() {
            last.next = None;
        }
        let candidate = |symbols: &[Symbol], left: Option<usize>, right: Option<usize>| {
            let (left, right) = (left?, right?);
            let length = symbols[left].length + symbols[right].length;
            let (_, score) = self.normal.get(&text[symbols[left].start..][..length])?;
            Some(Candidate { score: *score, left, right, length })
        };
        let mut heap = BinaryHeap::new();
        for right in 1..symbols.len() {
            heap.extend(candidate(&symbols, Some(right - 1), Some(right)));
        }
        while let Some(Candidate { left, right, length, .. }) = heap.pop() {
            let (l, r) = (symbols[left].length, symbols[right].length);
            // One of the two has been merged since.
            if l == 0 || r == 0 || l + r != length {
                continue;
            }
            let next = symbols[right].next;
            symbols[right].length = 0;
            symbols[left].length = length;
            symbols[left].next = next;
            if let Some(next) = next {
                symbols[next].previous = Some(left);
            }
            heap.extend(candidate(&symbols, symbols[left].previous, Some(left)));
            heap.extend(candidate(&symbols, Some(left), next));
        }
        symbols
    }

    /// The text of these ids; unknown ids are left out.
    pub(super) fn decode(&self, ids: &[u32]) -> String {
        let pieces = ids.iter().filter_map(|id| self.pieces.get(*id as usize));
        join_pieces(pieces, self.add_space_prefix)
    }
}

/// Pieces as text: bytes as they are spelt, invalid UTF-8 replaced; `strip` takes away the space
/// that a text begins with. Bytes that are still to be completed are one replacement character at
/// the end, so that text that grows token by token only changes there.
pub(super) fn join_pieces(pieces: impl Iterator<Item = impl AsRef<str>>, strip: bool) -> String {
    let mut bytes = Vec::new();
    for piece in pieces {
        let piece = piece.as_ref();
        match spelt_byte(piece) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(piece.replace(SPACE, " ").into_bytes()),
        }
    }
    let text = if strip { bytes.strip_prefix(b" ").unwrap_or(&bytes) } else { &bytes };
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(add_space_prefix: bool) -> SentencePiece {
        let pieces =
            ["<unk>", "</s>", "<0xC3>", "<0xA9>", "▁", "a", "b", "ab", "▁a", "<", "/", "s"];
        let pieces = pieces.map(str::to_owned);
        let kinds = [2, 3, 6, 6, 1, 1, 1, 1, 1, 1, 1, 1];
        let kinds: Vec<_> =
            kinds.iter().zip(&pieces).map(|(kind, piece)| PieceKind::new(*kind, piece)).collect();
        let scores = [0.0, 0.0, 0.0, 0.0, -9.0, -9.0, -9.0, -2.0, -1.0, -9.0, -9.0, -9.0];
        SentencePiece::new(&pieces, &scores, &kinds, Some(0), add_space_prefix)
    }

    #[test]
    fn the_best_pair_is_merged_first_and_the_leftmost_of_equals() {
        let spm = vocabulary(false);
        assert_eq!(spm.encode("abab"), [7, 7]);
        assert_eq!(spm.encode(" abab"), [8, 6, 7], "▁a is better than ab");
        assert_eq!(vocabulary(true).encode("ab  ab"), [8, 6, 4, 8, 6]);
        assert_eq!(spm.encode(""), Vec::<u32>::new());
        assert_eq!(vocabulary(true).encode(""), Vec::<u32>::new());
    }

    #[test]
    fn what_has_no_piece_is_spelt_in_bytes_or_unknown() {
        let spm = vocabulary(false);
        assert_eq!(spm.encode("aéa"), [5, 2, 3, 5]);
        assert_eq!(spm.encode("a€"), [5, 0]);
    }

    #[test]
    fn no_text_becomes_a_control_token_or_the_byte_it_spells() {
        let spm = vocabulary(false);
        assert_eq!(spm.encode("</s>"), [9, 10, 11, 0]);
        assert_eq!(spm.encode("<0xC3>"), [9, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn text_that_grows_changes_at_its_end_only() {
        let spm = vocabulary(true);
        assert_eq!(spm.decode(&[8, 2]), "a\u{fffd}");
        assert_eq!(spm.decode(&[8, 2, 3]), "aé");
        assert_eq!(spm.decode(&[8, 2, 3, 2]), "aé\u{fffd}");
        assert_eq!(spm.decode(&[8, 99, 8]), "a a");
        assert_eq!(spelt_byte("<0x+1>"), None);
    }
}

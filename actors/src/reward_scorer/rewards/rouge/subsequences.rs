//! The words on the walks back through the longest common subsequences of sentences.
//!
//! One pass of bit-parallel rows does all sentences of the reference at once. The walk back needs
//! every row of the table, last row first. So as not to hold them all, the pass keeps every
//! [`BLOCK`]-th row, from which the rows of a block are made again when the walks come to it.

use crate::reward_scorer::effort::Effort;
use crate::reward_scorer::rewards::rouge::MAX_WORDS;

/// Rows that are held at a time; at most as many blocks have their first row kept. As the square
/// root of [`MAX_WORDS`] it makes the two equal, and each of them a few bytes a word.
const BLOCK: usize = MAX_WORDS.isqrt();

/// Words, each of which counts once.
pub(super) struct Found {
    is_found: Vec<bool>,
    count: usize,
}

impl Found {
    /// None yet, of words with numbers below `words`.
    pub(super) fn among(words: usize) -> Self {
        Self { is_found: vec![false; words], count: 0 }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn insert(&mut self, word: u32) {
        if let Some(is_found) = self.is_found.get_mut(word as usize) {
            self.count += usize::from(!*is_found);
            *is_found = true;
        }
    }
}

/// Every sentence of one text as the columns of a single dynamic program: one bit a word, and
/// after each sentence a bit that is always 0, where the carry of its addition ends.
pub(super) struct Columns<'a> {
    /// Each sentence with the column of its first word.
    sentences: Vec<(usize, &'a [u32])>,
    /// Which sentence each column is of.
    owners: Vec<usize>,
    /// Bits that stand for a word.
    used: Vec<u64>,
    /// The columns where each word stands, word by word: machine words of a row that have such
    /// columns, in order, each with their bits.
    places: Vec<Place>,
    /// Where the places of each number of a word begin, and where the last ones end.
    starts: Vec<usize>,
}

/// Columns of a word within a machine word of a row.
struct Place {
    word: u32,
    at: usize,
    bits: u64,
}

impl<'a> Columns<'a> {
    /// The numbers of the words lie below `words`.
    pub(super) fn of(sentences: &[&'a [u32]], words: usize) -> Self {
        let bits: usize = sentences.iter().map(|sentence| sentence.len() + 1).sum();
        let mut columns = Self {
            sentences: Vec::with_capacity(sentences.len()),
            owners: Vec::with_capacity(bits),
            used: vec![0; bits.div_ceil(64)],
            places: Vec::with_capacity(bits),
            starts: Vec::new(),
        };
        for (owner, &sentence) in sentences.iter().enumerate() {
            columns.sentences.push((columns.owners.len(), sentence));
            for &word in sentence {
                let (at, bits) = (columns.owners.len() / 64, 1 << (columns.owners.len() % 64));
                columns.used[at] |= bits;
                columns.places.push(Place { word, at, bits });
                columns.owners.push(owner);
            }
            columns.owners.push(owner);
        }
        columns.sort_places(words);
        columns
    }

    fn sort_places(&mut self, words: usize) {
        // In each word's places the columns stay in order.
        self.places.sort_by_key(|place| place.word);
        self.places.dedup_by(|next, place| {
            let same = (next.word, next.at) == (place.word, place.at);
            place.bits |= if same { next.bits } else { 0 };
            same
        });
        let start = |word| self.places.partition_point(|place| (place.word as usize) < word);
        self.starts = (0..=words).map(start).collect();
    }

    fn places_of(&self, word: u32) -> &[Place] {
        let word = word as usize;
        match self.starts.get(word..word + 2) {
            Some(&[start, end]) => &self.places[start..end],
            _ => &[], // a word that no column holds
        }
    }

    /// Adds to `found` the words of the longest common subsequence of `sentence` with each of the
    /// columns' sentences.
    ///
    /// A bit of row `i` is 0 where the subsequence of the first `i` words grows at that column
    /// (Hyyrö's recurrence). That is all the walk back needs: the package goes up a row rather
    /// than left a column exactly where it grows.
    pub(super) fn collect_subsequences(
        &self,
        sentence: &[u32],
        found: &mut Found,
        effort: &Effort,
    ) {
        // Each row is made twice at most.
        effort.spend(2 * sentence.len() * self.used.len());
        let mut blocks = sentence.chunks(BLOCK);
        let Some(mut words) = blocks.next_back() else { return };
        let mut row = self.used.clone();
        let mut kept = Vec::new();
        for words in blocks {
            kept.push((words, row.clone()));
            words.iter().for_each(|&word| self.advance(&mut row, word));
        }
        let mut rows = Vec::new();
        self.fill(&mut rows, &mut row, words);
        let mut walks = self.walks(&row);
        effort.spend(walks.iter().map(|walk| sentence.len() + walk.left).sum());
        loop {
            walks.iter_mut().for_each(|walk| walk.go_back(words, &rows, found));
            walks.retain(|walk| walk.left > 0);
            match kept.pop() {
                Some((earlier, mut row)) if !walks.is_empty() => {
                    words = earlier;
                    self.fill(&mut rows, &mut row, words);
                }
                _ => break,
            }
        }
    }

    /// A walk for each sentence that has a subsequence in common, by the last row.
    fn walks(&self, last: &[u64]) -> Vec<Walk<'a>> {
        let mut walks = Vec::new();
        let mut begun = 0;
        for (at, (bits, used)) in last.iter().zip(&self.used).enumerate() {
            let mut grows = used & !bits;
            while grows != 0 {
                let owner = self.owners[at * 64 + grows.trailing_zeros() as usize];
                if owner >= begun {
                    let (first, words) = self.sentences[owner];
                    walks.push(Walk { first, words, left: words.len(), width: last.len() });
                    begun = owner + 1;
                }
                grows &= grows - 1;
            }
        }
        walks
    }

    /// Makes `rows` those after each of the words.
    fn fill(&self, rows: &mut Vec<u64>, row: &mut [u64], words: &[u32]) {
        rows.clear();
        for &word in words {
            self.advance(row, word);
            rows.extend_from_slice(row);
        }
    }

    /// Makes of a row the one after a further word. Machine words without a column of that word
    /// change only by a carry.
    fn advance(&self, row: &mut [u64], word: u32) {
        let mut carry = false;
        let mut next = 0;
        for place in self.places_of(word) {
            while carry && next < place.at {
                carry = self.add(row, next, 0, carry);
                next += 1;
            }
            carry = self.add(row, place.at, place.bits, carry);
            next = place.at + 1;
        }
        while carry && next < row.len() {
            carry = self.add(row, next, 0, carry);
            next += 1;
        }
    }

    fn add(&self, row: &mut [u64], at: usize, places: u64, carry: bool) -> bool {
        let bits = row[at];
        let (sum, over) = bits.overflowing_add(bits & places);
        let (sum, again) = sum.overflowing_add(u64::from(carry));
        row[at] = (sum | (bits & !places)) & self.used[at];
        over || again
    }
}

/// The way back through the table of two sentences.
struct Walk<'a> {
    /// The column of the first word.
    first: usize,
    words: &'a [u32],
    /// Columns that lie ahead.
    left: usize,
    /// Machine words of a row.
    width: usize,
}

impl Walk<'_> {
    /// Goes back through the rows after each of `words`.
    fn go_back(&mut self, words: &[u32], rows: &[u64], found: &mut Found) {
        let mut above = words.len();
        while above > 0 && self.left > 0 {
            let word = words[above - 1];
            if word == self.words[self.left - 1] {
                found.insert(word);
                above -= 1;
                self.left -= 1;
            } else if self.grows(rows, above - 1) {
                above -= 1;
            } else {
                self.left -= 1;
            }
        }
    }

    fn grows(&self, rows: &[u64], row: usize) -> bool {
        let column = self.first + self.left - 1;
        rows[row * self.width + column / 64] & (1 << (column % 64)) == 0
    }
}

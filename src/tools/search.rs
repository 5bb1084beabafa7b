//! Ranked text search over a few documents in memory: BM25 on weighted terms.
//!
//! The weights stand for a term's place (a term of the title counts as several of the text). Phrases,
//! synonyms and other languages are left out.

use std::collections::{BTreeSet, HashMap};

use sn1_actors::text::terms::terms;

/// How fast repetitions of a term stop to count (the usual value).
const SATURATION: f64 = 1.2;
/// How much long documents are held back (the usual value).
const LENGTH_PENALTY: f64 = 0.75;
/// A query is a question, not a document: terms after so many are not looked up.
const QUERY_TERMS: usize = 256;

/// Documents by term.
pub struct Index {
    postings: HashMap<String, Vec<Posting>>,
    /// Summed term weights of each document.
    lengths: Vec<f64>,
}

struct Posting {
    document: usize,
    weight: f64,
}

impl Index {
    /// Indexes documents, each given as texts with the weight of their terms.
    #[must_use]
    pub fn new(documents: &[Vec<(f64, &str)>]) -> Self {
        let mut index = Self { postings: HashMap::new(), lengths: Vec::new() };
        for (document, texts) in documents.iter().enumerate() {
            let mut length = 0.0;
            for (weight, text) in texts {
                for term in terms(text) {
                    length += weight;
                    let postings = index.postings.entry(term).or_default();
                    match postings.last_mut() {
                        Some(last) if last.document == document => last.weight += weight,
                        _ => postings.push(Posting { document, weight: *weight }),
                    }
                }
            }
            index.lengths.push(length);
        }
        index
    }

    /// The document that fits a query best, the first of equals; `None` if no term is in any.
    #[must_use]
    pub fn best(&self, query: &str) -> Option<usize> {
        let count = self.lengths.len() as f64;
        let mean_length = self.lengths.iter().sum::<f64>() / count;
        let mut scores = vec![0.0; self.lengths.len()];
        // In the order of a set, so that sums of floats come out the same each time.
        for term in terms(query).take(QUERY_TERMS).collect::<BTreeSet<_>>() {
            let Some(postings) = self.postings.get(&term) else { continue };
            let holders = postings.len() as f64;
            let rarity = (1.0 + (count - holders + 0.5) / (holders + 0.5)).ln();
            for Posting { document, weight } in postings {
                let (Some(score), Some(length)) =
                    (scores.get_mut(*document), self.lengths.get(*document))
                else {
                    continue;
                };
                let relative = 1.0 - LENGTH_PENALTY + LENGTH_PENALTY * length / mean_length;
                *score += rarity * weight * (SATURATION + 1.0) / (weight + SATURATION * relative);
            }
        }
        let mut best = None;
        let mut best_score = 0.0;
        for (document, score) in scores.into_iter().enumerate() {
            if score > best_score {
                (best, best_score) = (Some(document), score);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        Index::new(&[
            vec![(5.0, "Glaciers"), (1.0, "Ice that flows down a mountain, slowly, past a river.")],
            vec![(5.0, "Nile"), (1.0, "A river in Africa. The river floods. Mountain rain.")],
            vec![(5.0, "Twin"), (1.0, "The same words.")],
            vec![(5.0, "Twin"), (1.0, "The same words.")],
        ])
    }

    #[test]
    fn finds_by_title_by_text_and_across_plural_and_case() {
        assert_eq!(index().best("What is a GLACIER?"), Some(0));
        assert_eq!(index().best("How do rivers flood?"), Some(1));
        assert_eq!(index().best("tell me about ice"), Some(0));
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(index().best("same words"), Some(2));
    }

    #[test]
    fn finds_nothing_where_nothing_matches() {
        for query in ["", "What is it about?", "volcano", "?!", "\u{0}é漢字"] {
            assert_eq!(index().best(query), None, "{query:?}");
        }
        assert_eq!(Index::new(&[]).best("ice"), None);
    }

    #[test]
    fn reads_only_the_beginning_of_a_huge_query() {
        let filler = "漢字 ".repeat(QUERY_TERMS);
        assert_eq!(index().best(&format!("{filler} ice")), None);
        assert_eq!(index().best(&format!("ice {filler}")), Some(0));
    }
}

//! Mnemonics: twelve to twenty-four English words that stand for a key.
//!
//! Substrate stretches the words' entropy, not the words as BIP-39 says, so the same words make
//! another key here than in a Bitcoin wallet.

use std::fmt;

use bip39::{Language, Mnemonic};
use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

use super::error::WalletError;

/// How many words a mnemonic may have.
pub const WORD_COUNTS: &[usize] = &[12, 15, 18, 21, 24];

/// Rounds of PBKDF2, as BIP-39 has them.
const ROUNDS: u32 = 2048;
/// What BIP-39 puts before a passphrase; Bittensor has none.
const SALT: &[u8] = b"mnemonic";
/// The longest mnemonic has 24 words of 8 letters.
const LONGEST: usize = 1_000;

/// Why words are no mnemonic. The words themselves are not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// So many words are never one.
    #[error("a mnemonic has 12, 15, 18, 21 or 24 words, not {0}")]
    Count(usize),
    /// A word, counted from 1, is not in the list.
    #[error("word {0} of the mnemonic is not in the English BIP-39 list; check its spelling")]
    Word(usize),
    /// A word was swapped for another.
    #[error("the words are no mnemonic: their checksum is wrong; check words and order")]
    Checksum,
}

/// A mnemonic. It is wiped when dropped and shows nothing in `Debug`.
pub struct Phrase(Mnemonic);

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(hidden)")
    }
}

impl Phrase {
    /// New words, drawn by the operating system.
    ///
    /// # Errors
    /// [`WalletError::Random`] when it gives none; [`WalletError::Phrase`] for a count that is not
    /// in [`WORD_COUNTS`].
    pub fn generate(words: usize) -> Result<Self, WalletError> {
        if !WORD_COUNTS.contains(&words) {
            return Err(PhraseError::Count(words).into());
        }
        // Three words hold 32 bits, of which one in 33 is checksum.
        let mut entropy = Zeroizing::new(vec![0; words / 3 * 4]);
        getrandom::fill(&mut entropy).map_err(WalletError::Random)?;
        let phrase = Mnemonic::from_entropy_in(Language::English, &entropy);
        Ok(Self(phrase.map_err(|_| PhraseError::Count(words))?))
    }

    /// Reads words. Capitals and the blanks between words do not matter.
    ///
    /// # Errors
    /// [`PhraseError`] when they are no mnemonic.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let count = text.split_whitespace().count();
        if text.len() > LONGEST {
            return Err(PhraseError::Count(count));
        }
        let words = Zeroizing::new(text.to_lowercase());
        let phrase = Mnemonic::parse_in_normalized(Language::English, &words);
        phrase.map(Self).map_err(|error| match error {
            bip39::Error::UnknownWord(at) => PhraseError::Word(at + 1),
            bip39::Error::InvalidChecksum => PhraseError::Checksum,
            _ => PhraseError::Count(count),
        })
    }

    /// The words, one blank between them.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        let mut words = Zeroizing::new(String::with_capacity(24 * 9));
        for word in self.0.words() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        words
    }

    /// The mini secret of the key, as `secretSeed` in a key file.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        let (mut entropy, length) = self.0.to_entropy_array();
        let mut stretched = Zeroizing::new([0; 64]);
        let used = entropy.get(..length).unwrap_or_default();
        pbkdf2::pbkdf2_hmac::<Sha512>(used, SALT, ROUNDS, stretched.as_mut());
        entropy.zeroize();
        let mut seed = Zeroizing::new([0; 32]);
        seed.iter_mut().zip(stretched.iter()).for_each(|(to, from)| *to = *from);
        seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEGAL: &str =
        "legal winner thank year wave sausage worth useful legal winner thank yellow";

    #[test]
    fn makes_the_seeds_that_the_python_wallet_makes() {
        let abandon = format!("{}about", "abandon ".repeat(11));
        for (words, seed) in [
            (&*abandon, "4ed8d4b17698ddeaa1f1559f152f87b5d472f725ca86d341bd0276f1b61197e2"),
            (LEGAL, "6fa2796b0071cac425d8a7851038318c2c37dcebfe4bae73197ce93e75909bd2"),
        ] {
            assert_eq!(hex::encode(*Phrase::parse(words).unwrap().seed()), seed, "{words}");
        }
    }

    #[test]
    fn reads_words_as_people_write_them() {
        let written = format!("  {}\n", LEGAL.to_uppercase().replace(' ', "  "));
        assert_eq!(Phrase::parse(&written).unwrap().words().as_str(), LEGAL);
    }

    #[test]
    fn says_what_is_wrong_without_repeating_a_word() {
        let refused = |words: &str| Phrase::parse(words).unwrap_err();
        assert_eq!(refused(""), PhraseError::Count(0));
        assert_eq!(refused(&"abandon ".repeat(11)), PhraseError::Count(11));
        assert_eq!(refused(&"abandon ".repeat(9_999)), PhraseError::Count(9_999));
        assert_eq!(refused(&"abandon ".repeat(12)), PhraseError::Checksum);
        assert_eq!(refused(&LEGAL.replace("year", "yeer")), PhraseError::Word(4));
    }

    #[test]
    fn draws_other_words_each_time_in_every_length() {
        for count in WORD_COUNTS {
            let (one, two) = (Phrase::generate(*count).unwrap(), Phrase::generate(*count).unwrap());
            assert_eq!(one.words().split(' ').count(), *count);
            assert_ne!(one.words(), two.words());
            assert_eq!(*Phrase::parse(&one.words()).unwrap().seed(), *one.seed());
        }
        assert!(Phrase::generate(13).is_err());
    }

    #[test]
    fn shows_no_word() {
        assert_eq!(format!("{:?}", Phrase::parse(LEGAL).unwrap()), "Phrase(hidden)");
    }
}

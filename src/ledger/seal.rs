//! The text of a score book: a line that says what follows and its checksum, and the book as a line
//! of JSON. Both lines are JSON, so that `jq` reads the file.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sn1_actors::ports::ScoreBook;

/// What this program writes. Older ones are read too.
pub const SCHEMA: u32 = 2;
const KIND: &str = "sn1 score book";

/// Why a text is no book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    /// It was a book, perhaps.
    #[error("damaged: {0}")]
    Damaged(String),
    /// Another program's, and whole.
    #[error("of schema {0}, and this sn1 knows none above {SCHEMA}: update sn1")]
    TooNew(u32),
    /// The file cannot be read.
    #[error("not readable: {0}")]
    Unreadable(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    kind: String,
    schema: u32,
    /// Length of the second line without its end.
    bytes: usize,
    /// Of the second line without its end, in hex.
    sha256: String,
}

/// The text of a book.
pub(super) fn seal(book: &ScoreBook) -> serde_json::Result<Vec<u8>> {
    let body = serde_json::to_vec(book)?;
    let header = Header {
        kind: KIND.to_owned(),
        schema: SCHEMA,
        bytes: body.len(),
        sha256: hex::encode(Sha256::digest(&body)),
    };
    let mut text = serde_json::to_vec(&header)?;
    text.push(b'\n');
    text.extend(body);
    text.push(b'\n');
    Ok(text)
}

/// The book of a text.
pub(super) fn unseal(text: &[u8]) -> Result<ScoreBook, Unusable> {
    let damaged = |what: &str| Unusable::Damaged(what.to_owned());
    let end = text.iter().position(|byte| *byte == b'\n');
    let (header, rest) = text.split_at(end.ok_or_else(|| damaged("it has no first line"))?);
    let header: Header =
        serde_json::from_slice(header).map_err(|_| damaged("its first line is no header"))?;
    if header.kind != KIND {
        return Err(damaged("its first line is another file's"));
    }
    let body = rest
        .strip_prefix(b"\n")
        .and_then(|body| body.strip_suffix(b"\n"))
        .filter(|body| body.len() == header.bytes)
        .ok_or_else(|| damaged("it is cut off"))?;
    if hex::encode(Sha256::digest(body)) != header.sha256 {
        return Err(damaged("its checksum is wrong"));
    }
    if header.schema > SCHEMA {
        return Err(Unusable::TooNew(header.schema));
    }
    serde_json::from_slice(body).map_err(|error| Unusable::Damaged(error.to_string()))
}

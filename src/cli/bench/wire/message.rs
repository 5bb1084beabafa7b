//! HTTP messages with a body of known length, read without looking at more than has to be.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest message that is read, in bytes.
const MAX: usize = 1 << 20;
/// How much is asked for at a time, in bytes.
const CHUNK: usize = 16 << 10;

/// What was read from one end of a connection and is not used yet.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    /// The length of the message that was given last; it is still at the front.
    used: usize,
}

impl Inbox {
    /// The head of the next message, once all of it is there. `None` if the peer hung up between
    /// two messages.
    pub(super) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<&[u8]>> {
        self.bytes.drain(..self.used);
        self.used = 0;
        loop {
            if let Some(head) = head_length(&self.bytes) {
                let body = body_length(&self.bytes[..head]).filter(|length| *length <= MAX);
                let body = body.ok_or(io::ErrorKind::InvalidData)?;
                if self.bytes.len() >= head + body {
                    self.used = head + body;
                    return Ok(Some(&self.bytes[..head]));
                }
            }
            if self.bytes.len() > MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.bytes.reserve(CHUNK);
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return if self.bytes.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }
}

/// The length of the head with its empty line.
fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The length that a head names for the body; 0 if it names none, nothing if it is no number.
fn body_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let named = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    });
    let Some(named) = named else { return Some(0) };
    std::str::from_utf8(named).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn heads(mut said: &[u8]) -> Vec<Result<String, io::ErrorKind>> {
        let mut inbox = Inbox::default();
        let mut heads = Vec::new();
        loop {
            match inbox.next(&mut said).await {
                Ok(Some(head)) => heads.push(Ok(String::from_utf8(head.to_vec()).unwrap())),
                Ok(None) => return heads,
                Err(error) => {
                    heads.push(Err(error.kind()));
                    return heads;
                }
            }
        }
    }

    #[tokio::test]
    async fn finds_each_head_whatever_is_in_the_bodies() {
        let said =
            b"A\r\nContent-Length: 6\r\n\r\nB\r\n\r\nxC\r\n\r\nD\r\ncontent-length:1\r\n\r\ny";
        let expected =
            ["A\r\nContent-Length: 6\r\n\r\n", "C\r\n\r\n", "D\r\ncontent-length:1\r\n\r\n"];
        assert_eq!(heads(said).await, expected.map(|head| Ok(head.to_owned())));
    }

    #[tokio::test]
    async fn refuses_what_ends_early_or_would_never_end() {
        let early = heads(b"A\r\ncontent-length: 9\r\n\r\nshort").await;
        assert_eq!(early, [Err(io::ErrorKind::UnexpectedEof)]);
        for length in ["-1", "many", "99999999999"] {
            let said = format!("A\r\ncontent-length: {length}\r\n\r\n");
            assert_eq!(heads(said.as_bytes()).await, [Err(io::ErrorKind::InvalidData)], "{length}");
        }
        assert_eq!(heads(&vec![b'x'; MAX + 1]).await, [Err(io::ErrorKind::InvalidData)]);
    }
}

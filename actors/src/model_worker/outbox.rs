//! The pieces of a text on their way to someone who reads slower than they are written, or not at
//! all. It never waits. Only ModelWorker uses it.

use tokio::sync::mpsc::{OwnedPermit, Sender};

/// The way to one reader.
#[derive(Debug)]
pub struct Outbox {
    sender: Sender<String>,
    /// A place for the last piece, so that the pieces are always the whole text.
    last: Option<OwnedPermit<String>>,
    pending: String,
}

impl Outbox {
    /// Keeps one of the channel's places for the last piece; the others are for those before.
    #[must_use]
    pub fn new(sender: Sender<String>) -> Self {
        let last = sender.clone().try_reserve_owned().ok();
        Self { sender, last, pending: String::new() }
    }

    /// Sends a piece; one that finds no place goes along with the next.
    pub fn offer(&mut self, piece: &str) {
        self.pending.push_str(piece);
        if self.pending.is_empty() {
            return;
        }
        if let Ok(place) = self.sender.try_reserve() {
            place.send(std::mem::take(&mut self.pending));
        }
    }

    /// Sends the last piece.
    pub fn finish(mut self, piece: &str) {
        self.pending.push_str(piece);
        if let Some(last) = self.last.filter(|_| !self.pending.is_empty()) {
            last.send(self.pending);
        }
    }

    /// Whether the reader is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    #[test]
    fn a_reader_that_sleeps_gets_everything_in_fewer_pieces() {
        for places in [1, 2, 3, 9] {
            let (sender, mut reader) = mpsc::channel(places);
            let mut outbox = Outbox::new(sender);
            ["a", "b", "", "c", "d"].into_iter().for_each(|piece| outbox.offer(piece));
            outbox.finish("e");
            let pieces: Vec<String> = std::iter::from_fn(|| reader.try_recv().ok()).collect();
            assert_eq!((pieces.len(), pieces.concat().as_str()), (places.min(5), "abcde"));
        }
    }

    #[test]
    fn a_reader_that_left_is_noticed() {
        let (sender, reader) = mpsc::channel(4);
        let mut outbox = Outbox::new(sender);
        assert!(!outbox.is_closed());
        drop(reader);
        outbox.offer("a");
        assert!(outbox.is_closed());
        outbox.finish("b");
    }
}

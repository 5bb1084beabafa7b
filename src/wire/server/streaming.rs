//! An answer that is sent while it is written (wire.md §9): raw text, no frames, no trailer.

use actix_web::web::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{Stream, stream};
use sn1_actors::ports::Piece;
use tokio::sync::mpsc;

use super::Refusal;
use crate::connections::Busy;

/// How many pieces wait for a caller that reads slower than is written; then they grow together.
const PIECES: usize = 16;

/// Where the pieces of an answer go.
pub(super) fn channel() -> (mpsc::Sender<Piece>, mpsc::Receiver<Piece>) {
    mpsc::channel(PIECES)
}

/// An answer under way. Dropped, it is given up.
pub(super) struct Answering {
    answer: BoxFuture<'static, Result<String, Refusal>>,
    pieces: mpsc::Receiver<Piece>,
    /// Bytes of the answer that were sent.
    sent: usize,
    ended: bool,
}

impl Answering {
    pub(super) fn new(
        answer: BoxFuture<'static, Result<String, Refusal>>,
        pieces: mpsc::Receiver<Piece>,
    ) -> Self {
        Self { answer, pieces, sent: 0, ended: false }
    }

    /// The next text to send; nothing at the end.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, Refusal>> {
        if self.ended {
            return None;
        }
        tokio::select! {
            biased;
            Some(piece) = self.pieces.recv() => {
                self.sent += piece.len();
                Some(Ok(piece.into()))
            }
            answer = &mut self.answer => {
                self.ended = true;
                match answer {
                    // The pieces still in the channel are in here too.
                    Ok(text) => {
                        let rest = text.get(self.sent..).unwrap_or_default();
                        (!rest.is_empty()).then(|| Ok(Bytes::copy_from_slice(rest.as_bytes())))
                    }
                    Err(refusal) => Some(Err(refusal)),
                }
            }
        }
    }

    /// What follows `first`. A refusal becomes an error, at which the server cuts the connection:
    /// the status has been sent, and an end in good order would pass for the whole answer.
    /// `busy` says until the end that the connection is in use.
    pub(super) fn from(
        self,
        first: Option<Bytes>,
        busy: Option<Busy>,
    ) -> impl Stream<Item = Result<Bytes, CutOff>> {
        stream::unfold((first, self, busy), |(first, mut answering, busy)| async move {
            let next = match first {
                Some(first) => Ok(first),
                None => answering.next().await?.map_err(CutOff),
            };
            Some((next, (None, answering, busy)))
        })
    }
}

/// The answer failed after its beginning was sent.
#[derive(Debug, thiserror::Error)]
#[error("{} {}", .0.status, .0.message)]
pub(super) struct CutOff(Refusal);

//! The metagraph as it was seen last, on disk: a miner that is started while its chain is away knows
//! its callers all the same.
//!
//! Only `sn1 miner` uses it. A validator does without: what it pays must not rest on an old subnet.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sn1_actors::domain::{Metagraph, Netuid};
use sn1_actors::runtime::Overseer;
use tokio::sync::watch;

use super::unix_time;
use crate::whole_file;

/// A subnet has some hundreds of neurons, each of less than a thousand bytes.
const LARGEST: u64 = 16 << 20;

/// The file, and which network it is about.
#[derive(Clone, Debug)]
pub struct LastSeen {
    path: PathBuf,
    network: String,
    netuid: Netuid,
}

/// What is in it.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    network: String,
    /// Seconds since the Unix epoch.
    time: u64,
    metagraph: Metagraph,
}

impl LastSeen {
    /// The file of a neuron whose state is in `folder`.
    #[must_use]
    pub fn of(folder: &Path, network: &str, netuid: Netuid) -> Self {
        Self { path: folder.join("metagraph.json"), network: network.to_owned(), netuid }
    }

    /// The metagraph that was kept, and how old it is; none where there is none of this subnet. One
    /// that cannot be read is no more than a warning: the chain has it.
    #[must_use]
    pub fn read(&self) -> Option<(Metagraph, Duration)> {
        let kept = match read(&self.path) {
            Ok(kept) => kept?,
            Err(cause) => {
                tracing::warn!(file = %self.path.display(), %cause,
                    "the metagraph that was kept cannot be used");
                return None;
            }
        };
        let Kept { network, time, metagraph } = kept;
        let age = unix_time().saturating_sub(Duration::from_secs(time));
        let ours = network == self.network && metagraph.netuid == self.netuid;
        (ours && !metagraph.neurons.is_empty()).then_some((metagraph, age))
    }

    /// Hands on every metagraph that is `seen`, and keeps it.
    pub fn keep(
        self,
        overseer: &Overseer,
        mut seen: watch::Receiver<Arc<Metagraph>>,
        known: watch::Sender<Arc<Metagraph>>,
    ) {
        overseer.tasks().spawn("last_seen", async move {
            while seen.changed().await.is_ok() {
                let metagraph = Arc::clone(&seen.borrow_and_update());
                known.send_replace(Arc::clone(&metagraph));
                let file = self.clone();
                let writing = tokio::task::spawn_blocking(move || file.write(&metagraph));
                if let Ok(Err(cause)) = writing.await {
                    tracing::warn!(file = %self.path.display(), %cause,
                        "the metagraph cannot be kept for a start without the chain");
                }
            }
        });
    }

    /// Whole or not at all: a crash leaves the one before.
    fn write(&self, metagraph: &Metagraph) -> io::Result<()> {
        let (network, metagraph) = (self.network.clone(), metagraph.clone());
        let kept = Kept { network, time: unix_time().as_secs(), metagraph };
        whole_file::replace(&self.path, &serde_json::to_vec(&kept)?)
    }
}

fn read(path: &Path) -> io::Result<Option<Kept>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}

#[cfg(test)]
mod tests {
    use sn1_actors::ports::Chain;
    use sn1_actors::testkit::{FakeChain, Stage};

    use super::*;

    #[test]
    fn what_was_seen_is_known_after_a_restart_on_the_same_subnet_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep");
        let file = |network: &str, netuid| LastSeen::of(&path, network, Netuid(netuid));
        assert!(file("test", 1).read().is_none());
        let kept = path.clone();
        Stage::play(async move |stage: Stage| {
            let metagraph = FakeChain::new(Arc::clone(&stage.clock), 3).metagraph().await.unwrap();
            LastSeen::of(&kept, "test", Netuid(1)).write(&metagraph).unwrap();
        });
        let (metagraph, age) = file("test", 1).read().unwrap();
        assert_eq!(metagraph.neurons.len(), 4);
        assert!(age < Duration::from_secs(3_600), "{age:?}");
        assert!(file("finney", 1).read().is_none() && file("test", 2).read().is_none());
        let kept = std::fs::read(path.join("metagraph.json")).unwrap();
        for (at, _) in kept.iter().enumerate() {
            std::fs::write(path.join("metagraph.json"), &kept[..at]).unwrap();
            assert!(file("test", 1).read().is_none(), "cut off at {at}");
        }
        // What still has its form after a bit was flipped cannot be told from a metagraph; the chain
        // replaces it as soon as it is there.
        for bit in (0..8 * kept.len()).step_by(7) {
            let mut flipped = kept.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(path.join("metagraph.json"), &flipped).unwrap();
            let read = file("test", 1).read();
            assert!(read.is_none_or(|(metagraph, _)| metagraph.neurons.len() == 4), "bit {bit}");
        }
    }
}

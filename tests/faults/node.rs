//! A node that a test writes the script of: it speaks a node's JSON-RPC on a port of this machine,
//! keeps a chain with a small subtensor on it, and has the faults that the test gives it.
//!
//! It runs on a thread and a runtime of its own, so that a test may stop or speed up its own clock.
//! Blocks come when the test says so. Signatures, nonces, eras and versions are checked as a node
//! checks them: bytes that were signed for another runtime are refused, and a transaction is in one
//! block at most. What it leaves out: fees, stake that earns, consensus, runtime APIs but those that
//! every client needs, and proofs.

mod execution;
mod extrinsic;
mod faults;
mod layout;
mod metadata;
mod rpc;
mod server;
mod storage;
mod subnet;
mod types;
mod world;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) use faults::{Cut, Door, Faults, MetadataFault, Scripted};
pub(crate) use layout::{Layout, errors};
pub(crate) use subnet::{Account, AccountState, Axon, Neuron, Subnet, Weights};
pub(crate) use world::{Orphans, World};

use metadata::Runtime;
use server::{Shared, serve};

/// How long a test waits for what must happen, before it is called hung.
pub(crate) const HUNG: Duration = Duration::from_secs(60);

/// A running node; it ends when it is dropped.
pub(crate) struct Node {
    url: String,
    shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    /// Starts a node with a subnet, in the first layout.
    #[must_use]
    pub(crate) fn start(subnet: Subnet) -> Self {
        Self::start_with(subnet, Layout::first())
    }

    /// Starts a node with a subnet in a layout; its genesis is final.
    #[must_use]
    pub(crate) fn start_with(subnet: Subnet, layout: Layout) -> Self {
        let shared = Shared::new(World::new(subnet, Runtime::new(layout)));
        let (end, ended) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("scripted-node".to_owned());
        let thread = thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, served, ended).await;
            });
        });
        let url = format!("ws://{}", address.recv().unwrap());
        Self { url, shared, end: Some(end), thread: Some(thread.unwrap()) }
    }

    /// Where it is.
    #[must_use]
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Makes a block of what is in the pool; it is final at once unless finality is frozen.
    pub(crate) fn grow(&self) {
        self.shared.change(World::grow);
    }

    /// Makes so many blocks.
    pub(crate) fn grow_by(&self, blocks: u32) {
        for _ in 0..blocks {
            self.grow();
        }
    }

    /// Makes all blocks final that are there.
    pub(crate) fn finalize(&self) {
        self.shared.change(World::finalize);
    }

    /// Undoes the newest blocks, none of them final: as many empty ones and one more take their
    /// place.
    pub(crate) fn fork(&self, depth: usize, orphans: Orphans) {
        self.shared.change(|world| world.fork(depth, orphans));
    }

    /// Changes what the chain holds, in the next block.
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Subnet) + Send + 'static) {
        self.shared.change(|world| world.edit(Box::new(edit)));
    }

    /// The runtime is another one from this block on.
    pub(crate) fn upgrade_at(&self, number: u32, layout: Layout) {
        let runtime = Runtime::new(layout);
        self.shared.change(|world| world.upgrade_at(number, runtime));
    }

    /// Switches faults on or off.
    pub(crate) fn faults(&self, switch: impl FnOnce(&mut Faults)) {
        self.shared.change(|world| switch(&mut world.faults));
    }

    /// What happens next, after what was scripted before.
    pub(crate) fn fail_next(&self, what: Scripted) {
        self.shared.change(|world| world.script.push_back(what));
    }

    /// Closes all sockets.
    pub(crate) fn hang_up(&self) {
        self.shared.change(|world| world.hung_up_before = world.accepted + 1);
    }

    /// Looks at the chain and the counts.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.shared.look(look)
    }

    /// Waits until a transaction is in the pool.
    pub(crate) async fn until_pooled(&self) {
        self.until("a transaction in the pool", |world| world.pooled() > 0).await;
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// Where it is not so in a minute.
    pub(crate) async fn until(&self, what: &str, mut so: impl FnMut(&World) -> bool) {
        let mut changes = self.shared.changes();
        let waiting = async {
            while !self.shared.look(&mut so) {
                changes.changed().await.unwrap();
            }
        };
        assert!(tokio::time::timeout(HUNG, waiting).await.is_ok(), "waited in vain: {what}");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

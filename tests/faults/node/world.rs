//! The chain: blocks, forks, the pool of transactions, and how blocks are made.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use parity_scale_codec::{Compact, Encode};
use serde_json::{Value, json};

use super::execution::{blake2_256, error_bytes, run};
use super::extrinsic::{Against, Invalid, Signed};
use super::faults::{Faults, Scripted};
use super::metadata::{FAILED, Runtime, SUCCESS};
use super::rpc::RpcError;
use super::storage::{Storage, moment};
use super::subnet::Subnet;

/// A hash of a block or of a transaction.
pub(crate) type Hash = [u8; 32];

/// A block, and the chain's state after it.
pub(super) struct Block {
    pub(super) number: u32,
    pub(super) parent: Hash,
    pub(super) state_root: Hash,
    pub(super) extrinsics_root: Hash,
    pub(super) extrinsics: Vec<Vec<u8>>,
    pub(super) subnet: Subnet,
    pub(super) storage: Storage,
    pub(super) runtime: Arc<Runtime>,
}

impl Block {
    fn hash(&self) -> Hash {
        let mut header = self.parent.to_vec();
        Compact(self.number).encode_to(&mut header);
        header.extend(self.state_root);
        header.extend(self.extrinsics_root);
        header.push(0);
        blake2_256(&header)
    }
}

/// What becomes of transactions whose blocks are undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Orphans {
    /// They go back to the pool, as in a node.
    Return,
    /// They are forgotten.
    Vanish,
}

type Edit = Box<dyn FnOnce(&mut Subnet) + Send>;

/// All that a node knows.
pub(crate) struct World {
    /// What is wrong with the node.
    pub faults: Faults,
    pub(super) script: VecDeque<Scripted>,
    pub(super) blocks: HashMap<Hash, Arc<Block>>,
    /// The best chain, by number.
    pub(super) best: Vec<Hash>,
    pub(super) finalized: usize,
    pool: Vec<Vec<u8>>,
    /// What happened to each transaction, as its watchers are told.
    pub(super) statuses: HashMap<Hash, Vec<Value>>,
    edits: Vec<Edit>,
    upgrade: Option<(u32, Arc<Runtime>)>,
    made: u64,
    /// Requests by method.
    pub requests: BTreeMap<String, usize>,
    /// Sockets that are open now.
    pub open: usize,
    /// Connections that were accepted so far, whatever the door did to them.
    pub accepted: usize,
    /// Connections older than this one are closed.
    pub(super) hung_up_before: usize,
}

impl World {
    pub(super) fn new(subnet: Subnet, runtime: Arc<Runtime>) -> Self {
        let mut world = Self {
            faults: Faults::default(),
            script: VecDeque::new(),
            blocks: HashMap::new(),
            best: Vec::new(),
            finalized: 0,
            pool: Vec::new(),
            statuses: HashMap::new(),
            edits: Vec::new(),
            upgrade: None,
            made: 0,
            requests: BTreeMap::new(),
            open: 0,
            accepted: 0,
            hung_up_before: 0,
        };
        let storage = Storage::of(&subnet, &runtime.layout, 0, Vec::new());
        world.add([0; 32], 0, Vec::new(), subnet, storage, runtime);
        world
    }

    pub(super) fn head(&self) -> &Arc<Block> {
        &self.blocks[&self.best[self.best.len() - 1]]
    }

    pub(super) fn final_head(&self) -> &Arc<Block> {
        &self.blocks[&self.best[self.finalized]]
    }

    /// The number of the best block.
    #[must_use]
    pub(crate) fn best_number(&self) -> u32 {
        self.head().number
    }

    /// The number of the newest final block.
    #[must_use]
    pub(crate) fn final_number(&self) -> u32 {
        self.final_head().number
    }

    /// The chain's state after the newest final block.
    #[must_use]
    pub(crate) fn final_state(&self) -> &Subnet {
        &self.final_head().subnet
    }

    /// How many transactions are in the pool.
    #[must_use]
    pub(crate) fn pooled(&self) -> usize {
        self.pool.len()
    }

    /// How often a method was called.
    #[must_use]
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.requests.get(method).copied().unwrap_or(0)
    }

    /// How often a client submitted a transaction, to watch it.
    #[must_use]
    pub(crate) fn submissions(&self) -> usize {
        self.asked("author_submitAndWatchExtrinsic")
    }

    /// How many signed transactions the best chain holds.
    #[must_use]
    pub(crate) fn included(&self) -> usize {
        // The first of a block is its time.
        self.best.iter().map(|hash| self.blocks[hash].extrinsics.len().saturating_sub(1)).sum()
    }

    /// The transactions of a block of the best chain, as hex digits.
    #[must_use]
    pub(crate) fn extrinsics(&self, number: usize) -> Vec<String> {
        self.blocks[&self.best[number]].extrinsics.iter().map(|bytes| hex(bytes)).collect()
    }

    pub(super) fn edit(&mut self, edit: Edit) {
        self.edits.push(edit);
    }

    pub(super) fn upgrade_at(&mut self, number: u32, runtime: Arc<Runtime>) {
        self.upgrade = Some((number, runtime));
    }

    fn add(
        &mut self,
        parent: Hash,
        number: u32,
        extrinsics: Vec<Vec<u8>>,
        subnet: Subnet,
        storage: Storage,
        runtime: Arc<Runtime>,
    ) -> Hash {
        self.made += 1;
        let block = Block {
            number,
            parent,
            // No two blocks are the same, so that a fork's differ from those they replace.
            state_root: blake2_256(&self.made.encode()),
            extrinsics_root: blake2_256(&extrinsics.encode()),
            extrinsics,
            subnet,
            storage,
            runtime,
        };
        let hash = block.hash();
        self.blocks.insert(hash, Arc::new(block));
        self.best.push(hash);
        hash
    }

    /// Makes the next block of what is in the pool.
    pub(super) fn grow(&mut self) {
        let parent = Arc::clone(self.head());
        let number = parent.number + 1;
        let mut runtime = Arc::clone(&parent.runtime);
        if let Some((_, upgraded)) = self.upgrade.take_if(|(at, _)| *at <= number) {
            runtime = upgraded;
        }
        let mut subnet = parent.subnet.clone();
        for edit in self.edits.drain(..) {
            edit(&mut subnet);
        }
        let mut extrinsics = vec![time_extrinsic(number)];
        let mut events = vec![event(0, 0, &success())];
        for bytes in self.ready(&runtime, &mut subnet, number) {
            let index = u32::try_from(extrinsics.len()).unwrap();
            events.extend(self.execute(&bytes, index, &runtime, &mut subnet, number));
            extrinsics.push(bytes);
        }
        let hashes: Vec<Hash> = extrinsics.iter().map(|bytes| blake2_256(bytes)).collect();
        let storage = Storage::of(&subnet, &runtime.layout, number, events);
        let block = self.add(parent.hash(), number, extrinsics, subnet, storage, runtime);
        for transaction in hashes {
            self.tell(transaction, json!({ "inBlock": hex(&block) }));
        }
        if !self.faults.freeze_finality {
            self.finalize();
        }
    }

    /// Makes every block of the best chain final.
    pub(super) fn finalize(&mut self) {
        for number in self.finalized + 1..self.best.len() {
            let hash = self.best[number];
            for bytes in &Arc::clone(&self.blocks[&hash]).extrinsics {
                self.tell(blake2_256(bytes), json!({ "finalized": hex(&hash) }));
            }
        }
        self.finalized = self.best.len() - 1;
    }

    /// Replaces the newest blocks, none of them final, by empty ones and one more.
    pub(super) fn fork(&mut self, depth: usize, orphans: Orphans) {
        let kept = self.best.len() - depth;
        assert!(kept > self.finalized, "a final block cannot be undone");
        let mut returned = Vec::new();
        for hash in self.best.split_off(kept) {
            for bytes in &Arc::clone(&self.blocks[&hash]).extrinsics[1..] {
                self.tell(blake2_256(bytes), json!({ "retracted": hex(&hash) }));
                returned.push(bytes.clone());
            }
        }
        let waiting = std::mem::take(&mut self.pool);
        for _ in 0..=depth {
            self.grow();
        }
        self.pool = waiting;
        match orphans {
            Orphans::Return => self.pool.extend(returned),
            Orphans::Vanish => {
                for bytes in returned {
                    self.tell(blake2_256(&bytes), json!("dropped"));
                }
            }
        }
    }

    /// Takes what can be in the next block out of the pool, each with its nonce used up.
    fn ready(&mut self, runtime: &Runtime, subnet: &mut Subnet, number: u32) -> Vec<Vec<u8>> {
        let mut ready = Vec::new();
        if self.faults.hold_pool {
            return ready;
        }
        loop {
            let before = self.pool.len();
            for bytes in std::mem::take(&mut self.pool) {
                match self.check(&bytes, runtime, subnet, number) {
                    Ok(signed) => {
                        subnet.accounts.entry(signed.signer).or_default().nonce += 1;
                        ready.push(bytes);
                    }
                    Err(Invalid::Future) => self.pool.push(bytes),
                    Err(_) => self.tell(blake2_256(&bytes), json!("invalid")),
                }
            }
            if self.pool.len() == before {
                return ready;
            }
        }
    }

    fn check(
        &self,
        bytes: &[u8],
        runtime: &Runtime,
        subnet: &Subnet,
        number: u32,
    ) -> Result<Signed, Invalid> {
        let signed = Signed::read(bytes, runtime).ok_or(Invalid::BadProof)?;
        let nonce = subnet.accounts.get(&signed.signer).map_or(0, |account| account.nonce);
        let hash_of = |block: u32| {
            self.best.get(usize::try_from(block).ok()?).copied().filter(|_| block < number)
        };
        let genesis = self.best[0];
        signed.check(&Against { runtime, genesis, block: number, nonce, hash_of: &hash_of })?;
        Ok(signed)
    }

    fn execute(
        &mut self,
        bytes: &[u8],
        index: u32,
        runtime: &Runtime,
        subnet: &mut Subnet,
        number: u32,
    ) -> Vec<Vec<u8>> {
        let layout = &runtime.layout;
        let Some(signed) = Signed::read(bytes, runtime) else { return Vec::new() };
        let scripted = match self.script.front() {
            Some(Scripted::Dispatch(name)) => Some(*name),
            _ => None,
        };
        let outcome = match scripted {
            Some(name) => {
                self.script.pop_front();
                Err(name)
            }
            None => {
                let (signer, call) = (signed.signer, &signed.call);
                run(subnet, number.into(), signer, call, &signed.arguments)
            }
        };
        match outcome {
            Ok(pallet_event) => {
                vec![event(index, layout.pallet, &pallet_event), event(index, 0, &success())]
            }
            Err(name) => {
                let mut failed = vec![FAILED];
                failed.extend(error_bytes(layout, name));
                failed.extend(DISPATCH_INFO);
                vec![event(index, 0, &failed)]
            }
        }
    }

    /// Takes a transaction into the pool, as a node does.
    pub(super) fn submit(&mut self, bytes: Vec<u8>) -> Result<Hash, RpcError> {
        if let Some(Scripted::Pool { code, message, data }) = self.script.front().cloned() {
            self.script.pop_front();
            return Err(RpcError { code, message: message.to_owned(), data: json!(data) });
        }
        let hash = blake2_256(&bytes);
        let refused = |code, message: &str, data| {
            Err(RpcError { code, message: message.to_owned(), data: json!(data) })
        };
        if self.pool.contains(&bytes) {
            return refused(1013, "Transaction Already Imported", hex(&hash));
        }
        let head = Arc::clone(self.head());
        let checked = self.check(&bytes, &head.runtime, &head.subnet, head.number + 1);
        let future = match checked {
            Ok(_) => false,
            Err(Invalid::Future) => true,
            Err(why) => return refused(1010, "Invalid Transaction", why.words().to_owned()),
        };
        let slot = |bytes: &[u8]| {
            Signed::read(bytes, &head.runtime).map(|signed| (signed.signer, signed.nonce))
        };
        if self.pool.iter().any(|other| slot(other) == slot(&bytes)) {
            let data = "The transaction has too low priority to replace another transaction \
                        already in the pool.";
            return refused(1014, "Priority is too low: (0 vs 0)", data.to_owned());
        }
        self.tell(hash, json!(if future { "future" } else { "ready" }));
        self.pool.push(bytes);
        Ok(hash)
    }

    /// Forgets all transactions that are in no block.
    pub(super) fn drop_pool(&mut self) {
        for bytes in std::mem::take(&mut self.pool) {
            self.tell(blake2_256(&bytes), json!("dropped"));
        }
    }

    /// The next nonce of an account, the pool's transactions counted.
    pub(super) fn next_nonce(&self, account: &[u8; 32]) -> u32 {
        let head = self.head();
        let mut nonce = head.subnet.accounts.get(account).map_or(0, |account| account.nonce);
        let in_pool = |nonce: u32| {
            self.pool.iter().any(|bytes| {
                Signed::read(bytes, &head.runtime)
                    .is_some_and(|signed| signed.signer == *account && signed.nonce == nonce)
            })
        };
        while in_pool(nonce) {
            nonce += 1;
        }
        nonce
    }

    fn tell(&mut self, transaction: Hash, status: Value) {
        self.statuses.entry(transaction).or_default().push(status);
    }
}

/// A weight of nothing, of the usual class, which pays.
const DISPATCH_INFO: [u8; 4] = [0; 4];

fn success() -> Vec<u8> {
    let mut bytes = vec![SUCCESS];
    bytes.extend(DISPATCH_INFO);
    bytes
}

/// The record of an event of a pallet, which a transaction of the block made.
fn event(index: u32, pallet: u8, event: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    index.encode_to(&mut bytes);
    bytes.push(pallet);
    bytes.extend(event);
    bytes.push(0);
    bytes
}

/// The first transaction of each block, which nobody signs: its time.
fn time_extrinsic(number: u32) -> Vec<u8> {
    let mut call = vec![4, 2, 0];
    Compact(moment(number)).encode_to(&mut call);
    let mut bytes = Compact(u32::try_from(call.len()).unwrap()).encode();
    bytes.extend(call);
    bytes
}

pub(super) fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

//! An actor's mailbox before the actor is there, so that a cycle of actors can be tied.

use std::sync::Arc;

use actix::dev::channel::{AddressReceiver, channel};
use actix::{Actor, Addr, Context, Handler, Message};

use crate::ports::Clock;

use super::port::{Job, Port};

/// A mailbox without its actor: make its ports, then hand it to [`super::Overseer::supervise`].
pub struct Inbox<A: Actor<Context = Context<A>>> {
    pub(super) name: String,
    pub(super) receiver: AddressReceiver<A>,
    pub(super) address: Addr<A>,
    clock: Arc<dyn Clock>,
}

impl<A: Actor<Context = Context<A>>> Inbox<A> {
    /// An empty mailbox for the actor of that name.
    #[must_use]
    pub fn open(name: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        // Capacity 0 is no bound: the ports' slots are the bound.
        let (sender, receiver) = channel(0);
        Self { name: name.into(), receiver, address: Addr::new(sender), clock }
    }

    /// A door of `capacity` slots for one kind of message.
    #[must_use]
    pub fn port<M>(&self, capacity: usize) -> Port<M>
    where
        A: Handler<Job<M>>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let recipient = self.address.clone().recipient();
        Port::new(recipient, &self.name, capacity, Arc::clone(&self.clock))
    }
}

//! What every actor and task of a process is started by.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Context, Supervised};

use crate::ports::{Clock, Journal};

use super::credits::Credits;
use super::guardian::Guardian;
use super::inbox::Inbox;
use super::kill_switch::KillSwitch;
use super::policy::RestartPolicy;
use super::roster::Roster;
use super::tasks::Tasks;

/// Starts and stops the actors of one thread. Clones are the same overseer.
#[derive(Clone)]
pub struct Overseer {
    clock: Arc<dyn Clock>,
    kill: KillSwitch,
    roster: Roster,
    tasks: Tasks,
    journal: Arc<dyn Journal>,
    credits: Rc<RefCell<Vec<Credits>>>,
}

impl Overseer {
    /// Nobody is running yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, journal: Arc<dyn Journal>) -> Self {
        let kill = KillSwitch::default();
        let tasks = Tasks::new(kill.clone());
        let roster = Roster::new(Arc::clone(&journal));
        Self { clock, tasks, kill, roster, journal, credits: Rc::default() }
    }

    /// Starts an actor behind its inbox. It must be called on a thread with a local task set, which
    /// an actix system has.
    pub fn supervise<A>(&self, inbox: Inbox<A>, policy: RestartPolicy, actor: A)
    where
        A: Actor<Context = Context<A>> + Supervised,
    {
        let running = Context::with_receiver(inbox.receiver).into_future(actor);
        let guardian = Guardian::new(inbox.name, inbox.address, running, policy, self.clone());
        tokio::task::spawn_local(guardian);
    }

    /// Credits for so many conversations.
    #[must_use]
    pub fn credits(&self, total: usize) -> Credits {
        let credits = Credits::new(total);
        self.credits.borrow_mut().push(credits.clone());
        credits
    }

    /// How many of all credits are out.
    #[must_use]
    pub fn credits_out(&self) -> usize {
        self.credits.borrow().iter().map(Credits::out).sum()
    }

    /// The clock everyone goes by.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The switch that stops everyone.
    #[must_use]
    pub fn kill(&self) -> &KillSwitch {
        &self.kill
    }

    /// Everyone's record.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What happened.
    #[must_use]
    pub fn journal(&self) -> Arc<dyn Journal> {
        Arc::clone(&self.journal)
    }

    /// Where tasks are started.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }
}

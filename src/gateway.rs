//! The gateway: a door for API users, who speak the OpenAI protocol.
//!
//! It checks keys and limits, turns requests into queries and answers into replies. Whom to ask and
//! which answer to take is the matter of whoever stands behind the [`Door`].

pub mod keys;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sn1_actors::domain::Query;
use sn1_actors::organic::{OrganicAnswer, OrganicError};

/// Has a user's query answered. Called from the server's thread; dropping the future gives up the
/// answer, not the round.
pub type Door =
    Arc<dyn Fn(Query) -> BoxFuture<'static, Result<OrganicAnswer, OrganicError>> + Send + Sync>;

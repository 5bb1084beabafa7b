//! Which columns the tables have.

use super::table::Kind;

const RUN_ID: (&str, Kind) = ("run_id", Kind::Text);
const SEQ: (&str, Kind) = ("seq", Kind::Int);
const TIME: (&str, Kind) = ("time", Kind::Double);
const CONVERSATION: (&str, Kind) = ("conversation", Kind::Int);
const TURN: (&str, Kind) = ("turn", Kind::Int);
const TASK: (&str, Kind) = ("task", Kind::Text);
const ORGANIC: (&str, Kind) = ("organic", Kind::Bool);

/// A row a step.
pub(super) const STEPS: &[(&str, Kind)] = &[
    RUN_ID,
    SEQ,
    TIME,
    CONVERSATION,
    TURN,
    TASK,
    ORGANIC,
    ("block", Kind::Int),
    ("asked", Kind::Int),
    ("topic", Kind::Text),
    ("subtopic", Kind::Text),
    ("context_source", Kind::Text),
    ("query", Kind::Text),
    ("challenge", Kind::Text),
    ("challenge_attempts", Kind::Int),
    ("history", Kind::Text),
    ("reference", Kind::Text),
    ("references", Kind::Text),
    ("static_reference", Kind::Bool),
    ("profile", Kind::Text),
    ("mood", Kind::Text),
    ("tone", Kind::Text),
    ("system_prompt", Kind::Text),
    ("best_uid", Kind::Int),
    ("best", Kind::Text),
    ("step_time", Kind::Double),
    ("forward_time", Kind::Double),
    ("context_time", Kind::Double),
    ("query_time", Kind::Double),
    ("challenge_time", Kind::Double),
    ("reference_time", Kind::Double),
];

/// What every answer of a step has from its step; a row a miner that was asked.
pub(super) const ANSWERS: &[(&str, Kind)] = &[RUN_ID, SEQ, TIME, CONVERSATION, TURN, TASK, ORGANIC];

/// Columns of an answer, the list of the step that each is from, and its kind.
pub(super) const OF_EACH_ANSWER: &[(&str, &str, Kind)] = &[
    ("uid", "uids", Kind::Int),
    ("hotkey", "hotkeys", Kind::Text),
    ("reward", "rewards", Kind::Double),
    ("completion", "completions", Kind::Text),
    ("status_code", "status_codes", Kind::Int),
    ("status_message", "status_messages", Kind::Text),
    ("timing", "timings", Kind::Double),
    ("arrival", "arrivals", Kind::Double),
    ("chunks", "chunks", Kind::Int),
    ("copy_of", "copy_of", Kind::Int),
    ("speed_factor", "speed_factors", Kind::Double),
    ("reward_timing", "reward_timings", Kind::Double),
];

/// A row a conversation that ended.
pub(super) const CONVERSATIONS: &[(&str, Kind)] = &[
    RUN_ID,
    SEQ,
    TIME,
    CONVERSATION,
    ("seconds", Kind::Double),
    ("reason", Kind::Text),
    ("cause", Kind::Text),
];

/// A row a uid of each setting of weights.
pub(super) const WEIGHTS: &[(&str, Kind)] = &[
    RUN_ID,
    SEQ,
    TIME,
    ("block", Kind::Int),
    ("uid", Kind::Int),
    ("weight", Kind::Int),
    ("share", Kind::Double),
    ("error", Kind::Text),
];

/// A row a crash of an actor.
pub(super) const CRASHES: &[(&str, Kind)] = &[
    RUN_ID,
    SEQ,
    TIME,
    ("actor", Kind::Text),
    ("cause", Kind::Text),
    ("restarting_in", Kind::Double),
];

/// Whether a field of a step is a list over the answers that a measure left: `M_raw_T`, `M_T` and
/// `M_T_timings` for a measure M of type T.
pub(super) fn is_measure(key: &str) -> bool {
    let key = key.strip_suffix("_timings").unwrap_or(key);
    ["_reward", "_penalty"].iter().any(|kind| key.strip_suffix(kind).is_some_and(is_name))
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(plain)
}

//! The sources of contexts, behind `ports::Tool`.

//! Model files: what there is, where it comes from, and the cache they are kept in.

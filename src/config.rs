//! Configuration: layers, keys and their validation.

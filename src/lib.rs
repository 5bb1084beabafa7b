//! The program `sn1`, as a library so that its parts can be tested from outside.

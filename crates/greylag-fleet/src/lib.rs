//! Where processes run.
//!
//! **Invariants:** no command of other people's runs outside the sandbox, also where the sandbox cannot be had; a command
//! sees of the world what its step was granted and nothing else; when an attempt ends, however it ends, no process of it
//! is left.

pub mod bubblewrap;
pub mod custom;

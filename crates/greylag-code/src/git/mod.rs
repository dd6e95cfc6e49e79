//! Bare repositories, read and written by plumbing commands of the program `git`. There is never a work tree.
//!
//! **Why the program and no library.** What comes from a repository is hostile. A pack is unpacked, and every object read,
//! in a process of git's with limits on memory, room and time, in its own process group: one that is made to take all
//! memory dies alone. That is how untrusted files are read everywhere here. The program is needed anyway (transports,
//! serving over HTTP), merges are then those that everybody else would get, and it costs no build: the smallest useful set
//! of features of `gix` is 125 crates and half a minute of processor time for each build from nothing, and `git2` parses
//! hostile packs in this process, in C. The price is a few milliseconds a process, so there are few of them: a repository
//! is fetched by one command, read by one (`cat-file --batch`, for as long as its tree is kept), and changed by one
//! (`fast-import`). With no work tree to write, that takes less than half of what people's commands take.
//!
//! **Nothing of a repository is run.** Every process begins with an empty environment and no configuration but the
//! repository's own, which this module has written; see [`Git`]. There is no checkout, so no filter, no hook and no
//! attribute of a repository has a say. Remotes on this machine are spoken to through `upload-pack`, never by copying or
//! linking their files, and with their hooks and commands switched off.
//!
//! **What is authoritative.** A repository that was fetched ([`Repository`]) is a cache: it is written without waiting for
//! the disk, and whoever finds an object missing after a power cut throws it away and fetches again. A repository of a
//! forge is written with `fsync` ([`Safety`]).
//!
//! **When it dies half-way.** Objects are written first, and one atomic change of references, which says what it expects
//! to find, makes them visible. Objects that nothing refers to are no trace. Commits are a function of their base, edits,
//! people and time, all given by the caller, so the next attempt makes the same one.

mod ahead;
mod backend;
mod batch;
mod command;
mod commit;
mod fetch;
mod history;
mod limit;
mod merge;
mod object;
mod patch;
pub mod path;
mod process;
mod push;
mod reference;
mod remote;
mod repository;
mod stored;
mod transfer;
mod tree;

pub use command::Git;
pub use commit::{Edit, Edits, NewFile, Person, Signed};
pub use fetch::Wanted;
pub use history::Written;
pub use limit::Limits;
pub use merge::Merged;
pub use object::ObjectId;
pub use push::Pushed;
pub use reference::{RefChange, is_branch_name};
pub use remote::{Remote, Way};
pub use repository::{Repository, Safety};
pub use tree::CommitTree;

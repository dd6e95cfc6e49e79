//! Journal, queue and catalog on SQLite: one file, no server.
//!
//! **Invariant:** what a writing call acknowledged is on disk (write-ahead log, `synchronous=FULL`), and every writing
//! call is one transaction, whole or not at all.
//!
//! **One writer, group commit.** A process writes over one connection behind a lock. Small writes of many threads
//! (checkpoints of chunks) queue up while another write holds the lock, and whoever gets it next writes all that wait in
//! one transaction and answers all of them: one wait for the disk however many there are. Other processes write over
//! their own connections; SQLite lets one in at a time.
//!
//! **Readers** have connections of their own and neither wait for the writer nor hold it up.
//!
//! **Dead or alive.** A worker that holds leases keeps a file beside the database locked for as long as its process
//! lives. The operating system lets go of the lock however the process ends, so the run of a killed process can be taken
//! over at once, while one that is suspended is protected until its heartbeat is too old.

mod alive;
pub mod catalog;
mod count;
mod error;
mod group;
mod journal;
mod schema;
mod session;
mod store;

pub use count::Counts;
pub use store::{Options, Store};

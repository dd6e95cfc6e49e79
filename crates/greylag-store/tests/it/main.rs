//! The store as a whole.

mod conformance;
mod disk;
mod disk_full;
mod folder;
mod load;
mod power_cut;

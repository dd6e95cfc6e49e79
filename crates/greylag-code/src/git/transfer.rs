//! Objects from one repository of ours to another.

use super::object::{ObjectId, damaged};
use super::reference::check_branch;
use super::repository::Repository;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::fmt::Write as _;

/// Packs with more objects than this are kept as they are; those of smaller ones are written one by one, so that many small
/// changes do not make many packs.
const KEPT: u32 = 500;

impl Repository {
    /// Takes a commit and all that it needs from another repository of ours. What the commits need at which its branches
    /// `known` are should be here already; where it is not, everything is taken. No reference is changed.
    pub fn take(&self, from: &Repository, head: &ObjectId, known: &[&str]) -> Result<(), DriverError> {
        if from.folder == self.folder {
            return Ok(());
        }
        match self.take_without(from, head, known) {
            Err(error) if error.code == code::GIT_FAILED && !known.is_empty() => self.take_without(from, head, &[]),
            told => told,
        }
    }

    fn take_without(&self, from: &Repository, head: &ObjectId, known: &[&str]) -> Result<(), DriverError> {
        let mut names = format!("{head}\n");
        for branch in known {
            check_branch(branch)?;
            // Writing to a string does not fail.
            let _ = writeln!(names, "^refs/heads/{branch}");
        }
        let arguments = ["pack-objects", "--quiet", "--revs", "--thin", "--delta-base-offset", "--stdout"];
        let pack = from.run("pack a commit", &arguments, names.as_bytes())?.bytes;
        let count = pack.get(8..12).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        match count.ok_or_else(|| damaged("a pack has no head"))? {
            0 => Ok(()),
            1..=KEPT => self.run("unpack a commit", &["unpack-objects", "-q", "--strict"], &pack).map(|_| ()),
            _ => self.run("keep a pack", &["index-pack", "--stdin", "--fix-thin", "--strict"], &pack).map(|_| ()),
        }
    }
}

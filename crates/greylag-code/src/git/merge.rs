//! Merging and reverting without a work tree.

use super::command::failed;
use super::commit::Signed;
use super::object::{ObjectId, damaged};
use super::patch::paths;
use super::repository::Repository;
use greylag_driver::error::DriverError;
use std::collections::BTreeSet;

/// What became of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// This commit has both. Nothing refers to it yet.
    Commit(ObjectId),
    /// There was nothing to do.
    Already,
    /// Both changed the same in these files.
    Conflict(Vec<String>),
}

impl Repository {
    /// The newest commit that both descend from.
    pub fn merge_base(&self, one: &ObjectId, other: &ObjectId) -> Result<Option<ObjectId>, DriverError> {
        let output = self.try_run("find a merge base", &["merge-base", one.as_str(), other.as_str()], &[])?;
        match output.exit() {
            Some(0) => ObjectId::parse(String::from_utf8_lossy(&output.bytes).trim()).map(Some),
            Some(1) => Ok(None),
            _ => Err(failed("find a merge base", &output)),
        }
    }

    /// Whether one commit is the other, or the other descends from it.
    pub fn contains(&self, newer: &ObjectId, older: &ObjectId) -> Result<bool, DriverError> {
        if newer == older {
            return Ok(true);
        }
        let arguments = ["merge-base", "--is-ancestor", older.as_str(), newer.as_str()];
        let output = self.try_run("compare histories", &arguments, &[])?;
        match output.exit() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed("compare histories", &output)),
        }
    }

    /// Merges `head` onto `base`: a commit with these two parents, in this order.
    pub fn merge(&self, base: &ObjectId, head: &ObjectId, signed: &Signed) -> Result<Merged, DriverError> {
        let Some(common) = self.merge_base(base, head)? else {
            return Ok(Merged::Conflict(Vec::new()));
        };
        if common == *head {
            return Ok(Merged::Already);
        }
        if common == *base {
            // Nobody has changed the base since.
            let tree = format!("{head}^{{tree}}");
            return self.commit_tree(&tree, &[base, head], signed).map(Merged::Commit);
        }
        match self.merge_trees(None, base, head)? {
            Ok(tree) => self.commit_tree(&tree, &[base, head], signed).map(Merged::Commit),
            Err(paths) => Ok(Merged::Conflict(paths)),
        }
    }

    /// Takes back on `onto` what the merge commit `merged` brought to its first parent.
    pub fn revert(&self, onto: &ObjectId, merged: &ObjectId, signed: &Signed) -> Result<Merged, DriverError> {
        let before = ObjectId::parse(&self.resolve(&format!("{merged}^1"))?)?;
        match self.merge_trees(Some(merged), onto, &before)? {
            Ok(tree) if tree == self.resolve(&format!("{onto}^{{tree}}"))? => Ok(Merged::Already),
            Ok(tree) => self.commit_tree(&tree, &[onto], signed).map(Merged::Commit),
            Err(paths) => Ok(Merged::Conflict(paths)),
        }
    }

    /// The tree that has both, or the paths in which they conflict.
    fn merge_trees(
        &self,
        common: Option<&ObjectId>,
        one: &ObjectId,
        other: &ObjectId,
    ) -> Result<Result<String, Vec<String>>, DriverError> {
        let common = common.map(|common| format!("--merge-base={common}"));
        let mut arguments = vec!["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];
        arguments.extend(common.as_deref());
        arguments.extend([one.as_str(), other.as_str()]);
        let output = self.try_run("merge", &arguments, &[])?;
        let mut said = paths(&output.bytes);
        match (output.exit(), said.is_empty()) {
            (Some(0), false) => Ok(Ok(ObjectId::parse(said.remove(0).trim())?.as_str().to_owned())),
            (Some(1), false) => {
                let paths: BTreeSet<String> = said.drain(1..).collect();
                Ok(Err(paths.into_iter().collect()))
            }
            _ => Err(failed("merge", &output)),
        }
    }

    /// Writes a commit of a tree.
    fn commit_tree(&self, tree: &str, parents: &[&ObjectId], signed: &Signed) -> Result<ObjectId, DriverError> {
        let mut arguments = vec!["commit-tree", tree];
        for parent in parents {
            arguments.extend(["-p", parent.as_str()]);
        }
        let mut command = self.git.command(&self.folder, self.safety, &arguments);
        command.envs(signed.environment()?);
        let output = self.git.run(command, "write a commit", signed.message.as_bytes())?;
        if !output.status.success() {
            return Err(failed("write a commit", &output));
        }
        ObjectId::parse(String::from_utf8_lossy(&output.bytes).trim())
    }

    /// The id of an expression of ours.
    fn resolve(&self, expression: &str) -> Result<String, DriverError> {
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", expression];
        let output = self.try_run("find a commit", &arguments, &[])?;
        if !output.status.success() {
            return Err(damaged(&format!("there is no `{expression}`")));
        }
        Ok(String::from_utf8_lossy(&output.bytes).trim().to_owned())
    }
}

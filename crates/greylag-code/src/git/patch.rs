//! The difference of two commits for people and for `git apply`.

use super::object::ObjectId;
use super::repository::Repository;
use greylag_driver::error::DriverError;

impl Repository {
    /// A unified patch that leads from one commit to another. Files that are no text are in it as binary patches; nothing
    /// that the repository says about how to show its files counts.
    pub fn patch(&self, from: &ObjectId, to: &ObjectId) -> Result<Vec<u8>, DriverError> {
        let arguments = [
            "diff-tree",
            "-p",
            "-r",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--full-index",
            "--binary",
            "--diff-algorithm=histogram",
            "--ignore-submodules=none",
            "--submodule=short",
            from.as_str(),
            to.as_str(),
        ];
        Ok(self.run("compare commits", &arguments, &[])?.bytes)
    }

    /// The paths that differ between two commits.
    pub fn changed(&self, from: &ObjectId, to: &ObjectId) -> Result<Vec<String>, DriverError> {
        let arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", from.as_str(), to.as_str()];
        let output = self.run("compare commits", &arguments, &[])?;
        Ok(paths(&output.bytes))
    }
}

/// Paths that end with NUL.
pub(super) fn paths(bytes: &[u8]) -> Vec<String> {
    let parts = bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

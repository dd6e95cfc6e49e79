//! Pushing to a remote.

use super::command::OTHER_END;
use super::fetch::classed;
use super::object::ObjectId;
use super::reference::{RefChange, check_branch};
use super::remote::{Remote, Way};
use super::repository::Repository;
use greylag_driver::error::DriverError;

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The branch is where it shall be.
    Done,
    /// It was left as it is, as it is not where it was expected.
    Moved,
}

impl Repository {
    /// Moves a branch of a remote to a commit of this repository (or deletes it), if it is where it is expected.
    pub fn push(&self, remote: &Remote, change: &RefChange) -> Result<Pushed, DriverError> {
        check_branch(&change.branch)?;
        let name = format!("refs/heads/{}", change.branch);
        let lease = format!("--force-with-lease={name}:{}", change.from.as_ref().map_or("", ObjectId::as_str));
        let what = format!("{}:{name}", change.to.as_ref().map_or("", ObjectId::as_str));
        let receive = format!("--receive-pack={OTHER_END} receive-pack");
        let mut arguments = vec!["push", "--porcelain", "--quiet", "--no-verify", "--recurse-submodules=no", &lease];
        if remote.way == Way::File {
            arguments.push(&receive);
        }
        arguments.extend(["--end-of-options", &remote.url, &what]);
        let command = self.git.remote_command(&self.folder, self.safety, remote, &arguments)?;
        let output = self.git.run(command, "push", &[])?;
        let said = String::from_utf8_lossy(&output.bytes);
        if output.status.success() {
            return Ok(Pushed::Done);
        }
        let moved =
            ["(stale info)", "(fetch first)", "(non-fast-forward)", "reference already exists", "failed to update ref"];
        if said.lines().any(|line| line.starts_with('!') && moved.iter().any(|words| line.contains(words))) {
            return Ok(Pushed::Moved);
        }
        Err(classed("push", &output))
    }
}

//! Fetching from a remote.

use super::command::{OTHER_END, failed};
use super::object::ObjectId;
use super::reference::{check_branch, is_branch_name};
use super::remote::{Remote, Way};
use super::repository::Repository;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::collections::BTreeMap;

/// What is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// These branches; if there are none, all, and those that the remote has no more are deleted here.
    pub branches: Vec<String>,
    /// How many commits of each; none is all of them.
    pub depth: Option<u32>,
}

impl Repository {
    /// Fetches branches, which are here as they are there, also where they were forced.
    pub fn fetch(&self, remote: &Remote, wanted: &Wanted) -> Result<(), DriverError> {
        let mut arguments: Vec<String> = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            "--no-show-forced-updates",
            "--update-head-ok",
            "--atomic",
        ]
        .map(str::to_owned)
        .to_vec();
        if let Some(depth) = wanted.depth {
            arguments.push(format!("--depth={}", depth.max(1)));
        }
        if remote.way == Way::File {
            arguments.push(format!("--upload-pack={OTHER_END} upload-pack"));
        }
        if wanted.branches.is_empty() {
            arguments.push("--prune".to_owned());
        }
        arguments.extend(["--end-of-options".to_owned(), remote.url.clone()]);
        for branch in &wanted.branches {
            check_branch(branch)?;
            arguments.push(format!("+refs/heads/{branch}:refs/heads/{branch}"));
        }
        if wanted.branches.is_empty() {
            arguments.push("+refs/heads/*:refs/heads/*".to_owned());
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let command = self.git.remote_command(&self.folder, self.safety, remote, &arguments)?;
        let output = self.git.run(command, "fetch", &[])?;
        if output.status.success() { Ok(()) } else { Err(classed("fetch", &output)) }
    }

    /// The branches of a remote and its default one, without fetching anything.
    pub fn look(&self, remote: &Remote) -> Result<(Option<String>, BTreeMap<String, ObjectId>), DriverError> {
        let upload = format!("--upload-pack={OTHER_END} upload-pack");
        let mut arguments = vec!["ls-remote", "--symref", "--quiet"];
        if remote.way == Way::File {
            arguments.push(&upload);
        }
        arguments.extend(["--end-of-options", &remote.url, "HEAD", "refs/heads/*"]);
        let command = self.git.remote_command(&self.folder, self.safety, remote, &arguments)?;
        let output = self.git.run(command, "list the branches of a remote", &[])?;
        if !output.status.success() {
            return Err(classed("list the branches of a remote", &output));
        }
        Ok(advertised(&String::from_utf8_lossy(&output.bytes)))
    }
}

fn advertised(text: &str) -> (Option<String>, BTreeMap<String, ObjectId>) {
    let mut default = None;
    let mut branches = BTreeMap::new();
    for line in text.lines() {
        let Some((what, name)) = line.split_once('\t') else { continue };
        let branch =
            |name: &str| name.strip_prefix("refs/heads/").filter(|name| is_branch_name(name)).map(str::to_owned);
        if let Some(points) = what.strip_prefix("ref: ") {
            default = branch(points);
        } else if let (Some(name), Ok(id)) = (branch(name), ObjectId::parse(what)) {
            branches.insert(name, id);
        }
    }
    (default.filter(|name| branches.contains_key(name)), branches)
}

/// What the failure of a command that spoke to a remote means for trying again.
pub(super) fn classed(what: &str, output: &super::process::Output) -> DriverError {
    let error = failed(what, output);
    if error.code != code::GIT_FAILED {
        return error;
    }
    let says = |words: &[&str]| words.iter().any(|word| output.log.contains(word));
    let away = [
        "Could not resolve",
        "Failed to connect",
        "Connection",
        "timed out",
        "hung up",
        "early EOF",
        "error: 5",
        "error: 429",
    ];
    if says(&[
        "Authentication failed",
        "could not read Username",
        "error: 403",
        "Permission denied",
        "dubious ownership",
    ]) {
        DriverError::denied(error.code, error.message)
    } else if says(&away) && !says(&["fsck", "does not appear to be a git repository"]) {
        DriverError::transient(error.code, error.message)
    } else {
        error
    }
}

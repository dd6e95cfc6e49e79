//! `greylag changes host`.

use super::directory;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Row, heading, wide};
use crate::side_by_side;
use crate::wire::{self, Hosting};
use clap::{Args, ValueEnum};
use greylag_code::git::{ObjectId, RefChange, Remote, Repository, Wanted};
use greylag_driver::forge::Policy;
use greylag_model::code;
use serde_json::json;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Take repositories into the embedded forge, or what is new in those that it has.
///
/// A git repository is fetched, by its path or address; a directory that is none is taken as one first commit of its regular
/// files. Done again, the branch goes on to where its source is now; what was merged on the forge is never lost: where the
/// source has gone another way, it is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag changes host ~/src/reports https://git.example.com/team/models.git\n  \
                        greylag changes host estate/repositories/* --policy automatic")]
pub(super) struct Host {
    /// Directories, or addresses (`https`, `http`, `ssh`).
    #[arg(required = true, value_name = "PATH|URL")]
    sources: Vec<String>,
    /// Its name on the forge; the default is the last part of its path.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// When change requests may be merged (the default is by hand, or what was said before).
    #[arg(long, value_enum, value_name = "POLICY")]
    policy: Option<When>,
    /// The branch into which changes are merged (the default is that of the source, or `main`).
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
}

/// When a merge may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    /// When somebody has approved it, and no check has failed.
    ByHand,
    /// When all its checks have passed.
    Automatic,
}

/// As it is written.
pub(super) fn policy_word(policy: Policy) -> &'static str {
    match policy {
        Policy::ByHand => "by-hand",
        Policy::Automatic => "automatic",
    }
}

/// What is taken, and as what.
enum Source {
    Directory(PathBuf),
    Git(Remote),
}

/// What came of it.
struct Taken {
    name: String,
    outcome: &'static str,
    branch: String,
    head: ObjectId,
}

impl Host {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let sources = self.named()?;
        let forge = wire::forge(context)?;
        let hosted = forge.hosted()?;
        // What is taken before one fails stays taken, and is unchanged the next time.
        let failed = AtomicBool::new(false);
        let taken = side_by_side::each(
            &sources,
            wire::repositories_at_once(),
            |(name, source)| {
                let taken = self.take(context, &forge, name.clone(), source, hosted.contains(name));
                failed.fetch_or(taken.is_err(), Ordering::Relaxed);
                taken
            },
            || context.interrupted() || failed.load(Ordering::Relaxed),
            |_| (),
        );
        let taken = taken.into_iter().collect::<Result<Vec<Taken>, Failure>>()?;
        if context.interrupted() {
            return Err(Failure::interrupted());
        }
        let new = taken.iter().filter(|taken| taken.outcome != "unchanged").count();
        let headings = [heading("repository"), heading("outcome"), heading("branch"), wide("head")];
        output::list(context.format(), "repositories", &headings, taken.iter().map(row).collect())?;
        context.say(&format!("{new} of {} new or moved", taken.len()));
        Ok(Exit::Done)
    }

    /// The sources with their names, which differ.
    fn named(&self) -> Result<Vec<(String, Source)>, Failure> {
        if self.name.is_some() && self.sources.len() > 1 {
            return Err(Failure::usage("`--name` is for one repository").hint("take the others without it"));
        }
        let mut seen = BTreeSet::new();
        let mut named = Vec::new();
        for text in &self.sources {
            let (last, source) = source(text)?;
            let name = self.name.clone().unwrap_or(last);
            if !seen.insert(name.clone()) {
                return Err(Failure::usage(format!("two repositories would be called `{name}`"))
                    .hint("take one of them by itself, with `--name`"));
            }
            named.push((name, source));
        }
        Ok(named)
    }

    fn take(
        &self,
        context: &Context,
        forge: &Hosting,
        name: String,
        source: &Source,
        known: bool,
    ) -> Result<Taken, Failure> {
        let policy = match self.policy {
            Some(When::ByHand) => Policy::ByHand,
            Some(When::Automatic) => Policy::Automatic,
            None if known => forge.policy(&name)?,
            None => Policy::default(),
        };
        let (branch, (outcome, head)) = match source {
            Source::Directory(path) => {
                let branch = self.branch.clone().unwrap_or_else(|| "main".to_owned());
                let taken = directory::take(context, forge, (path, &name, policy), &branch)?;
                (branch, taken)
            }
            Source::Git(remote) => self.fetch(context, forge, (remote, &name, policy))?,
        };
        let repository = forge.repository(&name)?;
        if repository.default_branch()? != branch {
            repository.set_default_branch(&branch)?;
        }
        Ok(Taken { name, outcome, branch, head })
    }

    /// Takes a branch of a git repository as it is there now.
    fn fetch(
        &self,
        context: &Context,
        forge: &Hosting,
        (remote, name, policy): (&Remote, &str, Policy),
    ) -> Result<(String, (&'static str, ObjectId)), Failure> {
        let passing = OnceCell::new();
        let passing = || match passing.get() {
            Some((_, passing)) => Ok::<&Repository, Failure>(passing),
            None => {
                let made = wire::passing_repository(context)?;
                Ok(&passing.get_or_init(|| made).1)
            }
        };
        let (branch, there) = match remote.plainly(self.branch.as_deref()) {
            Some(told) => told,
            None => self.asked(passing()?, remote)?,
        };
        let hosted = forge.prepare(name)?;
        let wanted = Wanted { branches: vec![branch.clone()], depth: None };
        let taken = match hosted.branch(&branch)? {
            Some(here) if here == there => ("unchanged", here),
            Some(here) => {
                passing()?.fetch(remote, &wanted)?;
                hosted.take(passing()?, &there, &[])?;
                go_on(&hosted, (name, &branch), here, &there)?
            }
            None => {
                if let Err(error) = hosted.fetch(remote, &wanted) {
                    forge.abandon(name)?;
                    return Err(error.into());
                }
                let head = hosted.branch(&branch)?.unwrap_or(there);
                ("new", head)
            }
        };
        // What could not be fetched is not hosted.
        forge.host(name, policy)?;
        Ok((branch, taken))
    }

    /// The branch that is wanted, and where it is, as the remote tells.
    fn asked(&self, passing: &Repository, remote: &Remote) -> Result<(String, ObjectId), Failure> {
        let (default, mut branches) = passing.look(remote)?;
        let branch = self.branch.clone().or(default).unwrap_or_else(|| "main".to_owned());
        let there = branches.remove(&branch).ok_or_else(|| {
            let message = format!("`{}` has no branch `{branch}`", remote.url());
            Failure::error(code::repository::FORGE_UNKNOWN, message).hint("name one with `--branch`")
        })?;
        Ok((branch, there))
    }
}

/// Moves a branch on to where its source is, unless that would lose something.
fn go_on(
    hosted: &Repository,
    (name, branch): (&str, &str),
    here: ObjectId,
    there: &ObjectId,
) -> Result<(&'static str, ObjectId), Failure> {
    if hosted.contains(&here, there)? {
        return Ok(("unchanged", here));
    }
    if !hosted.contains(there, &here)? {
        let message =
            format!("`{branch}` of `{name}` has commits on the forge that its source has not, and the reverse");
        return Err(Failure::error(code::repository::FORGE_SOURCE, message)
            .hint(format!("merge them and push to `{}`", hosted.folder().display())));
    }
    hosted.move_branches(&[RefChange { branch: branch.to_owned(), from: Some(here), to: Some(there.clone()) }])?;
    Ok(("moved", there.clone()))
}

/// What an argument names, and the last part of its path.
fn source(text: &str) -> Result<(String, Source), Failure> {
    if text.contains("://") {
        let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        return Ok((last.trim_end_matches(".git").to_owned(), Source::Git(Remote::parse(text)?)));
    }
    let path = fs::canonicalize(text)
        .map_err(|error| Failure::error(code::cli::FILE_UNREADABLE, format!("`{text}` cannot be read: {error}")))?;
    if !path.is_dir() {
        return Err(Failure::error(code::cli::FILE_UNREADABLE, format!("`{text}` is no directory")));
    }
    let last = path.file_name().map(|name| name.to_string_lossy().trim_end_matches(".git").to_owned());
    let source = if is_git(&path) { Source::Git(Remote::at(&path)) } else { Source::Directory(path) };
    Ok((last.unwrap_or_default(), source))
}

fn is_git(path: &Path) -> bool {
    path.join(".git").exists() || (path.join("HEAD").is_file() && path.join("objects").is_dir())
}

fn row(taken: &Taken) -> Row {
    let value = json!({
        "name": taken.name, "outcome": taken.outcome, "branch": taken.branch, "head": taken.head.as_str(),
    });
    let cells =
        vec![taken.name.clone(), taken.outcome.to_owned(), taken.branch.clone(), taken.head.as_str().to_owned()];
    Row::new(taken.name.clone(), cells, &value)
}

//! A directory that is no git repository, taken as one first commit.

use crate::context::Context;
use crate::failure::Failure;
use crate::wire::{self, Hosting};
use greylag_code::git::{NewFile, ObjectId, RefChange, Repository, Signed};
use greylag_code::tree::{DirectoryTree, Tree};
use greylag_driver::forge::Policy;
use greylag_model::code;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Takes a directory's regular files into a repository; answers what came of it, and where its branch is now.
pub(super) fn take(
    context: &Context,
    forge: &Hosting,
    (path, name, policy): (&Path, &str, Policy),
    branch: &str,
) -> Result<(&'static str, ObjectId), Failure> {
    let files = files(path).map_err(|error| {
        Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
    })?;
    let repository = forge.host(name, policy)?;
    let message = format!("Take `{name}` as it is\n");
    let signed = Signed {
        author: wire::author(context),
        committer: wire::committer(),
        seconds: context.now().0.div_euclid(1_000),
        message,
    };
    let commit = repository.first_commit(&files, &signed)?;
    match repository.branch(branch)? {
        Some(head) if begins_with(&repository, branch, &commit)? => Ok(("unchanged", head)),
        Some(_) => {
            let message = format!("`{}` is no longer what `{name}` on the forge began with", path.display());
            Err(Failure::error(code::repository::FORGE_SOURCE, message)
                .hint("take it under another name with `--name`, or push to the forge's repository"))
        }
        None => {
            let made = RefChange { branch: branch.to_owned(), from: None, to: Some(commit.clone()) };
            repository.move_branches(&[made])?;
            Ok(("new", commit))
        }
    }
}

/// Whether a branch began with the very files of a commit.
fn begins_with(repository: &Repository, branch: &str, commit: &ObjectId) -> Result<bool, Failure> {
    for root in repository.roots(branch)? {
        if repository.changed(&root, commit)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn files(path: &Path) -> io::Result<BTreeMap<String, NewFile>> {
    let tree = DirectoryTree::new(path);
    let mut files = BTreeMap::new();
    for name in tree.paths()? {
        let executable = fs::symlink_metadata(path.join(&name))?.permissions().mode() & 0o100 != 0;
        if let Some(bytes) = tree.read(&name)? {
            files.insert(name, NewFile { bytes: bytes.to_vec(), executable });
        }
    }
    Ok(files)
}

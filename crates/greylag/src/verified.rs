//! Changes of repositories, verified: what can be said without running them, and what their own command says, if that is trusted.

use crate::consumers::Source;
use crate::context::Context;
use crate::failure::Failure;
use crate::home::Home;
use crate::trust::Trust;
use crate::wire;
use greylag_code::tree::Tree;
use greylag_code::verify::command::{self, Command, Ran};
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code;
use std::fs;
use std::path::Path;

/// How trust knows a repository: a directory by its path without links, one of the forge by its name.
pub(crate) fn identity(name: &str) -> String {
    match fs::canonicalize(name) {
        Ok(path) if path.is_dir() => path.to_string_lossy().into_owned(),
        _ => format!("forge:{name}"),
    }
}

/// How trust knows a repository, and its files as they are now: a directory's, or those of the default branch on the forge.
pub(crate) fn base(context: &Context, name: &str) -> Result<(String, Box<dyn Tree>), Failure> {
    if Path::new(name).is_dir() {
        return Ok((identity(name), Source::open(Path::new(name))?.tree));
    }
    let forge = wire::forge(context)?;
    let repository = forge.repository(name)?;
    let branch = repository.default_branch()?;
    let tree = repository.branch_tree(&branch)?.ok_or_else(|| {
        Failure::error(code::repository::GIT_OBJECT, format!("`{name}` has nothing on its branch `{branch}`"))
    })?;
    Ok((identity(name), Box::new(tree)))
}

/// What a repository's own command says of a change of it; nothing if it names none. Where it is not trusted, it is not run
/// and says nothing.
pub(crate) fn by_command(
    context: &Context,
    repository: &str,
    base: &dyn Tree,
    new: &dyn Tree,
) -> Result<Option<Ran>, Failure> {
    of_command(&context.home()?, repository, (base, new), &|| context.interrupted())
}

/// The same in a state folder, until `cancelled` says otherwise.
pub(crate) fn of_command(
    home: &Home,
    repository: &str,
    (base, new): (&dyn Tree, &dyn Tree),
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Ran>, Failure> {
    let unknown = |detail: String, hint: &str| {
        let check =
            CheckResult { name: "command".to_owned(), verdict: Verdict::Unknown, detail, hint: Some(hint.to_owned()) };
        Ok(Some(Ran { check, base: None, new: None }))
    };
    let command = match Command::of(base) {
        Ok(None) => return Ok(None),
        Ok(Some(command)) => command,
        Err(error) => return unknown(format!("{error}"), "its owner corrects `verify` in `.greylag.yaml`"),
    };
    if !Trust::of(home).allows(repository, &command)? {
        let name = repository.strip_prefix("forge:").unwrap_or(repository);
        return unknown(
            format!("`{}` is not trusted, and was not run", command::plain(&command.run.join(" "))),
            &format!("`greylag trust {name}` shows what it is, and lets it be run"),
        );
    }
    let (scratch, sandbox) = (wire::scratch_in(home)?, wire::sandbox());
    Ok(Some(command::run(&command, base, new, &sandbox, scratch.path(), cancelled)?))
}

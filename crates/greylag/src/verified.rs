//! Changes of repositories, verified: what their own commands and builds say, if those are trusted.

use crate::consumers::Source;
use crate::context::Context;
use crate::failure::Failure;
use crate::home::Home;
use crate::trust::Trust;
use crate::wire;
use greylag_code::proposal::Changed;
use greylag_code::prove::build::{self, BuildProof};
use greylag_code::tree::Tree;
use greylag_code::verify::command::{self, Command, Purpose, Ran, Runner};
use greylag_driver::error::DriverError;
use greylag_driver::proof::BuildProver;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::code;
use greylag_model::spec::ErrorClass;
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
    home: &Home,
    repository: &str,
    (base, new): (&dyn Tree, &dyn Tree),
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Ran>, DriverError> {
    let command = match trusted(home, repository, base, Purpose::Verify)? {
        Found::Nothing => return Ok(None),
        Found::Trusted(command) => command,
        Found::Refused { detail, hint } => {
            let (name, verdict, hint) = ("command".to_owned(), Verdict::Unknown, Some(hint));
            return Ok(Some(Ran { check: CheckResult { name, verdict, detail, hint }, base: None, new: None }));
        }
    };
    let (scratch, sandbox, tools) = (wire::scratch_in(home).map_err(told)?, wire::sandbox(), wire::tools());
    let runner = Runner { sandbox: &sandbox, scratch: scratch.path(), tools: &tools, cancelled };
    Ok(Some(command::run(&command, base, new, runner)?))
}

/// A failure as what drivers tell.
fn told(failure: Failure) -> DriverError {
    let message = failure.diagnostics.into_iter().map(|found| found.message).collect::<Vec<_>>().join("; ");
    DriverError::permanent(code::cli::FILE_UNREADABLE, message)
}

/// What there is of a command.
enum Found {
    /// The repository names none.
    Nothing,
    /// It may be run.
    Trusted(Box<Command>),
    /// It may not, and what to do about it.
    Refused { detail: String, hint: String },
}

/// The command that a repository names for a purpose, if it is trusted.
fn trusted(home: &Home, repository: &str, base: &dyn Tree, purpose: Purpose) -> Result<Found, DriverError> {
    let command = match Command::of(base, purpose) {
        Ok(None) => return Ok(Found::Nothing),
        Ok(Some(command)) => command,
        Err(error) => {
            let hint = format!("its owner corrects `{}` in `.greylag.yaml`", purpose.key());
            return Ok(Found::Refused { detail: error.to_string(), hint });
        }
    };
    if Trust::of(home).allows(repository, &command).map_err(told)? {
        return Ok(Found::Trusted(Box::new(command)));
    }
    let name = repository.strip_prefix("forge:").unwrap_or(repository);
    let detail = format!("`{}` is not trusted, and was not run", command.words());
    Ok(Found::Refused { detail, hint: format!("`greylag trust {name}` shows what it is, and lets it be run") })
}

/// What the build of a repository's project makes of a change of it; nothing if it names none. Where it is not trusted, it is not
/// run and says nothing.
pub(crate) fn by_build(
    home: &Home,
    builds: Option<&dyn BuildProver>,
    repository: &str,
    changed: &Changed<'_>,
) -> Result<Option<BuildProof>, DriverError> {
    let command = match trusted(home, repository, changed.base, Purpose::Build)? {
        Found::Nothing => return Ok(None),
        Found::Trusted(command) => command,
        Found::Refused { detail, hint } => return Ok(Some(BuildProof::unknown(detail, hint))),
    };
    let Some(builds) = builds else {
        let detail = format!("`{}` was not run: it needs DuckDB, which is not declared", command.words());
        return Ok(Some(BuildProof::unknown(detail, "name DuckDB's program in `GREYLAG_DUCKDB`")));
    };
    let unreadable = |error: std::io::Error| {
        DriverError::transient(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", changed.name))
    };
    let root = command.project.as_deref().unwrap_or_default();
    let project = build::Project { before: changed.base, after: changed.new, root, left: changed.left };
    let asked = match build::request(&project, changed.moved).map_err(unreadable)? {
        Ok(asked) => asked,
        Err(why) => return Ok(Some(BuildProof::unknown(why, "name one in `dbt_project.yml`"))),
    };
    let (scratch, sandbox, tools) = (wire::scratch_in(home).map_err(told)?, wire::sandbox(), wire::tools());
    let runner = Runner { sandbox: &sandbox, scratch: scratch.path(), tools: &tools, cancelled: changed.cancelled };
    match build::prove(&command, (changed.base, changed.new), &asked, builds, runner) {
        // What will not get better is no reason against the change, and is not kept quiet.
        Err(error) if matches!(error.class, ErrorClass::Permanent | ErrorClass::Denied) => {
            let hint = command::hint(&error).unwrap_or_default();
            Ok(Some(BuildProof::unknown(format!("it was not built: {}", command::plain(&error.message)), hint)))
        }
        proof => Ok(Some(proof?)),
    }
}

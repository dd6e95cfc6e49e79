//! The embedded forge: bare repositories and change requests in a folder, without any server.
//!
//! **The folder.** `repositories/NAME.git` are bare repositories, which other tools clone from and push to ([`EmbeddedForge::serve`]).
//! `forge.db` has the change requests, on SQLite. It is the forge's own and not Greylag's state: a forge is another system,
//! also if it lives in this process, and nothing may rest on one transaction of both. So it is opened here, and not by the
//! crate that keeps the state: a seam between the forge and its tables would have one implementation.
//!
//! **Who is authoritative.** For where a branch is, and so for the head of an open change request: the repository. For all
//! else: the database. An open change request whose branch is gone is closed.
//!
//! **Intent before effect.** Repository and database do not change in one step, so the database says first what is meant:
//!
//! | call | on disk first | then | then |
//! |---|---|---|---|
//! | open, revert | row `opening` with the head that is meant | objects, branch from nothing to the head | row `open` |
//! | update | objects; the head that is meant | branch from the old head to the new | row with the new head |
//! | merge | merge commit; row with it | base to the commit and branch deleted, at once | row `merged` |
//! | close | row with its last head | branch deleted | row `closed` |
//!
//! **When it dies half-way**, the row tells the next call what was meant. A branch that is at a head that was meant for it is
//! adopted; one that is elsewhere is somebody else's and left alone. A merge whose commit is in the base has happened.
//! Opening one again that was closed means its new head, and the row stays `closed` until the branch is there.
//! A row that is `opening` is seen by nobody; the next `open` with its key completes it, and `close` by its key removes
//! what there is of it. So there is no branch without a row that knows it, at any instruction; see the tests, which
//! stop at every one of the points in between.
//!
//! **Several processes** may use one forge: rows change in transactions, branches by compare and swap.

mod change;
mod database;
mod merge;
mod open;
mod query;
mod serve;

pub use database::SCHEMA_VERSION;
pub use serve::{Request, Response};

use crate::git::{Git, ObjectId, Person, Repository, Safety, Signed, is_branch_name};
use database::Database;
use greylag_driver::clock::Clock;
use greylag_driver::error::DriverError;
use greylag_driver::fault::{Faults, NoFaults};
use greylag_driver::forge::{
    At, ChangeRequest, Check, Filter, Forge, Head, Merge, Open, Policy, Revert, Reverted, Which,
};
use greylag_model::code::repository as code;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A forge in a folder.
pub struct EmbeddedForge {
    folder: PathBuf,
    git: Git,
    clock: Arc<dyn Clock>,
    faults: Arc<dyn Faults>,
    signer: Person,
    database: Database,
}

impl EmbeddedForge {
    /// Opens the forge in a folder, and makes it if there is none. `signer` signs merges.
    pub fn open(
        folder: impl Into<PathBuf>,
        git: Git,
        clock: Arc<dyn Clock>,
        signer: Person,
    ) -> Result<Self, DriverError> {
        let folder = folder.into();
        std::fs::create_dir_all(folder.join("repositories")).map_err(|error| {
            DriverError::transient(code::FORGE_STORE, format!("the forge's folder `{}`: {error}", folder.display()))
        })?;
        let database = Database::open(&folder.join("forge.db"))?;
        Ok(Self { folder, git, clock, faults: Arc::new(NoFaults), signer, database })
    }

    /// The same, stopping where a test rig says.
    pub fn with_faults(self, faults: Arc<dyn Faults>) -> Self {
        Self { faults, ..self }
    }

    /// Has a repository: made empty if it is not there, and with this policy from now on.
    pub fn host(&self, name: &str, policy: Policy) -> Result<Repository, DriverError> {
        let repository = self.prepare(name)?;
        self.database.host(name, policy)?;
        Ok(repository)
    }

    /// Where a repository of this name is filled before it is hosted; until then nobody sees it.
    pub fn prepare(&self, name: &str) -> Result<Repository, DriverError> {
        Repository::make(self.git.clone(), self.place(name)?, Safety::Durable)
    }

    /// Takes away what was prepared and is not hosted, since it could not be filled.
    pub fn abandon(&self, name: &str) -> Result<(), DriverError> {
        let place = self.place(name)?;
        if self.database.hosted()?.iter().any(|hosted| hosted == name) || !place.is_dir() {
            return Ok(());
        }
        std::fs::remove_dir_all(&place).map_err(|error| {
            let message = format!("what was begun at `{}` cannot be removed: {error}", place.display());
            DriverError::transient(code::FORGE_STORE, message)
        })
    }

    /// The names of its repositories, in order.
    pub fn hosted(&self) -> Result<Vec<String>, DriverError> {
        self.database.hosted()
    }

    /// When a repository's change requests may be merged.
    pub fn policy(&self, name: &str) -> Result<Policy, DriverError> {
        self.database.policy(name)
    }

    /// A repository that it has.
    pub fn repository(&self, name: &str) -> Result<Repository, DriverError> {
        self.database.policy(name)?;
        Repository::open(self.git.clone(), self.place(name)?, Safety::Durable)
    }

    /// Where a repository is or will be. Its name has the form of a branch's, so that it cannot lead elsewhere.
    fn place(&self, name: &str) -> Result<PathBuf, DriverError> {
        if !is_branch_name(name)
            || name.split('/').any(|part| Path::new(part).extension().is_some_and(|end| end == "git"))
        {
            let message = format!("`{}` cannot be the name of a repository", name.escape_debug());
            return Err(DriverError::denied(code::GIT_PATH, message));
        }
        Ok(self.folder.join("repositories").join(format!("{name}.git")))
    }

    /// A named point at which a test rig may stop the call.
    fn point(&self, point: &str) -> Result<(), DriverError> {
        if !self.faults.armed() {
            return Ok(());
        }
        let stopped =
            |error| DriverError::transient(code::FORGE_STORE, format!("the forge stopped at `{point}`: {error}"));
        self.faults.hit(point).map_err(stopped)
    }

    /// How a commit of the forge's own is signed.
    fn signed(&self, message: String) -> Signed {
        let seconds = self.clock.now().0.div_euclid(1_000);
        Signed { author: self.signer.clone(), committer: self.signer.clone(), seconds, message }
    }
}

impl Forge for EmbeddedForge {
    fn open(&self, open: &Open) -> Result<ChangeRequest, DriverError> {
        self.open_request(open)
    }

    fn find(&self, repository: &str, which: &Which) -> Result<Option<ChangeRequest>, DriverError> {
        self.find_request(repository, which)
    }

    fn list(&self, filter: &Filter) -> Result<Vec<ChangeRequest>, DriverError> {
        self.list_requests(filter)
    }

    fn comment(&self, repository: &str, number: u64, key: &str, by: &str, text: &str) -> Result<(), DriverError> {
        self.seen(repository, number)?;
        self.database.comment((repository, number), key, by, text, self.clock.now())
    }

    fn check(&self, at: &At, checks: &[Check]) -> Result<(), DriverError> {
        self.at(at)?;
        self.database.check(at, checks)
    }

    fn approve(&self, at: &At, by: &str) -> Result<(), DriverError> {
        self.at(at)?;
        self.database.approve(at, by)
    }

    fn merge(&self, at: &At, by: &str) -> Result<Merge, DriverError> {
        self.merge_request(at, by)
    }

    fn close(&self, repository: &str, which: &Which) -> Result<(), DriverError> {
        self.close_request(repository, which)
    }

    fn update(&self, at: &At, head: &Head) -> Result<ChangeRequest, DriverError> {
        self.update_request(at, head)
    }

    fn edit(
        &self,
        repository: &str,
        number: u64,
        title: &str,
        description: &str,
    ) -> Result<ChangeRequest, DriverError> {
        self.edit_request(repository, number, title, description)
    }

    fn revert(&self, revert: &Revert) -> Result<Reverted, DriverError> {
        self.revert_request(revert)
    }
}

/// That something is not here.
fn unknown(what: &str) -> DriverError {
    DriverError::permanent(code::FORGE_UNKNOWN, format!("the forge has no {what}"))
}

/// The id of a commit that a caller names.
fn commit(text: &str) -> Result<ObjectId, DriverError> {
    ObjectId::parse(text)
}

//! A forge in memory: small repositories and what a forge does with them.

mod graph;
mod make;

pub use make::MakeMemory;

use super::{
    At, ChangeRequest, Check, Comment, Filter, Forge, Head, Merge, Open, Policy, Revert, Reverted, State, Which,
    hindrance,
};
use crate::clock::Clock;
use crate::error::DriverError;
use graph::{Graph, Joined};
use greylag_model::code::repository as code;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Change requests of repositories in memory. A merge is by whole files.
pub struct MemoryForge {
    clock: Arc<dyn Clock>,
    repositories: Mutex<BTreeMap<String, Held>>,
}

struct Held {
    graph: Graph,
    policy: Policy,
    changes: Vec<Change>,
}

/// A change request, with the checks and approvals of all its heads.
struct Change {
    request: ChangeRequest,
    checks: Vec<(String, Check)>,
    approvals: Vec<(String, String)>,
}

impl MemoryForge {
    /// Without repositories.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, repositories: Mutex::default() }
    }

    /// Makes a repository whose branch `main` has these files; answers its commit.
    pub fn make(&self, name: &str, policy: Policy, files: &[(&str, &str)]) -> String {
        let mut graph = Graph::default();
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let commit = graph.commit(&[], files);
        graph.branches.insert("main".to_owned(), commit.clone());
        self.lock().insert(name.to_owned(), Held { graph, policy, changes: Vec::new() });
        commit
    }

    /// Writes a commit; `None` deletes a file.
    pub fn commit(&self, name: &str, parent: &str, edits: &[(&str, Option<&str>)]) -> Result<String, DriverError> {
        self.with(name, |held| {
            let mut files = held.graph.files(parent)?.clone();
            for (path, text) in edits {
                match text {
                    Some(text) => files.insert((*path).to_owned(), (*text).to_owned()),
                    None => files.remove(*path),
                };
            }
            Ok(held.graph.commit(&[parent], files))
        })
    }

    /// Somebody moves a branch, whatever was there; `None` deletes it.
    pub fn push(&self, name: &str, branch: &str, commit: Option<&str>) -> Result<(), DriverError> {
        self.with(name, |held| {
            match commit {
                Some(commit) => held.graph.branches.insert(branch.to_owned(), commit.to_owned()),
                None => held.graph.branches.remove(branch),
            };
            Ok(())
        })
    }

    /// Where a branch is.
    pub fn branch(&self, name: &str, branch: &str) -> Result<Option<String>, DriverError> {
        self.with(name, |held| Ok(held.graph.branches.get(branch).cloned()))
    }

    /// A file of a commit.
    pub fn read(&self, name: &str, commit: &str, path: &str) -> Result<Option<String>, DriverError> {
        self.with(name, |held| Ok(held.graph.files(commit)?.get(path).cloned()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.repositories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, name: &str, work: impl FnOnce(&mut Held) -> Result<T, DriverError>) -> Result<T, DriverError> {
        work(self.lock().get_mut(name).ok_or_else(|| unknown(&format!("repository `{name}`")))?)
    }
}

fn unknown(what: &str) -> DriverError {
    DriverError::permanent(code::FORGE_UNKNOWN, format!("the forge has no {what}"))
}

fn wrong_state(change: &Change) -> DriverError {
    let (number, state) = (change.request.number, change.request.state.as_str());
    DriverError::permanent(code::FORGE_STATE, format!("the change request {number} is {state}"))
}

fn moved(change: &Change, seen: &str) -> DriverError {
    let (number, head) = (change.request.number, &change.request.head);
    DriverError::conflict(code::GIT_MOVED, format!("the change request {number} is at `{head}` now, not at `{seen}`"))
}

impl Held {
    fn find(&mut self, which: &Which) -> Option<&mut Change> {
        self.refresh();
        self.changes.iter_mut().find(|change| match which {
            Which::Number(number) => change.request.number == *number,
            Which::Key(key) => !key.is_empty() && change.request.key == *key,
        })
    }

    /// Heads are where their branches are.
    fn refresh(&mut self) {
        for change in &mut self.changes {
            if change.request.state == State::Open {
                match self.graph.branches.get(&change.request.branch) {
                    Some(head) => change.request.head.clone_from(head),
                    None => change.request.state = State::Closed,
                }
            }
        }
    }

    /// One that is open, and at the head that was seen.
    fn at(&mut self, at: &At) -> Result<&mut Change, DriverError> {
        let change = self.find(&Which::Number(at.number));
        let change = change.ok_or_else(|| unknown(&format!("change request {}", at.number)))?;
        if change.request.state != State::Open {
            return Err(wrong_state(change));
        }
        if change.request.head == at.head { Ok(change) } else { Err(moved(change, &at.head)) }
    }

    fn open(&mut self, open: &Open, reverts: Option<u64>) -> Result<ChangeRequest, DriverError> {
        self.graph.files(&open.head.commit)?;
        let known = self.find(&Which::Key(open.key.clone())).map(|change| change.request.clone());
        if let Some(request) = known.as_ref().filter(|request| request.state != State::Closed) {
            return self.find(&Which::Number(request.number)).map(|change| change.seen()).ok_or_else(|| unknown("it"));
        }
        if !self.graph.branches.contains_key(&open.base) {
            return Err(unknown(&format!("branch `{}`", open.base)));
        }
        if self.graph.branches.get(&open.branch).is_some_and(|there| *there != open.head.commit) {
            let message = format!("the branch `{}` is somebody else's", open.branch);
            return Err(DriverError::conflict(code::FORGE_TAKEN, message));
        }
        self.graph.branches.insert(open.branch.clone(), open.head.commit.clone());
        if let Some(change) = known.and_then(|request| self.find(&Which::Number(request.number))) {
            change.request.state = State::Open;
            change.request.head.clone_from(&open.head.commit);
            return Ok(change.seen());
        }
        let request = ChangeRequest {
            repository: open.repository.clone(),
            number: self.changes.len() as u64 + 1,
            key: open.key.clone(),
            branch: open.branch.clone(),
            base: open.base.clone(),
            head: open.head.commit.clone(),
            title: open.title.clone(),
            description: open.description.clone(),
            state: State::Open,
            checks: Vec::new(),
            comments: Vec::new(),
            approvals: Vec::new(),
            merge_commit: None,
            reverts,
        };
        self.changes.push(Change { request: request.clone(), checks: Vec::new(), approvals: Vec::new() });
        Ok(request)
    }

    fn merge(&mut self, at: &At) -> Result<Merge, DriverError> {
        let done = self.find(&Which::Number(at.number)).and_then(|change| change.request.merge_commit.clone());
        if let Some(commit) = done {
            return Ok(Merge::Merged { commit });
        }
        let policy = self.policy;
        let request = self.at(at)?.seen();
        if let Some(hindrance) = hindrance(policy, &request.checks, request.approvals.len()) {
            return Ok(hindrance);
        }
        let base = self.graph.branches.get(&request.base).cloned();
        let base = base.ok_or_else(|| unknown(&format!("branch `{}`", request.base)))?;
        let commit = match self.graph.merge(&base, &request.head)? {
            Joined::Commit(commit) => commit,
            Joined::Already => base,
            Joined::Conflict(paths) => return Ok(Merge::Conflict { paths }),
        };
        self.graph.branches.insert(request.base, commit.clone());
        self.graph.branches.remove(&request.branch);
        // Not through `at`: its branch is gone.
        for change in self.changes.iter_mut().filter(|change| change.request.number == at.number) {
            change.request.state = State::Merged;
            change.request.merge_commit = Some(commit.clone());
        }
        Ok(Merge::Merged { commit })
    }

    fn revert(&mut self, revert: &Revert) -> Result<Reverted, DriverError> {
        let merged = self.find(&Which::Number(revert.number));
        let merged = merged.ok_or_else(|| unknown(&format!("change request {}", revert.number)))?;
        let Some(commit) = merged.request.merge_commit.clone() else { return Err(wrong_state(merged)) };
        let base = merged.request.base.clone();
        let known = self.find(&Which::Key(revert.key.clone())).map(|change| change.seen());
        if let Some(known) = known.filter(|known| known.state != State::Closed) {
            return Ok(Reverted::Opened(Box::new(known)));
        }
        let onto = self.graph.branches.get(&base).cloned().ok_or_else(|| unknown(&format!("branch `{base}`")))?;
        let head = match self.graph.revert(&onto, &commit)? {
            Joined::Commit(head) => head,
            Joined::Already => return Ok(Reverted::Already),
            Joined::Conflict(paths) => return Ok(Reverted::Conflict { paths }),
        };
        let open = Open {
            repository: revert.repository.clone(),
            key: revert.key.clone(),
            branch: revert.branch.clone(),
            base,
            head: Head { commit: head, folder: std::path::PathBuf::new() },
            title: revert.title.clone(),
            description: revert.description.clone(),
        };
        self.open(&open, Some(revert.number)).map(|request| Reverted::Opened(Box::new(request)))
    }
}

impl Change {
    /// As it is told: with the checks and approvals of its head.
    fn seen(&self) -> ChangeRequest {
        let mut request = self.request.clone();
        request.checks = of(&self.checks, &request.head);
        request.checks.sort_by(|one, other| one.name.cmp(&other.name));
        request.approvals = of(&self.approvals, &request.head);
        request
    }
}

fn of<T: Clone>(all: &[(String, T)], head: &str) -> Vec<T> {
    all.iter().filter(|(of, _)| of == head).map(|(_, value)| value.clone()).collect()
}

impl Forge for MemoryForge {
    fn open(&self, open: &Open) -> Result<ChangeRequest, DriverError> {
        self.with(&open.repository, |held| held.open(open, None))
    }

    fn find(&self, repository: &str, which: &Which) -> Result<Option<ChangeRequest>, DriverError> {
        self.with(repository, |held| Ok(held.find(which).map(|change| change.seen())))
    }

    fn list(&self, filter: &Filter) -> Result<Vec<ChangeRequest>, DriverError> {
        let mut found = Vec::new();
        for (name, held) in self.lock().iter_mut() {
            if filter.repository.as_ref().is_some_and(|wanted| wanted != name) {
                continue;
            }
            held.refresh();
            found.extend(held.changes.iter().map(Change::seen));
        }
        let after = |request: &ChangeRequest| {
            filter.after.as_ref().is_none_or(|(name, number)| (&request.repository, request.number) > (name, *number))
        };
        found.retain(|request| filter.state.is_none_or(|state| request.state == state) && after(request));
        found.truncate(filter.limit);
        Ok(found)
    }

    fn comment(&self, repository: &str, number: u64, key: &str, by: &str, text: &str) -> Result<(), DriverError> {
        let at = self.clock.now();
        self.with(repository, |held| {
            let change = held.find(&Which::Number(number));
            let change = change.ok_or_else(|| unknown(&format!("change request {number}")))?;
            let comment = Comment { key: key.to_owned(), by: by.to_owned(), text: text.to_owned(), at };
            match change.request.comments.iter_mut().find(|comment| comment.key == key) {
                Some(there) => *there = Comment { at: there.at, ..comment },
                None => change.request.comments.push(comment),
            }
            Ok(())
        })
    }

    fn check(&self, at: &At, checks: &[Check]) -> Result<(), DriverError> {
        self.with(&at.repository, |held| {
            let change = held.at(at)?;
            for check in checks {
                change.checks.retain(|(head, there)| *head != at.head || there.name != check.name);
                change.checks.push((at.head.clone(), check.clone()));
            }
            Ok(())
        })
    }

    fn approve(&self, at: &At, by: &str) -> Result<(), DriverError> {
        self.with(&at.repository, |held| {
            let change = held.at(at)?;
            let approval = (at.head.clone(), by.to_owned());
            if !change.approvals.contains(&approval) {
                change.approvals.push(approval);
            }
            Ok(())
        })
    }

    fn merge(&self, at: &At, _by: &str) -> Result<Merge, DriverError> {
        self.with(&at.repository, |held| held.merge(at))
    }

    fn close(&self, repository: &str, which: &Which) -> Result<(), DriverError> {
        self.with(repository, |held| {
            let Some(change) = held.find(which) else { return Ok(()) };
            match change.request.state {
                State::Merged => return Err(wrong_state(change)),
                State::Closed => return Ok(()),
                State::Open => change.request.state = State::Closed,
            }
            let branch = change.request.branch.clone();
            held.graph.branches.remove(&branch);
            Ok(())
        })
    }

    fn update(&self, at: &At, head: &Head) -> Result<ChangeRequest, DriverError> {
        self.with(&at.repository, |held| {
            held.graph.files(&head.commit)?;
            // The second time it is there already.
            let there = held.at(&At { head: head.commit.clone(), ..at.clone() }).is_ok();
            let branch = if there { None } else { Some(held.at(at)?.request.branch.clone()) };
            if let Some(branch) = branch {
                held.graph.branches.insert(branch, head.commit.clone());
            }
            held.at(&At { head: head.commit.clone(), ..at.clone() }).map(|change| change.seen())
        })
    }

    fn edit(
        &self,
        repository: &str,
        number: u64,
        title: &str,
        description: &str,
    ) -> Result<ChangeRequest, DriverError> {
        self.with(repository, |held| {
            let change = held.find(&Which::Number(number));
            let change = change.ok_or_else(|| unknown(&format!("change request {number}")))?;
            if change.request.state != State::Open {
                return Err(wrong_state(change));
            }
            title.clone_into(&mut change.request.title);
            description.clone_into(&mut change.request.description);
            Ok(change.seen())
        })
    }

    fn revert(&self, revert: &Revert) -> Result<Reverted, DriverError> {
        self.with(&revert.repository, |held| held.revert(revert))
    }
}

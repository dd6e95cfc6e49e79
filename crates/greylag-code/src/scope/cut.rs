//! A repository cut into scopes.
//!
//! Each file has a part that it would be of by itself: that of its owner, or of the folder that it lies in. Files that change together
//! or not at all are of the part that most of them would be of, so that every change request is right when it is merged alone, in
//! whichever order. The names of parts tell what they are: an owner has a colon, a folder ends with `/`, and what is left is called
//! `unowned` or `rest`.
//!
//! **Invariant:** the same tree, changes and policy give the same parts. So what a step finds of its scope is what the plan said, and a
//! new file is of the part that its owner or path says; the parts have no file in common, whoever asks.

use crate::owners::Owners;
use crate::repository::joints::{Bundle, Why, most};
use crate::repository::{self, FileReport, Options, Report};
use crate::tree::Tree;
use greylag_model::consumer::TableChange;
use greylag_model::entity::EntityRef;
use greylag_model::plan::{Flow, makers_in_circles};
use greylag_model::spec::{ScopeBy, ScopesSpec};
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Files that a note names.
const NAMED: usize = 3;

/// A repository that was looked at, and how it is cut.
pub(super) struct Cut<'a> {
    policy: &'a ScopesSpec,
    owners: Owners,
    /// Whose files are, of those that were asked for.
    known: RefCell<BTreeMap<String, Option<EntityRef>>>,
    /// What was found in all of it.
    pub(super) report: Report,
    /// What is not cut apart, and the part that it is of.
    bundles: Vec<(Bundle, String)>,
    /// Which bundle a file is of.
    of: BTreeMap<String, usize>,
    flows: Vec<(String, Flow)>,
}

impl<'a> Cut<'a> {
    /// Looks at a repository and cuts it.
    pub(super) fn of(
        tree: &dyn Tree,
        changes: &[TableChange],
        policy: &'a ScopesSpec,
        options: Options<'_>,
    ) -> io::Result<Self> {
        let mut cut = Self {
            policy,
            owners: Owners::of(tree)?,
            known: RefCell::default(),
            report: Report::default(),
            bundles: Vec::new(),
            of: BTreeMap::new(),
            flows: Vec::new(),
        };
        let (report, joints) = repository::look_to_cut(tree, changes, options, &|path| cut.by_itself(path))?;
        let circles = makers_in_circles(joints.flows.iter().enumerate().map(|(number, (_, flow))| (number, flow)));
        let circles = circles.into_iter().map(|makers| Bundle {
            paths: makers.into_iter().map(|maker| joints.flows[maker].0.clone()).collect(),
            why: Why::Circle,
        });
        let bundles = joined(joints.bundles.into_iter().chain(circles));
        let part_of = |bundle: &Bundle| most(&bundle.paths, &|path| cut.by_itself(path)).unwrap_or_default();
        cut.bundles = bundles.into_iter().map(|bundle| (bundle.clone(), part_of(&bundle))).collect();
        for (number, (bundle, _)) in cut.bundles.iter().enumerate() {
            cut.of.extend(bundle.paths.iter().map(|path| (path.clone(), number)));
        }
        (cut.report, cut.flows) = (report, joints.flows);
        Ok(cut)
    }

    /// The part that a file would be of by itself.
    fn by_itself(&self, path: &str) -> String {
        match self.policy.by {
            ScopeBy::Repository => String::new(),
            ScopeBy::Owner => self.owner_of(path).map_or_else(|| "unowned".to_owned(), |owner| named(&owner)),
            ScopeBy::Path => {
                let lies_in = |folder: &&str| path.strip_prefix(*folder).is_some_and(|rest| rest.starts_with('/'));
                let folder = self.policy.folders().filter(lies_in).max_by_key(|folder| folder.len());
                folder.map_or_else(|| "rest".to_owned(), |folder| format!("{folder}/"))
            }
        }
    }

    fn owner_of(&self, path: &str) -> Option<EntityRef> {
        let known = self.known.borrow().get(path).cloned();
        known.unwrap_or_else(|| {
            let owner = self.owners.of_file(path).and_then(|owner| EntityRef::parse(&owner, "group"));
            self.known.borrow_mut().insert(path.to_owned(), owner.clone());
            owner
        })
    }

    /// The part that a file is of.
    pub(super) fn part_of(&self, path: &str) -> String {
        self.bundle(path).map_or_else(|| self.by_itself(path), |(_, part)| part.clone())
    }

    fn bundle(&self, path: &str) -> Option<&(Bundle, String)> {
        self.of.get(path).and_then(|number| self.bundles.get(*number))
    }

    /// The files that change together with a file, itself included.
    pub(super) fn with(&self, path: &str) -> BTreeSet<String> {
        self.bundle(path).map_or_else(|| BTreeSet::from([path.to_owned()]), |(bundle, _)| bundle.paths.clone())
    }

    /// Who answers for files: the owner of most of those that change; where none does, of most of them.
    pub(super) fn owner(&self, files: &[&FileReport]) -> Option<EntityRef> {
        let changed: Vec<&str> =
            files.iter().filter(|file| file.new.is_some()).map(|file| file.path.as_str()).collect();
        let all = || files.iter().map(|file| file.path.as_str()).collect();
        let paths: Vec<&str> = if changed.is_empty() { all() } else { changed };
        let mut counts: BTreeMap<Option<EntityRef>, usize> = BTreeMap::new();
        for path in paths {
            *counts.entry(self.owner_of(path)).or_default() += 1;
        }
        // Where as many are somebody's as are nobody's, somebody answers.
        let rank = |(owner, count): &(Option<EntityRef>, usize)| (*count, owner.is_some(), Reverse(owner.clone()));
        let most = counts.into_iter().max_by_key(rank);
        most.and_then(|(owner, _)| owner)
    }

    /// Which changed datasets files make of which others.
    pub(super) fn flows(&self, paths: &BTreeSet<&str>) -> Vec<Flow> {
        let flows = self.flows.iter().filter(|(path, _)| paths.contains(path.as_str())).map(|(_, flow)| flow.clone());
        flows.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Why files are of a part that they would not be of by themselves.
    pub(super) fn notes(&self, part: &str) -> Vec<String> {
        let mut notes = Vec::new();
        for (bundle, _) in self.bundles.iter().filter(|(_, of)| of == part) {
            let apart: Vec<(&String, String)> = bundle
                .paths
                .iter()
                .map(|path| (path, self.by_itself(path)))
                .filter(|(_, by_itself)| by_itself != part)
                .collect();
            if apart.is_empty() {
                continue;
            }
            let named: Vec<String> =
                apart.iter().take(NAMED).map(|(path, of)| format!("`{path}` (of `{of}`)")).collect();
            let more = match apart.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let verb = if apart.len() == 1 { "travels" } else { "travel" };
            let with = bundle.paths.iter().find(|path| self.by_itself(path) == part);
            let with = with.map(|path| format!(" with `{path}`")).unwrap_or_default();
            notes.push(format!("{}{more} {verb}{with}: {}", named.join(", "), bundle.why.words()));
        }
        notes
    }

    /// What of the file of owners cannot be read, if that matters.
    pub(super) fn unread(&self) -> Option<String> {
        let (file, unread) = (self.owners.file?, self.owners.unread);
        let matters = self.policy.by == ScopeBy::Owner && unread > 0;
        matters.then(|| match unread {
            1 => format!("a line of `{file}` cannot be read, and says nothing"),
            unread => format!("{unread} lines of `{file}` cannot be read, and say nothing"),
        })
    }
}

/// `group:payments`.
fn named(owner: &EntityRef) -> String {
    format!("{}:{}", owner.kind, owner.short())
}

/// Bundles that have a file in common as one each, for the strongest of their reasons.
fn joined(bundles: impl IntoIterator<Item = Bundle>) -> Vec<Bundle> {
    let mut joined: Vec<Bundle> = Vec::new();
    for mut bundle in bundles {
        let (met, apart): (Vec<Bundle>, Vec<Bundle>) =
            joined.into_iter().partition(|other| !other.paths.is_disjoint(&bundle.paths));
        for other in met {
            bundle.paths.extend(other.paths);
            bundle.why = bundle.why.max(other.why);
        }
        joined = apart;
        joined.push(bundle);
    }
    joined.sort_by(|one, other| one.paths.cmp(&other.paths));
    joined
}

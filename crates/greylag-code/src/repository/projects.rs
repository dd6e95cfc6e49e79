//! The dbt projects of a repository: each by itself, and those together that share what changes.
//!
//! A monorepo has projects with a folder of macros, or of models, between them: a local package of each. Such a file is read by every
//! project that has it, and by its own folder if that is a project, and one edit of it is an edit for all of them. So each project
//! is looked at by itself first; where one wants to change a file that another one reads, the two are looked at once more, together, and must
//! agree (see [`super::dbt`]). Most repositories have no such file, and pay nothing for it.
//!
//! **Invariants:** a file is edited only if every project that reads it renders as was asked for with the edit made; a file has one report,
//! whoever reads it.

use super::index::{self, Found, Index, Listing};
use super::joints::{Joints, PartOf};
use super::settings::{Purpose, Settings};
use super::ways::Cut;
use super::{FileReport, Options, Seen, dbt};
use crate::tree::{Tree, Version};
use greylag_model::consumer::TableChange;
use std::collections::{BTreeSet, HashSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// How projects are looked at.
pub(super) struct How<'a> {
    pub(super) tree: &'a dyn Tree,
    pub(super) paths: &'a [String],
    pub(super) changes: &'a [TableChange],
    pub(super) options: Options<'a>,
    /// What the repository says.
    pub(super) settings: &'a Settings,
    /// Where what hangs together is asked for: the part that a file would be of by itself.
    pub(super) part_of: Option<PartOf<'a>>,
}

/// Projects that were looked at together.
pub(super) struct Group {
    /// Their folders.
    pub(super) roots: Vec<String>,
    pub(super) files: Vec<FileReport>,
    pub(super) seen: Seen,
    /// Packages that are wanted and not there.
    pub(super) missing: BTreeSet<String>,
    /// Projects of which not all ways were looked at.
    pub(super) cuts: Vec<Cut>,
    /// What hangs together, if it was asked for.
    pub(super) joints: Joints,
    /// The paths that were read for them.
    read: HashSet<String>,
}

impl How<'_> {
    /// Looks at all projects.
    pub(super) fn look(&self, mut index: Option<&mut Index>) -> io::Result<Vec<Group>> {
        let mut groups = Vec::new();
        let roots = roots(self.paths);
        let is_alone = roots.len() == 1;
        for root in roots {
            match self.group(vec![root], index.as_deref_mut(), is_alone) {
                // A folder whose `dbt_project.yml` names no project is none, and its files are read as others are.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                found => groups.push(found?),
            }
        }
        // Each time there is one group less.
        while let Some((one, other)) = sharing(&groups) {
            let other = groups.remove(other);
            let roots = [groups[one].roots.clone(), other.roots].concat();
            let mut seen = groups[one].seen;
            seen.add(other.seen);
            groups[one] = Group { seen, ..self.group(roots, index.as_deref_mut(), false)? };
        }
        Ok(groups)
    }

    /// Looks at some projects together. Of one that is alone nobody has to know what was read for it.
    fn group(&self, roots: Vec<String>, index: Option<&mut Index>, is_alone: bool) -> io::Result<Group> {
        let names: Vec<String> = roots.iter().map(|root| format!("{root}/")).collect();
        let said = self.said(&roots);
        let listing = Listing { paths: self.paths, roots: &roots, said };
        let noted = Noted { below: self.tree, paths: Mutex::default() };
        let tree = if is_alone { self.tree } else { &noted };
        let mut joints = Joints::default();
        let found = index::unit(index, tree, &names.join("+"), &listing, |tree, found| {
            let mut projects = Vec::new();
            for root in &roots {
                let way = self.settings.way((tree, self.paths), root, self.options, Purpose::Deciding)?;
                projects.push((root.as_str(), way));
            }
            joints = dbt::look(tree, projects, self.changes, found, self.part_of)?;
            Ok(())
        })?;
        let Found { files, seen, missing, cuts } = found;
        let read = noted.paths.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Group { roots, files, seen, missing, cuts, joints, read })
    }

    /// What is said of projects, and by which they are read.
    fn said(&self, roots: &[String]) -> String {
        let dialect = self.settings.dialect.map(|dialect| dialect.to_string()).unwrap_or_default();
        let stated = roots.iter().map(|root| self.settings.stated(root, self.options));
        let stated = stated.filter(|stated| !stated.is_empty()).map(|stated| serde_json::json!(stated).to_string());
        stated.fold(dialect, |all, stated| all + "\0" + &stated)
    }
}

/// Two groups of which one wants to change what the other one reads, if there are any, the first one first.
fn sharing(groups: &[Group]) -> Option<(usize, usize)> {
    let changes = |group: &Group, other: &Group| {
        group.files.iter().any(|file| file.new.is_some() && other.read.contains(&file.path))
    };
    let pairs = (0..groups.len()).flat_map(|one| (one + 1..groups.len()).map(move |other| (one, other)));
    pairs
        .into_iter()
        .find(|(one, other)| changes(&groups[*one], &groups[*other]) || changes(&groups[*other], &groups[*one]))
}

/// Folders of projects of dbt that lie in no other's.
pub(crate) fn roots(paths: &[String]) -> Vec<String> {
    let mut roots: Vec<String> = Vec::new();
    let folders = paths.iter().filter_map(|path| {
        let folder = path.strip_suffix("dbt_project.yml")?;
        (folder.is_empty() || folder.ends_with('/')).then(|| folder.trim_end_matches('/').to_owned())
    });
    let mut folders: Vec<String> = folders.collect();
    folders.sort_by_key(|folder| (folder.matches('/').count() + usize::from(!folder.is_empty()), folder.clone()));
    for folder in folders {
        let inside = |root: &String| root.is_empty() || folder.starts_with(&format!("{root}/"));
        if !roots.iter().any(inside) {
            roots.push(folder);
        }
    }
    roots
}

/// A tree that notes which paths are asked for.
struct Noted<'a> {
    below: &'a dyn Tree,
    paths: Mutex<HashSet<String>>,
}

impl Noted<'_> {
    fn note(&self, path: &str) {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        if !paths.contains(path) {
            paths.insert(path.to_owned());
        }
    }
}

impl Tree for Noted<'_> {
    fn paths(&self) -> io::Result<Vec<String>> {
        self.below.paths()
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        self.note(path);
        self.below.read(path)
    }

    fn installed(&self, folder: &str) -> io::Result<Vec<String>> {
        self.below.installed(folder)
    }

    fn version(&self, path: &str) -> io::Result<Option<Version>> {
        // What an index has of a file stands for its bytes.
        self.note(path);
        self.below.version(path)
    }
}

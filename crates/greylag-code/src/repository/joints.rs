//! What of a repository hangs together, for whoever cuts it into parts.
//!
//! Two files that a look would change hang together where the change of one is right only with that of the other: a source or a model
//! with all that calls it by its new name, a macro with all that it is part of, an entry in YAML with what it is an entry of. In a project
//! of dbt this is known from who asked for which edit, and each part of a project is tried alone besides: with the edits of no other
//! part made, every rendering must be what it was or what was asked for. Where one is not, the project is one piece. A file of SQL that is
//! run as it stands hangs together with no other.

use super::Report;
use greylag_model::plan::Flow;
use greylag_model::reference::Role;
use std::collections::{BTreeMap, BTreeSet};

/// The name of the part that a file would be of by itself.
pub(crate) type PartOf<'a> = &'a dyn Fn(&str) -> String;

/// What hangs together.
#[derive(Debug, Default)]
pub(crate) struct Joints {
    /// Files that change together or not at all, each in at most one.
    pub(crate) bundles: Vec<Bundle>,
    /// Files that make one changed dataset of another.
    pub(crate) flows: Vec<(String, Flow)>,
}

impl Joints {
    /// Takes what hangs together elsewhere. Bundles with a file in common are one.
    pub(super) fn add(&mut self, other: Self) {
        self.flows.extend(other.flows);
        for mut bundle in other.bundles {
            let (met, rest) = std::mem::take(&mut self.bundles)
                .into_iter()
                .partition::<Vec<_>, _>(|known| !known.paths.is_disjoint(&bundle.paths));
            self.bundles = rest;
            for known in met {
                bundle.paths.extend(known.paths);
                bundle.why = bundle.why.max(known.why);
            }
            self.bundles.push(bundle);
        }
    }
}

/// Files that change together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// Their paths.
    pub(crate) paths: BTreeSet<String>,
    /// Why.
    pub(crate) why: Why,
}

/// Why files are not cut apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// The edits of one are wrong without those of the others.
    Edits,
    /// They are of a project in which parts were tried alone, and it rendered otherwise than was asked for.
    Project,
    /// They make datasets of one another in a circle.
    Circle,
}

impl Why {
    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Edits => "their edits only work together",
            Self::Project => "parts of their project do not render by themselves as they must",
            Self::Circle => "they make datasets of one another in a circle",
        }
    }
}

/// The part that most of some files would be of by themselves; the first by name where several have as many.
pub(crate) fn most<'a>(paths: impl IntoIterator<Item = &'a String>, part_of: PartOf<'_>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in paths {
        *counts.entry(part_of(path)).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(part, count)| (*count, std::cmp::Reverse(part.clone()))).map(|(part, _)| part)
}

/// Sets that have something in common, as one each, in the order of their first members.
pub(super) fn united<T: Copy + Ord>(sets: impl IntoIterator<Item = BTreeSet<T>>) -> Vec<BTreeSet<T>> {
    let mut united: BTreeMap<usize, BTreeSet<T>> = BTreeMap::new();
    let mut of: BTreeMap<T, usize> = BTreeMap::new();
    for (number, mut set) in sets.into_iter().enumerate().filter(|(_, set)| !set.is_empty()) {
        let met: BTreeSet<usize> = set.iter().filter_map(|member| of.get(member).copied()).collect();
        for other in met {
            set.extend(united.remove(&other).unwrap_or_default());
        }
        of.extend(set.iter().map(|member| (*member, number)));
        united.insert(number, set);
    }
    let mut united: Vec<BTreeSet<T>> = united.into_values().collect();
    united.sort();
    united
}

/// What files of SQL make of what, that are changed and run as they stand.
pub(super) fn flows_of_files<'a>(report: &'a Report, is_plain: impl Fn(&str) -> bool + 'a) -> Vec<(String, Flow)> {
    let mut flows = Vec::new();
    for file in report.files.iter().filter(|file| file.new.is_some() && is_plain(&file.path)) {
        let named = |role: Role| {
            let named = file.references.iter().filter(move |found| found.role == role && found.column.is_none());
            named.map(|found| found.dataset.as_str()).collect::<BTreeSet<_>>()
        };
        let (read, written) = (named(Role::Read), named(Role::Write));
        for from in &read {
            for to in written.iter().filter(|to| *to != from) {
                flows.push((file.path.clone(), Flow { from: (*from).to_owned(), to: (*to).to_owned() }));
            }
        }
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::{Bundle, Joints, Why, most, united};
    use std::collections::BTreeSet;

    #[test]
    fn sets_that_meet_are_one() {
        let sets = [vec![1, 2], vec![7], vec![4, 3], vec![], vec![2, 3], vec![9, 7]];
        let united = united(sets.map(|set| set.into_iter().collect::<BTreeSet<u32>>()));
        assert_eq!(united, [BTreeSet::from([1, 2, 3, 4]), BTreeSet::from([7, 9])]);
    }

    #[test]
    fn bundles_of_several_projects_that_share_a_file_are_one() {
        let of = |paths: &[&str], why| {
            let bundles = vec![Bundle { paths: paths.iter().map(|path| (*path).to_owned()).collect(), why }];
            Joints { bundles, flows: Vec::new() }
        };
        let mut joints = Joints::default();
        let all: [(&[&str], Why); 4] = [
            (&["a/1", "shared"], Why::Edits),
            (&["b/1"], Why::Edits),
            (&["shared", "c/1"], Why::Project),
            (&["c/1", "b/2"], Why::Edits),
        ];
        for (paths, why) in all {
            joints.add(of(paths, why));
        }
        let told: Vec<(Vec<&str>, Why)> = joints
            .bundles
            .iter()
            .map(|bundle| (bundle.paths.iter().map(String::as_str).collect(), bundle.why))
            .collect();
        assert_eq!(told, [(vec!["b/1"], Why::Edits), (vec!["a/1", "b/2", "c/1", "shared"], Why::Project)]);
    }

    #[test]
    fn most_files_say_where_all_go() {
        let paths = ["b/1", "a/1", "b/2", "a/2", "c/1"].map(str::to_owned);
        let part_of = |path: &str| path[..1].to_owned();
        assert_eq!(most(&paths, &part_of).as_deref(), Some("a"));
        assert_eq!(most(&paths[..3], &part_of).as_deref(), Some("b"));
        assert_eq!(most(&paths[..0], &part_of), None);
    }
}

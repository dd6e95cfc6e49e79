//! What was there must still be there, unchanged; and nothing else but the new datasets and their views.

use super::{CompareOptions, Comparison, Difference, DifferenceKind};
use crate::error::LabError;
use crate::generate::ORIGINAL;
use crate::manifest::{Entry, manifest_of};
use crate::truth::{self, DatasetTruth};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(super) fn compare(
    estate: &Path,
    options: &CompareOptions,
    datasets: &[DatasetTruth],
    comparison: &mut Comparison,
) -> Result<(), LabError> {
    let original: Vec<Entry> = truth::read_lines(estate, "manifest.ndjson")?;
    let original: BTreeMap<&str, &Entry> = original.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let now = manifest_of(estate, ORIGINAL, &|path| original.contains_key(path))?;
    let now: BTreeMap<&str, &Entry> = now.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let places = Places::new(options, datasets);
    let mut differ = |kind, path: &str, detail: String| {
        let dataset = places.owner(path).map(str::to_owned);
        comparison.differences.push(Difference { dataset, kind, detail });
    };
    let mut unchanged = 0;
    for (path, entry) in &original {
        let retired = !options.old_stays && !options.undone && places.is_old(path);
        match now.get(path) {
            None if retired => {}
            None => differ(DifferenceKind::Changed, path, format!("`{path}` is gone")),
            Some(_) if retired => differ(DifferenceKind::Leftover, path, format!("`{path}` is still there")),
            Some(found) if found.hash != entry.hash => {
                differ(DifferenceKind::Changed, path, format!("`{path}` has other content"));
            }
            Some(found) if found.mode != entry.mode => {
                let detail = format!("`{path}` has mode {:o}, had {:o}", found.mode, entry.mode);
                differ(DifferenceKind::Mode, path, detail);
            }
            Some(_) => unchanged += 1,
        }
    }
    for path in now.keys().filter(|path| !original.contains_key(*path)) {
        if options.undone || !places.is_expected(path) {
            differ(DifferenceKind::Leftover, path, format!("`{path}` was not there"));
        }
    }
    comparison.unchanged = unchanged;
    Ok(())
}

/// Which paths belong to which datasets.
struct Places<'a> {
    /// Path of each new dataset that must be migrated.
    new: BTreeMap<&'a str, &'a str>,
    /// Path of the old dataset of those.
    old: BTreeMap<&'a str, &'a str>,
    /// Views that may stand for the old names.
    views: BTreeSet<String>,
}

impl<'a> Places<'a> {
    fn new(options: &CompareOptions, datasets: &'a [DatasetTruth]) -> Self {
        let migrated = || datasets.iter().filter(|dataset| dataset.refused.is_none());
        let mut views = BTreeSet::new();
        if !options.undone {
            for dataset in migrated() {
                views.insert(format!("{}.sql", dataset.old_path));
                if let Some((stem, extension)) = dataset.old_path.rsplit_once('.')
                    && !extension.contains('/')
                {
                    views.insert(format!("{stem}.sql"));
                }
            }
        }
        Self {
            new: migrated().map(|dataset| (dataset.new_path.as_str(), dataset.to.as_str())).collect(),
            old: migrated().map(|dataset| (dataset.old_path.as_str(), dataset.to.as_str())).collect(),
            views,
        }
    }

    /// The dataset of `places` that the path is, or lies in.
    fn within(places: &BTreeMap<&'a str, &'a str>, path: &str) -> Option<&'a str> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        ends.into_iter().find_map(|end| places.get(&path[..end]).copied())
    }

    fn owner(&self, path: &str) -> Option<&'a str> {
        Self::within(&self.new, path).or_else(|| Self::within(&self.old, path))
    }

    fn is_old(&self, path: &str) -> bool {
        Self::within(&self.old, path).is_some()
    }

    /// Whether a migration may have put it there. What lies inside a new dataset is looked at with the dataset.
    fn is_expected(&self, path: &str) -> bool {
        Self::within(&self.new, path).is_some() || self.views.contains(path)
    }
}

//! Which files of a project change together or not at all, and whether what is left apart is right by itself.

use super::{Ask, Held, Look};
use crate::dbt::Target;
use crate::repository::joints::{Bundle, Joints, PartOf, Why, most, united};
use greylag_model::consumer::Class;
use greylag_model::plan::Flow;
use greylag_syntax::trace::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// The files that change for whom.
struct Changed {
    /// For each node that asks for something: all files without which that is not right.
    nodes: BTreeMap<usize, BTreeSet<FileId>>,
    /// The same for sources and makers that move.
    targets: BTreeMap<Target, BTreeSet<FileId>>,
}

impl Look<'_> {
    /// What hangs together. Nothing is to be asked of the look afterwards.
    pub(in crate::repository) fn joints(&mut self, part_of: PartOf<'_>) -> io::Result<Joints> {
        let changed = self.changed();
        let sets = changed.nodes.values().chain(changed.targets.values()).cloned();
        let alone = self.edits().iter().map(|edit| BTreeSet::from([edit.file])).collect::<BTreeSet<_>>();
        let bundles: Vec<BTreeSet<String>> =
            united(sets.chain(alone)).iter().map(|files| self.paths_of(files)).collect();
        let mut parts: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
        for paths in &bundles {
            parts.entry(most(paths, part_of)).or_default().extend(paths.iter().cloned());
        }
        let flows = self.flows();
        let several = parts.len() > 1;
        for paths in parts.values().filter(|_| several) {
            if !self.stands_alone(&changed, paths)? {
                let paths = parts.into_values().flatten().collect();
                return Ok(Joints { bundles: vec![Bundle { paths, why: Why::Project }], flows });
            }
        }
        let bundles = bundles.into_iter().map(|paths| Bundle { paths, why: Why::Edits }).collect();
        Ok(Joints { bundles, flows })
    }

    fn paths_of(&self, files: &BTreeSet<FileId>) -> BTreeSet<String> {
        files.iter().map(|file| self.project.files.path(*file).to_owned()).collect()
    }

    fn changed(&self) -> Changed {
        let asked = self.asks.iter().filter(|(_, ask)| ask.held.is_none());
        let mut nodes: BTreeMap<usize, BTreeSet<FileId>> =
            asked.map(|(node, ask)| (*node, ask.edits.iter().map(|edit| edit.file).collect())).collect();
        let mut targets = BTreeMap::new();
        for target in self.moving() {
            let edits = self.moved_target(target).unwrap_or_default();
            let mut files: BTreeSet<FileId> = edits.iter().map(|edit| edit.file).collect();
            if let Target::Node(maker) = target {
                files.extend(self.new_path(maker).map(|(file, _)| file));
            }
            // Who reads it reads the new columns with its new name, and the old ones with the old.
            let readers: Vec<usize> = self.readers(target).filter(|reader| nodes.contains_key(reader)).collect();
            files.extend(readers.iter().filter_map(|reader| nodes.get(reader)).flatten().copied());
            for reader in readers {
                nodes.entry(reader).or_default().extend(files.iter().copied());
            }
            targets.insert(target, files);
        }
        Changed { nodes, targets }
    }

    /// Whether a part of the changes, made without the others, leaves every rendering as it was or makes it what was asked for.
    fn stands_alone(&mut self, changed: &Changed, part: &BTreeSet<String>) -> io::Result<bool> {
        let is_out = |look: &Self, files: &BTreeSet<FileId>| {
            files.first().is_some_and(|file| !part.contains(look.project.files.path(*file)))
        };
        let outside = Held { class: Class::Agentic, why: String::new() };
        let targets: Vec<Target> =
            changed.targets.iter().filter(|(_, files)| is_out(self, files)).map(|(target, _)| *target).collect();
        let nodes: Vec<usize> =
            changed.nodes.iter().filter(|(_, files)| is_out(self, files)).map(|(node, _)| *node).collect();
        let noted = self.asks.iter().filter(|(_, ask)| !ask.unnoted && ask.held.is_some());
        let noted: Vec<usize> = noted
            .filter(|(_, ask)| is_out(self, &ask.notes.iter().map(|note| note.file).collect()))
            .map(|(node, _)| *node)
            .collect();
        for target in &targets {
            self.held.insert(*target, outside.clone());
        }
        self.each(&nodes, |ask| ask.held = Some(outside.clone()));
        self.each(&noted, |ask| ask.unnoted = true);
        let edits = self.edits();
        let stands = self.trial(&edits)?.is_right;
        for target in &targets {
            self.held.remove(target);
        }
        self.each(&nodes, |ask| ask.held = None);
        self.each(&noted, |ask| ask.unnoted = false);
        Ok(stands)
    }

    fn each(&mut self, nodes: &[usize], change: impl Fn(&mut Ask)) {
        for node in nodes {
            if let Some(ask) = self.asks.get_mut(node) {
                change(ask);
            }
        }
    }

    /// Which changed datasets models make of which others, by way of whichever models, with the file of the model.
    fn flows(&self) -> Vec<(String, Flow)> {
        let own = |change: &usize| *change < self.own;
        let mut flows = BTreeSet::new();
        for target in self.moving() {
            let Target::Node(maker) = target else { continue };
            let Some(to) = self.makers.get(&maker).filter(|change| own(change)) else { continue };
            let path = self.project.files.path(self.project.nodes[maker].file);
            let (mut seen, mut queue) = (BTreeSet::from([maker]), vec![maker]);
            while let Some(node) = queue.pop() {
                for edge in &self.project.nodes[node].edges {
                    let read = match edge.target {
                        Target::Source(source) => self.concerned[source],
                        Target::Node(node) => self.makers.get(&node).copied().filter(own),
                    };
                    match (read, edge.target) {
                        (Some(from), _) if from != *to && !self.held.contains_key(&edge.target) => {
                            let [from, to] = [from, *to].map(|change| self.changes[change].dataset.clone());
                            flows.insert((path.to_owned(), Flow { from, to }));
                        }
                        (None, Target::Node(node)) if seen.insert(node) => queue.push(node),
                        _ => {}
                    }
                }
            }
        }
        flows.into_iter().collect()
    }
}

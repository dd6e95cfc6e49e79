//! Projects that read the same files: an edit of one of them is right in each, or it is not made.
//!
//! Each project has settled what it asks for by itself. Then every project is tried with the edits that the others want in files that it
//! reads, besides its own. A rendering that is not as this project asks for is the fault of the others' edits that it is made of: whoever wants
//! them gives them up, with all that hangs on them, and settles again. Where two want different things of the same bytes, both give up.
//! A file goes to another place only if all that read it want it there.
//!
//! What was given up is never asked for again, so this ends.

use super::trial::Trial;
use super::{Held, Look, Placed};
use crate::dbt::Target;
use crate::repository::{Seen, within};
use greylag_model::consumer::Class;
use greylag_syntax::trace::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// How often projects try to agree before no file is edited that more than one of them reads.
const ROUNDS: usize = 12;

/// What other projects say of this one's edits.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Edits that must not be made, and why.
    refused: BTreeMap<Placed, String>,
    /// Files that must stay as they are, and why.
    stays: BTreeMap<FileId, String>,
}

/// What a project gives up.
enum Refusal {
    Edit(Placed),
    File(FileId),
}

/// Has projects agree on the files that more than one of them reads.
pub(super) fn agree(looks: &mut [Look<'_>]) -> io::Result<()> {
    let mut round = 0;
    while looks.len() > 1 {
        let refusals = if round < ROUNDS { disagreements(looks)? } else { all_shared(looks) };
        if refusals.is_empty() {
            break;
        }
        let mut again = BTreeSet::new();
        for (look, refusal, why) in refusals {
            let others = &mut looks[look].others;
            match refusal {
                Refusal::Edit(edit) => others.refused.entry(edit).or_insert(why),
                Refusal::File(file) => others.stays.entry(file).or_insert(why),
            };
            again.insert(look);
        }
        for look in again {
            looks[look].work(&mut Seen::default())?;
        }
        round += 1;
    }
    Ok(())
}

/// What each project has to give up, and why.
fn disagreements(looks: &[Look<'_>]) -> io::Result<Vec<(usize, Refusal, String)>> {
    let wanted: Vec<BTreeSet<Placed>> = looks.iter().map(Look::edits).collect();
    let mut refusals = moves(looks);
    for (number, look) in looks.iter().enumerate() {
        let mut foreign: BTreeMap<Placed, Vec<(usize, Placed)>> = BTreeMap::new();
        for (other, edits) in wanted.iter().enumerate().filter(|(other, _)| *other != number) {
            for edit in edits {
                let here = looks[other].translated(edit, look).filter(|here| !wanted[number].contains(here));
                if let Some(here) = here {
                    foreign.entry(here).or_default().push((other, edit.clone()));
                }
            }
        }
        if foreign.is_empty() {
            continue;
        }
        let all: BTreeSet<Placed> = wanted[number].iter().chain(foreign.keys()).cloned().collect();
        let overlapping = Look::overlapping(&all);
        if !overlapping.is_empty() {
            let owners = overlapping.iter().filter_map(|edit| foreign.get(edit)).flatten();
            let names: BTreeSet<String> = owners.map(|(other, _)| looks[*other].name()).chain([look.name()]).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(" and ");
            let why = format!("{names} want different changes of the same bytes");
            for edit in overlapping {
                let owners = foreign.remove(&edit).unwrap_or_else(|| vec![(number, edit)]);
                refusals.extend(owners.into_iter().map(|(owner, edit)| (owner, Refusal::Edit(edit), why.clone())));
            }
            continue;
        }
        let Trial { wrong, is_right, .. } = look.trial(&all)?;
        if is_right {
            continue;
        }
        let why = look.would_change(&wrong);
        let touching: Vec<Placed> = foreign.keys().filter(|edit| look.touched(&wrong, edit)).cloned().collect();
        // Where none of them is found to be at fault, any of them may be.
        let guilty = if touching.is_empty() { foreign.keys().cloned().collect() } else { touching };
        for (other, edit) in guilty.iter().filter_map(|edit| foreign.remove(edit)).flatten() {
            refusals.push((other, Refusal::Edit(edit), why.clone()));
        }
    }
    Ok(refusals)
}

/// Files that one project wants elsewhere and another one, which reads them, does not.
fn moves(looks: &[Look<'_>]) -> Vec<(usize, Refusal, String)> {
    let mut refusals = Vec::new();
    for (number, look) in looks.iter().enumerate() {
        for (file, path) in look.moves() {
            let stays = looks.iter().enumerate().filter(|(other, _)| *other != number).find(|(_, other)| {
                let there = other.project.files.find(look.project.files.path(file));
                there.is_some_and(|there| other.moves().get(&there) != Some(&path))
            });
            if let Some((_, other)) = stays {
                let why = format!("{} reads it, too, and leaves it where it is", other.name());
                refusals.push((number, Refusal::File(file), why));
            }
        }
    }
    refusals
}

/// All that any project wants of files that another one reads.
fn all_shared(looks: &[Look<'_>]) -> Vec<(usize, Refusal, String)> {
    let mut refusals = Vec::new();
    for (number, look) in looks.iter().enumerate() {
        let files: BTreeSet<FileId> =
            look.edits().into_iter().map(|edit| edit.file).chain(look.moves().into_keys()).collect();
        for file in files {
            let path = look.project.files.path(file);
            let others = looks.iter().enumerate().filter(|(other, _)| *other != number);
            if let Some((_, other)) = others.into_iter().find(|(_, other)| other.project.files.find(path).is_some()) {
                let why = format!("{} reads it, too, and they come to no agreement", other.name());
                refusals.push((number, Refusal::File(file), why));
            }
        }
    }
    refusals
}

impl Look<'_> {
    /// Leaves the files of installed packages as they are.
    pub(super) fn leave_installed(&mut self) {
        for package in self.project.packages.iter().filter(|package| package.installed) {
            let files = self.project.files.iter();
            let inside = files.filter(|(_, path, _)| within(&package.root, path)).map(|(file, ..)| file);
            let why = format!("it is made in the installed package `{}`, which `dbt deps` writes anew", package.name);
            self.others.stays.extend(inside.map(|file| (file, why.clone())));
        }
    }

    /// The project, for people.
    fn name(&self) -> String {
        let folder = if self.root.is_empty() { self.project.name.as_str() } else { self.root };
        format!("the project `{folder}`")
    }

    /// An edit as one of another project, if that reads the file.
    fn translated(&self, edit: &Placed, other: &Look<'_>) -> Option<Placed> {
        let file = other.project.files.find(self.project.files.path(edit.file))?;
        Some(Placed { file, ..edit.clone() })
    }

    fn would_change(&self, wrong: &[usize]) -> String {
        let paths: BTreeSet<&str> =
            wrong.iter().map(|node| self.project.files.path(self.project.nodes[*node].file)).collect();
        let named: Vec<&str> = paths.into_iter().take(3).collect();
        if named.is_empty() {
            return format!("{} reads it, too, and would be another one", self.name());
        }
        format!("{} reads it, too, and `{}` would be another text there", self.name(), named.join("`, `"))
    }

    /// Holds whatever wants an edit that other projects do not agree with; whether there was any.
    pub(super) fn heed(&mut self, edits: &BTreeSet<Placed>) -> bool {
        let mut refused: BTreeMap<String, BTreeSet<Placed>> = BTreeMap::new();
        for edit in edits {
            if let Some(why) = self.others.refused.get(edit).or_else(|| self.others.stays.get(&edit.file)) {
                refused.entry(why.clone()).or_default().insert(edit.clone());
            }
        }
        let mut found = !refused.is_empty();
        for (why, edits) in refused {
            self.hold_owners(&edits, &why);
        }
        let makers = self.moving().into_iter().filter_map(|target| match target {
            Target::Node(maker) => Some((target, self.others.stays.get(&self.new_path(maker)?.0)?.clone())),
            Target::Source(_) => None,
        });
        for (target, why) in makers.collect::<Vec<_>>() {
            self.hold_target(target, &Held { class: Class::Agentic, why });
            found = true;
        }
        found
    }
}

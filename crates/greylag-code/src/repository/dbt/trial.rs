//! The trial: the project with its edits made must render as was asked for, everywhere.

use super::{Look, Placed};
use crate::dbt::{self, Node, NodeRendering};
use crate::tree::Overlay;
use greylag_model::consumer::Class;
use greylag_syntax::edit::{Edit, apply};
use greylag_syntax::trace::Origin;
use std::collections::BTreeSet;
use std::io;

impl Look<'_> {
    /// Makes the edits in a copy and renders all of it again; holds whoever is to blame for a rendering that is not as it
    /// must be. Whether there was none.
    pub(super) fn tried(&mut self, edits: &BTreeSet<Placed>) -> io::Result<bool> {
        let files = &self.project.files;
        let mut overlay = Overlay::new(self.tree);
        for (file, edits) in Self::by_file(edits) {
            let edited = apply(files.text(file), &edits).map_err(|error| io::Error::other(error.to_string()))?;
            overlay.put(files.path(file), edited.text);
        }
        let after = dbt::read(&overlay, self.root, self.options)?;
        let mut wrong = Vec::new();
        for (number, node) in self.project.nodes.iter().enumerate() {
            // The order of nodes follows from names and paths, which no edit changes.
            let same =
                after.nodes.get(number).is_some_and(|after| after.id == node.id && self.as_asked(number, node, after));
            if !same {
                wrong.push(number);
            }
        }
        if wrong.is_empty() && after.nodes.len() == self.project.nodes.len() {
            return Ok(true);
        }
        let held = self.blame(&wrong, edits);
        if !held {
            // Nobody is found: nothing of it is sure.
            self.hold_owners(edits, "with the changes made, the project renders otherwise than was asked for");
        }
        Ok(false)
    }

    /// Whether a node's new renderings are its old ones with its demands made.
    fn as_asked(&self, number: usize, before: &Node, after: &Node) -> bool {
        let ask = self.asks.get(&number);
        let all = before.renderings.iter().zip(&after.renderings).enumerate();
        before.renderings.len() == after.renderings.len()
            && all.into_iter().all(|(at, (before, after))| match (&before.text, &after.text) {
                // A way that is none has no wishes, and nobody sees it.
                (Ok(_), Ok(_)) if ask.is_some_and(|ask| ask.wanted.get(at).is_some_and(Option::is_none)) => true,
                (Ok(old), Ok(new)) => {
                    let demands = ask.and_then(|ask| Some(ask.made(ask.wanted.get(at)?.as_ref()?))).unwrap_or_default();
                    let edits: Vec<Edit> =
                        demands.iter().map(|demand| Edit { at: demand.at.clone(), by: demand.by.clone() }).collect();
                    apply(old.text(), &edits).is_ok_and(|expected| expected.text == new.text())
                }
                (Err(_), Err(_)) => true,
                _ => false,
            })
    }

    /// Holds the nodes that are not as they must be, and whoever edits bytes that they are made of. Whether anybody was.
    fn blame(&mut self, wrong: &[usize], edits: &BTreeSet<Placed>) -> bool {
        let mut guilty = BTreeSet::new();
        for number in wrong {
            let node = &self.project.nodes[*number];
            for rendering in &node.renderings {
                guilty.extend(edits.iter().filter(|edit| touches(rendering, edit)).cloned());
            }
        }
        let mut held = !guilty.is_empty();
        for number in wrong {
            let path = self.project.files.path(self.project.nodes[*number].file).to_owned();
            let Some(ask) = self.asks.get_mut(number) else { continue };
            held |= !ask.unnoted && !ask.notes.is_empty();
            ask.unnoted = true;
            if ask.held.is_none() {
                ask.hold(
                    Class::Agentic,
                    format!("with the changes made, `{path}` renders otherwise than was asked for"),
                );
                held = true;
            }
        }
        let names: Vec<&str> = wrong.iter().map(|node| self.project.nodes[*node].name.as_str()).take(3).collect();
        let why = format!("the same bytes are used where they must stay, by `{}`", names.join("`, `"));
        self.hold_owners(&guilty, &why);
        held
    }
}

/// Whether a rendering is made of bytes that an edit changes.
fn touches(rendering: &NodeRendering, edit: &Placed) -> bool {
    let Ok(text) = &rendering.text else { return false };
    let within = |span: &greylag_syntax::trace::Span| {
        span.file == edit.file && (span.start as usize) < edit.end.max(edit.start + 1) && edit.start < span.end as usize
    };
    text.stretches().any(|(_, origin)| match origin {
        Origin::Copied(span) => within(span),
        Origin::Made { of, .. } => of.iter().any(within),
        Origin::Generated => false,
    })
}

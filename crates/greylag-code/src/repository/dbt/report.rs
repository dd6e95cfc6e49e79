//! What became of each file.

use super::{Held, Look};
use crate::dbt::Target;
use crate::repository::{FileReport, Located, line_and_position};
use crate::rewrite::{Finding, Found};
use greylag_model::consumer::Class;
use greylag_model::reference::{Confidence, Reference, Role};
use greylag_model::spec::Outputs;
use greylag_syntax::edit::apply;
use greylag_syntax::trace::{FileId, Origin, Span, Traced};
use std::collections::BTreeMap;
use std::ops::Range;

impl Look<'_> {
    /// The files that refer to a changed dataset or are edited, by path.
    pub(super) fn reports(&self) -> Vec<FileReport> {
        let mut files: BTreeMap<FileId, FileReport> = BTreeMap::new();
        let edits = self.edits();
        for (number, ask) in &self.asks {
            let node = &self.project.nodes[*number];
            let path = self.project.files.path(node.file).to_owned();
            let affected =
                ask.held.is_some() || ask.wanted.iter().flatten().any(|wanted| !wanted.references.is_empty());
            if affected {
                // A file whose bytes stay is not affected, whatever a macro makes of it.
                let class = ask.held.as_ref().map_or(Class::Unaffected, |held| held.class);
                let file = self.file(&mut files, node.file);
                file.class = file.class.max(class);
            }
            for (rendering, wanted) in node.renderings.iter().zip(&ask.wanted) {
                let (Ok(text), Some(wanted)) = (&rendering.text, wanted) else { continue };
                for found in &wanted.references {
                    let at = self.source_of(text, found.at.clone(), node.at);
                    let reference = self.reference(found, at, (at.file != node.file).then(|| path.clone()));
                    self.file(&mut files, at.file).references.push(reference);
                }
                for finding in &wanted.findings {
                    let at = self.source_of(text, finding.at.clone(), node.at);
                    let located = self.located(finding, at);
                    self.file(&mut files, at.file).findings.push(located);
                }
            }
            if let Some(held) = &ask.held {
                let place = Span { end: node.at.start, ..node.at };
                let change =
                    ask.wanted.iter().flatten().flat_map(|wanted| &wanted.references).map(|found| found.change).next();
                let located = self.held(held, place, change.or_else(|| self.first_change(*number)));
                let file = self.file(&mut files, node.file);
                if !file.findings.iter().any(|finding| finding.why == held.why) {
                    file.findings.push(located);
                }
            }
        }
        for (file, held) in &self.refused {
            let report = self.file(&mut files, *file);
            report.class = report.class.max(held.class);
            let located = self.held(held, Span::new(*file, 0..0), None);
            if !report.findings.iter().any(|finding| finding.why == held.why) {
                report.findings.push(located);
            }
        }
        for (at, change, held) in &self.idle {
            let located = self.held(held, *at, Some(*change));
            let report = self.file(&mut files, at.file);
            report.class = report.class.max(held.class);
            report.findings.push(located);
        }
        for (target, held) in &self.held {
            let Target::Source(source) = target else { continue };
            let table = &self.project.sources[*source];
            let Some(at) = table.identifier.copy_of(0..table.identifier.text().len()) else { continue };
            let located = self.held(held, at, self.concerned[*source]);
            // The file that declares it may change for other sources; what is difficult is elsewhere.
            self.file(&mut files, at.file).findings.push(located);
        }
        for (node, why) in &self.kept {
            let Some(ask) = self.asks.get(node).filter(|ask| ask.held.is_none() && !ask.edits.is_empty()) else {
                continue;
            };
            let change =
                ask.wanted.iter().flatten().flat_map(|wanted| &wanted.references).map(|found| found.change).next();
            if change.is_some_and(|change| self.changes[change].outputs == Outputs::Propagate) {
                let place = self.project.nodes[*node].at;
                let why = format!("its outputs keep their names: {why}");
                let held = Held { class: Class::Mechanical, why };
                let located = self.held(&held, Span { end: place.start, ..place }, change);
                self.file(&mut files, place.file).findings.push(located);
            }
        }
        for (reference, file) in self.declarations().into_iter().chain(self.entries()) {
            self.file(&mut files, file).references.push(reference);
        }
        for (file, edits) in Self::by_file(&edits) {
            let report = self.file(&mut files, file);
            report.class = report.class.max(Class::Mechanical);
            report.new = apply(&report.old, &edits).ok().map(|edited| edited.text);
            report.edits = edits;
        }
        for (file, path) in self.moves() {
            let report = self.file(&mut files, file);
            report.class = report.class.max(Class::Mechanical);
            report.moved = Some(path);
            report.new.get_or_insert_with(|| report.old.clone());
        }
        let mut reports: Vec<FileReport> = files.into_values().collect();
        for report in &mut reports {
            join(&mut report.references);
            without_repetitions(&mut report.references);
            report.findings.sort_by_key(|finding| (finding.at.start, finding.at.end, finding.class));
            report.findings.dedup();
        }
        reports.sort_by(|one, other| one.path.cmp(&other.path));
        reports
    }

    /// What YAML says of concerned sources: their names and columns, and tests that name them.
    fn declarations(&self) -> Vec<(Reference, FileId)> {
        let mut found = Vec::new();
        for (number, source) in self.project.sources.iter().enumerate() {
            let Some(change) = self.concerned[number] else { continue };
            let known = |name: &str| self.changes[change].column(name).map(|column| column.name.clone());
            let mut add = |text: &Traced, column: Option<String>, role: Role| {
                let Some(at) = text.copy_of(0..text.text().len()) else { return };
                let (confidence, why) = (Confidence::Certain, String::new());
                let said = Found { at: 0..0, change, column, role, confidence, why };
                found.push((self.reference(&said, at, None), at.file));
            };
            add(&source.identifier, None, Role::Declare);
            if source.table != source.identifier {
                add(&source.table, None, Role::Declare);
            }
            for column in &source.columns {
                add(&column.name, known(column.name.text()), Role::Declare);
            }
            let target = Target::Source(number);
            let tests = self.project.tests.iter().filter(|test| test.edges.iter().any(|edge| edge.target == target));
            for (name, argument) in tests.flat_map(|test| &test.arguments) {
                match known(argument.text()).filter(|_| name == "field") {
                    Some(column) => add(argument, Some(column), Role::Test),
                    None if argument.text().contains(source.table.text()) => add(argument, None, Role::Test),
                    None => {}
                }
            }
        }
        found.extend(self.maker_declarations());
        found
    }

    /// What YAML says of makers: their names and columns, and what refers to them.
    fn maker_declarations(&self) -> Vec<(Reference, FileId)> {
        let mut found = Vec::new();
        for (maker, change) in &self.makers {
            let node = &self.project.nodes[*maker];
            let known = |name: &str| self.changes[*change].column(name).map(|column| column.name.clone());
            let mut add = |at: Span, column: Option<String>| {
                let (confidence, why, role) = (Confidence::Certain, String::new(), Role::Declare);
                let said = Found { at: 0..0, change: *change, column, role, confidence, why };
                found.push((self.reference(&said, at, None), at.file));
            };
            node.name_at.iter().for_each(|at| add(*at, None));
            for column in &node.columns {
                if let Some(at) = column.name.copy_of(0..column.name.text().len()) {
                    add(at, known(column.name.text()));
                }
            }
            let target = Target::Node(*maker);
            let exposures = self.project.exposures.iter().flat_map(|exposure| &exposure.edges);
            let tests = self.project.tests.iter().flat_map(|test| &test.edges);
            for (_, literals) in
                exposures.chain(tests).filter(|edge| edge.target == target).flat_map(|edge| &edge.places)
            {
                literals.last().into_iter().for_each(|at| add(*at, None));
            }
        }
        found
    }

    fn file<'b>(&self, files: &'b mut BTreeMap<FileId, FileReport>, file: FileId) -> &'b mut FileReport {
        files.entry(file).or_insert_with(|| FileReport {
            path: self.project.files.path(file).to_owned(),
            class: Class::Unaffected,
            references: Vec::new(),
            findings: Vec::new(),
            edits: Vec::new(),
            old: self.project.files.text(file).to_string(),
            new: None,
            moved: None,
        })
    }

    /// The bytes of a file behind a place of a rendering; the node's own if nothing that stands in a file made it.
    fn source_of(&self, text: &Traced, at: Range<usize>, node: Span) -> Span {
        let pieces = text.pieces(at);
        let copied = pieces.iter().find_map(|(_, origin)| match origin {
            Origin::Copied(span) => Some(*span),
            _ => None,
        });
        let made = pieces.iter().find_map(|(_, origin)| match origin {
            Origin::Made { of, .. } => of.last().copied(),
            _ => None,
        });
        match pieces.as_slice() {
            [(_, Origin::Copied(first)), .., (_, Origin::Copied(last))]
                if first.file == last.file && first.start <= last.end =>
            {
                Span { end: last.end, ..*first }
            }
            _ => copied.or(made).unwrap_or(Span { end: node.start, ..node }),
        }
    }

    pub(super) fn reference(&self, found: &Found, at: Span, via: Option<String>) -> Reference {
        let text = self.project.files.text(at.file);
        let (line, position) = line_and_position(text, at.start as usize);
        Reference {
            path: self.project.files.path(at.file).to_owned(),
            start: at.start,
            end: at.end,
            line,
            position,
            dataset: self.changes[found.change].dataset.clone(),
            column: found.column.clone(),
            role: found.role,
            confidence: found.confidence,
            why: found.why.clone(),
            via: via.into_iter().collect(),
        }
    }

    fn located(&self, finding: &Finding, at: Span) -> Located {
        let (line, position) = line_and_position(self.project.files.text(at.file), at.start as usize);
        Located {
            at: at.range(),
            line,
            position,
            class: finding.class,
            why: finding.why.clone(),
            dataset: self.changes[finding.change].dataset.clone(),
            column: finding.column.clone(),
        }
    }

    fn held(&self, held: &Held, at: Span, change: Option<usize>) -> Located {
        let (line, position) = line_and_position(self.project.files.text(at.file), at.start as usize);
        let dataset = change.map(|change| self.changes[change].dataset.clone()).unwrap_or_default();
        Located { at: at.range(), line, position, class: held.class, why: held.why.clone(), dataset, column: None }
    }

    fn first_change(&self, node: usize) -> Option<usize> {
        let made = |node: usize| self.makers.get(&node).copied();
        let read = self.project.nodes[node].edges.iter().find_map(|edge| match edge.target {
            Target::Source(source) => self.concerned[source],
            Target::Node(maker) => made(maker),
        });
        made(node).or(read)
    }
}

/// Sorts references and makes one of those that are of one place and differ in nothing but the code that reads through it.
pub(in crate::repository) fn join(references: &mut Vec<Reference>) {
    references.sort();
    references.dedup_by(|next, first| {
        let via = std::mem::take(&mut next.via);
        let before = std::mem::take(&mut first.via);
        let is_same = *next == *first;
        first.via = before;
        if is_same {
            first.via.extend(via);
            first.via.sort();
            first.via.dedup();
        } else {
            next.via = via;
        }
        is_same
    });
}

/// A declaration that another reference to the same dataset covers says nothing more: what is renamed with a model is declared
/// by its entry, too.
fn without_repetitions(references: &mut Vec<Reference>) {
    let all = references.clone();
    let covers = |wide: &Reference, one: &Reference| {
        wide.dataset == one.dataset && wide.start <= one.start && one.end <= wide.end && wide != one
    };
    references.retain(|one| {
        let bare = one.role == Role::Declare && one.column.is_none();
        !bare || !all.iter().any(|wide| covers(wide, one))
    });
}

//! What a plan says of the code that reads its datasets.

use super::{GROUPS, LineKind, NAMES, Page, number};
use crate::consumer::Class;
use crate::plan::{ConsumerTotals, FileClass, Plan, PlanTask};

impl Page {
    /// The code that reads the datasets: the funnel, and what each scope comes to.
    pub(super) fn consumers(&mut self, plan: &Plan) {
        let Some(totals) = &plan.header.consumers else { return };
        let scopes = plan.header.totals.scopes as usize;
        for scope in plan.tasks.iter().filter_map(PlanTask::scope).take(self.shown(scopes, GROUPS)) {
            let found = &scope.found;
            let edits: u64 = found.files.iter().map(|file| file.edits).sum();
            let files = found.files.iter().filter(|file| file.edits > 0).count();
            let text = format!(
                "~ {}  {}  {} in {}",
                found.name(),
                found.class().name(),
                counted(edits as usize, "edit"),
                counted(files, "file")
            );
            self.line(LineKind::Change, 0, text);
            let held: Vec<&FileClass> = found.files.iter().filter(|file| file.class > Class::Mechanical).collect();
            for file in &held[..self.shown(held.len(), NAMES)] {
                let why = file.reasons.first().map(|why| format!(": {why}")).unwrap_or_default();
                self.line(LineKind::Judge, 4, format!("? {}  {}{why}", file.path, file.class.name()));
            }
            self.more(held.len(), NAMES, 6, "files that need somebody");
        }
        self.more(scopes, GROUPS, 0, "scopes with edits");
        for (scope, class) in &totals.left[..self.shown(totals.left.len(), GROUPS)] {
            self.line(LineKind::Judge, 0, format!("? {scope}  {}: no rule changes anything in it", class.name()));
        }
        self.more(totals.left.len(), GROUPS, 0, "scopes without edits");
        self.line(LineKind::Note, 0, funnel(totals));
        let until = plan.tasks.iter().filter_map(PlanTask::scope).find_map(|scope| scope.policy.until.as_ref());
        if let Some(until) = until {
            self.line(LineKind::Note, 0, format!("their owners read that the old datasets stay until {until}"));
        }
    }
}

/// `found in 60 repositories, 1,082 files: 403 mechanical with 1,206 edits, 12 agentic`.
fn funnel(totals: &ConsumerTotals) -> String {
    let mut parts = Vec::new();
    for (class, count) in &totals.files {
        let edits = if *class == Class::Mechanical {
            format!(" with {}", counted(totals.edits as usize, "edit"))
        } else {
            String::new()
        };
        parts.push(format!("{} {}{edits}", number(*count as usize), class.name()));
    }
    let seen = if totals.repositories == 1 { "repository" } else { "repositories" };
    let parts = if parts.is_empty() { "all unaffected".to_owned() } else { parts.join(", ") };
    format!(
        "code of {} {seen}, {}: {parts}",
        number(totals.repositories as usize),
        counted(totals.seen as usize, "file")
    )
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

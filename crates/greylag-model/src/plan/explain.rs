//! A plan as text for people: what changes, what breaks, what is blocked, and one closing count line.
//!
//! Lines are typed and carry no colour; who prints them decides. The summary groups datasets with equal changes and
//! shows the largest groups, so that ten thousand datasets fit on a screen; the full text shows every dataset.

mod consumers;

use super::{ChangeSymbol, DatasetWork, Plan, PlanTask, changes, sample};
use crate::code;
use crate::derived::History;
use crate::diagnostic::Diagnostic;
use crate::increment::mark_text;
use crate::rollout::Gate;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// How much to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Equal change sets once, long lists cut.
    Summary,
    /// Every dataset with every line.
    Full,
}

/// What a line is about, for whoever colours it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// A dataset, or a group of datasets with equal changes, whose readers go on.
    Dataset,
    /// The same, whose readers break.
    Breaking,
    /// A column that is added.
    Add,
    /// A column that changes.
    Change,
    /// A column that ends.
    Remove,
    /// A column that needs a person's judgement.
    Judge,
    /// Why readers break.
    Reason,
    /// A pair that is blocked.
    Blocked,
    /// Why it is blocked.
    Error,
    /// What the reader should know.
    Warning,
    /// How to cure an error or a warning.
    Hint,
    /// Anything else that helps.
    Note,
    /// The closing count line; there is exactly one, the last.
    Count,
}

/// One line, indented, without line break or colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub kind: LineKind,
    /// Its text.
    pub text: String,
}

/// Groups and blocked pairs that a summary shows.
const GROUPS: usize = 20;
/// Changes of one group that a summary shows.
const CHANGES: usize = 12;
/// Names and reasons that a line or a group shows.
const NAMES: usize = 3;

/// Explains a plan.
pub fn explain(plan: &Plan, detail: Detail) -> Vec<Line> {
    let mut page = Page { lines: Vec::new(), detail };
    match detail {
        Detail::Summary => page.groups(plan),
        Detail::Full => shown(plan).for_each(|task| page.group(&[task])),
    }
    page.consumers(plan);
    page.steps(plan);
    page.blocked(plan);
    let warnings = page.warnings(plan);
    page.cohorts(plan);
    page.samples(plan);
    page.space(plan);
    page.line(LineKind::Count, 0, count(plan, warnings));
    page.lines
}

/// A task of a dataset.
#[derive(Clone, Copy)]
struct Shown<'a> {
    task: &'a PlanTask,
    work: &'a DatasetWork,
}

fn shown(plan: &Plan) -> impl Iterator<Item = Shown<'_>> {
    plan.tasks.iter().filter_map(|task| Some(Shown { task, work: task.dataset()? }))
}

struct Page {
    lines: Vec<Line>,
    detail: Detail,
}

impl Page {
    fn line(&mut self, kind: LineKind, indent: usize, text: String) {
        // A name may hold a line break; the line may not.
        let text: String = text.chars().map(|letter| if letter.is_control() { '␤' } else { letter }).collect();
        self.lines.push(Line { kind, text: format!("{:indent$}{text}", "") });
    }

    /// How many of `all` are shown, given how many a summary shows.
    fn shown(&self, all: usize, summary: usize) -> usize {
        match self.detail {
            // "and 1 more" takes the line that the one would take.
            Detail::Summary if all > summary + 1 => summary,
            _ => all,
        }
    }

    /// How the steps differ from the built-in ones.
    fn steps(&mut self, plan: &Plan) {
        let Some(first) = plan.tasks.first() else { return };
        let lines = changes::lines(&first.steps, &plan.header.custom);
        if !lines.is_empty() {
            self.line(LineKind::Note, 0, "steps that differ from the built-in ones".to_owned());
        }
        for text in lines {
            let kind = if text.starts_with('+') { LineKind::Add } else { LineKind::Remove };
            self.line(kind, 4, text);
        }
        for (index, step) in first.steps.iter().enumerate().filter(|(_, step)| step.inserted.is_some()) {
            let left = |task: &&PlanTask| {
                task.steps[index].inserted.as_ref().is_some_and(|inserted| inserted.when.as_deref() == Some("false"))
            };
            let left = plan.tasks.iter().filter(left).count();
            if left > 0 {
                let text = format!("`{}` is left out of {} by its condition", step.name(), datasets(left));
                self.line(LineKind::Note, 6, text);
            }
        }
    }

    fn groups(&mut self, plan: &Plan) {
        let mut at: HashMap<_, usize> = HashMap::new();
        let mut groups: Vec<Vec<Shown<'_>>> = Vec::new();
        for task in shown(plan) {
            let key: Vec<_> = (task.work.changes.iter())
                .map(|change| (change.symbol, change.subject.as_str(), change.detail.as_str()))
                .chain(task.work.breaking.iter().map(|why| (ChangeSymbol::Remove, "", why.as_str())))
                .collect();
            let key = (
                key,
                task.work.undo.as_ref(),
                task.work.derived.as_deref().map(|derived| (&derived.writer, derived.history)),
            );
            let group = *at.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(task);
        }
        let shown = self.shown(groups.len(), GROUPS);
        if shown < groups.len() {
            groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        }
        for group in &groups[..shown] {
            self.group(group);
        }
        let left: usize = groups[shown..].iter().map(Vec::len).sum();
        if left > 0 {
            let text =
                format!("and {} more with {} other sets of changes", datasets(left), number(groups.len() - shown));
            self.line(LineKind::Note, 0, text);
        }
    }

    /// One dataset, or several with the same changes.
    fn group(&mut self, tasks: &[Shown<'_>]) {
        let Some(first) = tasks.first().copied() else { return };
        let breaking = !first.work.breaking.is_empty();
        let kind = if breaking { LineKind::Breaking } else { LineKind::Dataset };
        let size = size(tasks);
        let end = if breaking { "  breaking" } else { "" };
        if tasks.len() == 1 {
            let owner = first.task.owner.as_ref().map(|owner| format!("  {owner}")).unwrap_or_default();
            self.line(kind, 0, format!("~ {}{owner}  {size}{end}", pair(first)));
        } else {
            let same = match first.work.changes.len() {
                0 => "no changes".to_owned(),
                1 => "the same change".to_owned(),
                many => format!("the same {} changes", number(many)),
            };
            self.line(kind, 0, format!("~ {}: {same}  {size}{end}", datasets(tasks.len())));
        }
        self.derived(first);
        self.increments(tasks);
        self.changes(first);
        self.kept(tasks);
        for why in &first.work.breaking[..self.shown(first.work.breaking.len(), NAMES)] {
            self.line(LineKind::Reason, 6, format!("breaks readers: {why}"));
        }
        self.more(first.work.breaking.len(), NAMES, 6, "reasons");
        if let Some(new_rows) = &first.work.undo {
            self.line(LineKind::Note, 6, new_rows.line());
        }
        if tasks.len() == 1 {
            self.impact(first);
        } else {
            let names: Vec<String> = tasks.iter().take(NAMES).map(|task| pair(*task)).collect();
            let more = tasks.len().saturating_sub(NAMES);
            let more = if more > 0 { format!(" and {} more", number(more)) } else { String::new() };
            self.line(LineKind::Note, 6, format!("{}{more}", names.join(", ")));
        }
    }

    /// Who makes a derived dataset, of what, and where its past comes from.
    fn derived(&mut self, task: Shown<'_>) {
        let Some(derived) = &task.work.derived else { return };
        let reads: Vec<String> = derived.reads.iter().map(|read| read.entity.short()).collect();
        let past = match (derived.history, &derived.watermark) {
            (History::Backfill, Some(column)) if derived.overlap > 0 => {
                format!("the past up to the last `{column}` is converted, an overlap is compared")
            }
            (History::Backfill, Some(column)) => format!("the past up to the last `{column}` is converted"),
            (History::None, Some(column)) => format!("nothing before the last `{column}`"),
            _ => "all of it is made anew and compared".to_owned(),
        };
        self.line(LineKind::Note, 6, format!("made by `{}` from {}; {past}", derived.writer, reads.join(", ")));
    }

    /// What tasks go on from, and how far they are.
    fn increments(&mut self, tasks: &[Shown<'_>]) {
        let on = tasks.iter().filter(|task| task.work.goes_on()).count();
        if on == 0 {
            return;
        }
        let mut runs: Vec<&str> = Vec::new();
        for base in tasks.iter().filter_map(|task| task.work.increments.as_ref()?.base.as_ref()) {
            if !runs.contains(&base.run.as_str()) {
                runs.push(base.run.as_str());
            }
        }
        let shown = &runs[..self.shown(runs.len(), NAMES)];
        let more = if shown.len() < runs.len() { " …" } else { "" };
        let part = if on < tasks.len() { format!("{} of them ", number(on)) } else { String::new() };
        let verb = if on == 1 { "goes" } else { "go" };
        let mut text = format!("{part}{verb} on from {}{more}", shown.join(", "));
        if let ([task], Some(mark)) = (tasks, tasks.first().and_then(|task| watermark(*task))) {
            let column = task.work.increments.as_ref().and_then(|increments| increments.watermark.as_ref());
            let column = column.map(|watermark| watermark.column.as_str()).unwrap_or_default();
            text = format!("{text}, which is at `{column}` {mark}");
        }
        self.line(LineKind::Note, 6, text);
    }

    fn changes(&mut self, task: Shown<'_>) {
        for change in &task.work.changes[..self.shown(task.work.changes.len(), CHANGES)] {
            let (kind, symbol) = match change.symbol {
                ChangeSymbol::Add => (LineKind::Add, '+'),
                ChangeSymbol::Change => (LineKind::Change, '~'),
                ChangeSymbol::Remove => (LineKind::Remove, '-'),
                ChangeSymbol::Judge => (LineKind::Judge, '?'),
            };
            self.line(kind, 4, format!("{symbol} {}  {}", change.subject, change.detail));
        }
        self.more(task.work.changes.len(), CHANGES, 6, "changes");
    }

    fn kept(&mut self, tasks: &[Shown<'_>]) {
        let kept = tasks.iter().map(|task| task.work.mapping.kept());
        let (least, most) = (kept.clone().min().unwrap_or(0), kept.max().unwrap_or(0));
        let text = match (least, most) {
            (0, 0) => return,
            (1, 1) => "1 column as it is".to_owned(),
            (least, most) if least == most => format!("{} columns as they are", number(most)),
            (least, most) => format!("{} to {} columns as they are", number(least), number(most)),
        };
        self.line(LineKind::Note, 6, text);
    }

    fn more(&mut self, all: usize, summary: usize, indent: usize, what: &str) {
        let hidden = all - self.shown(all, summary);
        if hidden > 0 {
            self.line(LineKind::Note, indent, format!("and {} more {what}", number(hidden)));
        }
    }

    fn impact(&mut self, task: Shown<'_>) {
        let direct = task.work.impact.direct.len();
        if direct == 0 && task.work.impact.indirect == 0 {
            return;
        }
        let names: Vec<String> = task.work.impact.direct.iter().take(NAMES).map(ToString::to_string).collect();
        let beyond = match task.work.impact.indirect {
            0 => String::new(),
            more => format!(", {} beyond", number(more as usize)),
        };
        let noun = if direct == 1 { "consumer" } else { "consumers" };
        let listed = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let cut = if direct > NAMES { " …" } else { "" };
        self.line(LineKind::Note, 6, format!("{} {noun}{beyond}{listed}{cut}", number(direct)));
    }

    fn blocked(&mut self, plan: &Plan) {
        let blocked = &plan.header.blocked;
        for pair in &blocked[..self.shown(blocked.len(), GROUPS)] {
            self.line(LineKind::Blocked, 0, format!("x {} → {}  blocked", pair.from, pair.to));
            for reason in &pair.reasons {
                self.diagnostic(LineKind::Error, reason, 4);
            }
        }
        self.more(blocked.len(), GROUPS, 0, "blocked");
    }

    fn diagnostic(&mut self, kind: LineKind, diagnostic: &Diagnostic, indent: usize) {
        let bare = Diagnostic { hints: Vec::new(), ..diagnostic.clone() };
        self.line(kind, indent, bare.to_string());
        for hint in &diagnostic.hints {
            self.line(LineKind::Hint, indent + 2, format!("hint: {hint}"));
        }
    }

    /// Shows the warnings, equal codes together in a summary; answers how many kinds there are.
    fn warnings(&mut self, plan: &Plan) -> usize {
        let mut kinds: BTreeMap<code::Code, Vec<(Option<&PlanTask>, &Diagnostic)>> = BTreeMap::new();
        let of_plan = plan.header.warnings.iter().map(|warning| (None, warning));
        let of_tasks =
            plan.tasks.iter().flat_map(|task| task.warnings.iter().map(move |warning| (Some(task), warning)));
        for (task, warning) in of_plan.chain(of_tasks) {
            kinds.entry(warning.code).or_default().push((task, warning));
        }
        for (code, warnings) in &kinds {
            let shown = self.shown(warnings.len(), GROUPS);
            // What a sample found is different for every dataset: a title would say nothing of it.
            if sample::CODES.contains(code) || self.detail == Detail::Full || warnings.len() == 1 {
                for (task, warning) in &warnings[..shown] {
                    self.warning(*task, warning);
                }
                self.more(warnings.len(), GROUPS, 0, "of these warnings");
                continue;
            }
            let title = code::plan::PAGES.iter().find(|page| page.code == *code).map_or("", |page| page.title);
            let names: Vec<&str> =
                warnings.iter().filter_map(|(task, _)| *task).take(NAMES).map(|task| task.id.as_str()).collect();
            let cut = if warnings.len() > NAMES { " …" } else { "" };
            let text = format!("warning[{code}]: {}: {title} ({}{cut})", datasets(warnings.len()), names.join(", "));
            self.line(LineKind::Warning, 0, text);
        }
        kinds.len()
    }

    fn warning(&mut self, task: Option<&PlanTask>, warning: &Diagnostic) {
        let mut named = warning.clone();
        if let Some(task) = task {
            named.message = format!("{}: {}", task.id, warning.message);
        }
        self.diagnostic(LineKind::Warning, &named, 0);
    }

    /// In which groups the tasks go, and what lets the next one go.
    fn cohorts(&mut self, plan: &Plan) {
        let Some(rollout) = &plan.header.rollout else { return };
        for (at, cohort) in rollout.cohorts.iter().enumerate() {
            let names: Vec<&str> = plan
                .tasks
                .iter()
                .filter(|task| task.cohort as usize == at)
                .take(NAMES)
                .map(|task| task.id.as_str())
                .collect();
            let cut = if cohort.tasks as usize > NAMES { " …" } else { "" };
            let mut text =
                format!("cohort {}: {} ({}{cut})", cohort.name, datasets(cohort.tasks as usize), names.join(", "));
            if at + 1 < rollout.cohorts.len() {
                let _ = write!(text, "; then {}", gate(&cohort.gate));
            }
            self.line(LineKind::Note, 0, text);
        }
    }

    /// What was sampled, in a line; findings stand with the blocked pairs and the warnings.
    fn samples(&mut self, plan: &Plan) {
        let Some(samples) = &plan.header.samples else { return };
        let rows = if samples.rows == 1 { "row" } else { "rows" };
        let mut parts = vec![format!("{} without findings", number(samples.fine as usize))];
        let found = [(samples.warned, "with warnings"), (samples.blocked, "blocked"), (samples.missing, "not sampled")];
        for (count, word) in found.into_iter().filter(|(count, _)| *count > 0) {
            parts.push(format!("{} {word}", number(count as usize)));
        }
        let text = format!(
            "sampled {}, {} {rows} (at most {} each): {}",
            datasets(samples.datasets as usize),
            short_number(samples.rows),
            number(samples.rows_each as usize),
            parts.join(", ")
        );
        self.line(LineKind::Note, 0, text);
        if samples.not_compared > 0 {
            let compared = datasets(samples.not_compared as usize);
            self.line(LineKind::Note, 0, format!("`diff` checks of {compared} compare all rows: not run on samples"));
        }
    }

    fn space(&mut self, plan: &Plan) {
        for space in plan.header.totals.space.iter().filter(|space| space.needed > 0) {
            let (needed, free) = (bytes(space.needed), bytes(space.free));
            self.line(LineKind::Note, 0, format!("needs up to {needed} on `{}`, which has {free} free", space.device));
        }
    }
}

/// What must hold before the next cohort.
fn gate(gate: &Gate) -> String {
    let mut parts = vec![match gate.max_failures {
        0 => "no failures".to_owned(),
        most => format!("at most {} failed", number(most as usize)),
    }];
    if gate.soak_millis > 0 {
        parts.push(format!("{} of quiet", duration(gate.soak_millis as u64).trim_start_matches("about ")));
    }
    if gate.approval {
        parts.push("a person's yes".to_owned());
    }
    parts.join(", ")
}

fn pair(task: Shown<'_>) -> String {
    format!("{} → {}", task.work.source.dataset.entity.short(), task.work.target.short())
}

/// How far a task's target is, as people read it.
fn watermark(task: Shown<'_>) -> Option<String> {
    let watermark = task.work.increments.as_ref()?.watermark.as_ref()?;
    let (_, column) = task.work.mapping.target.find(&watermark.column)?;
    Some(mark_text(&column.data_type, watermark.mark?))
}

fn size(tasks: &[Shown<'_>]) -> String {
    if tasks.iter().all(|task| task.work.goes_on()) {
        return "what changed".to_owned();
    }
    let unknown = tasks.iter().filter(|task| task.work.source.rows.is_none()).count();
    let sum: u64 = tasks.iter().filter_map(|task| task.work.source.rows).sum();
    let total = bytes(tasks.iter().map(|task| task.work.source.bytes).sum());
    rows(sum, unknown as u64, tasks.len() as u64).map_or_else(|| total.clone(), |rows| format!("{rows}, {total}"))
}

/// `1.2M rows`, `at least 1.2M rows`, or nothing where no rows are known.
fn rows(sum: u64, unknown: u64, tasks: u64) -> Option<String> {
    let noun = if sum == 1 { "row" } else { "rows" };
    match unknown {
        0 => Some(format!("{} {noun}", short_number(sum))),
        unknown if unknown == tasks || sum == 0 => None,
        _ => Some(format!("at least {} {noun}", short_number(sum))),
    }
}

fn count(plan: &Plan, warnings: usize) -> String {
    let totals = &plan.header.totals;
    let id = &plan.header.id;
    let when = |count: u64, text: String| if count > 0 { text } else { String::new() };
    let migrate = datasets(totals.datasets as usize);
    let breaking = when(totals.breaking, format!(" ({} breaking)", number(totals.breaking as usize)));
    let blocked = when(totals.blocked, format!(", {} blocked", number(totals.blocked as usize)));
    let noun = if warnings == 1 { "warning" } else { "warnings" };
    let warned = when(warnings as u64, format!(", {warnings} {noun}"));
    let rows =
        rows(totals.rows, totals.rows_unknown, totals.datasets).map(|rows| format!("{rows}, ")).unwrap_or_default();
    let all_go_on = shown(plan).all(|task| task.work.goes_on());
    let size = if all_go_on { "what changed".to_owned() } else { bytes(totals.bytes) };
    let time = duration(totals.expected_millis);
    format!("Plan {id}: {migrate} to migrate{breaking}{blocked}{warned}; {rows}{size}, {time}; run greylag apply {id}")
}

fn datasets(count: usize) -> String {
    if count == 1 { "1 dataset".to_owned() } else { format!("{} datasets", number(count)) }
}

/// `1,204`.
pub(super) fn number(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `9,999`, `12k`, `310k`, `1.2M`, `4.0B`.
fn short_number(count: u64) -> String {
    if count < 10_000 { number(count as usize) } else { scaled(count, 1_000, &["", "k", "M", "B", "T"], "") }
}

/// `310 MB`, decimal units.
pub(super) fn bytes(count: u64) -> String {
    scaled(count, 1_000, &["B", "kB", "MB", "GB", "TB", "PB"], " ")
}

fn scaled(count: u64, step: u64, units: &[&str], space: &str) -> String {
    let mut unit = 0;
    let mut divisor = 1_u64;
    // Half a unit below the next step would be rounded up to it, and written as such.
    while unit + 1 < units.len() && count >= divisor.saturating_mul(step) - divisor / 2 {
        unit += 1;
        divisor = divisor.saturating_mul(step);
    }
    let tenths = (u128::from(count) * 10 + u128::from(divisor) / 2) / u128::from(divisor);
    let figure = if unit == 0 || tenths >= 100 {
        ((u128::from(count) + u128::from(divisor) / 2) / u128::from(divisor)).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    format!("{figure}{space}{}", units[unit])
}

/// `under 1 s`, `about 12 s`, `about 3 min`, `about 2 h`.
fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => "under 1 s".to_owned(),
        1_000..120_000 => format!("about {} s", (millis + 500) / 1_000),
        120_000..7_200_000 => format!("about {} min", (millis + 30_000) / 60_000),
        _ => format!("about {} h", (millis + 1_800_000) / 3_600_000),
    }
}

//! Reads a dbt project of a directory and prints what was found:
//! `dbt_index DIRECTORY [ROOT] [ADAPTER] [--target=KEY:VALUE]… [--edges] [--sql] [--bytes] [--worst]`.
#![expect(clippy::print_stdout, reason = "a command")]

use greylag_code::dbt::{Node, NodeKind, Options, Project, Target, read, taken};
use greylag_code::tree::DirectoryTree;
use greylag_syntax::sql::{self, Dialect, NoSchemas};
use greylag_syntax::trace::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

/// The allocator that `greylag` has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, plain): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    let directory = plain.first().ok_or("which directory?")?;
    let root = plain.get(1).map_or("", |root| root.as_str());
    let mut options = Options { adapter: plain.get(2).map(|adapter| (*adapter).clone()), ..Options::default() };
    for part in flags.iter().filter_map(|flag| flag.strip_prefix("--target=")?.split_once(':')) {
        options.target.insert(part.0.to_owned(), part.1.to_owned());
    }
    let begin = Instant::now();
    let project = read(&DirectoryTree::new(directory), root, &options)?;
    let took = begin.elapsed();
    if flags.iter().any(|flag| *flag == "--edges") {
        print_edges(&project);
        return Ok(());
    }
    print_figures(&project);
    println!("{:.2} s", took.as_secs_f64());
    if flags.iter().any(|flag| *flag == "--sql") {
        print_sql(
            &project,
            options.adapter.as_deref().and_then(|adapter| adapter.parse().ok()).unwrap_or(Dialect::Generic),
        );
    }
    if flags.iter().any(|flag| *flag == "--bytes") {
        print_bytes(&project, directory);
    }
    if flags.iter().any(|flag| *flag == "--worst") {
        print_worst(&project);
    }
    Ok(())
}

fn id(project: &Project, target: Target) -> &str {
    match target {
        Target::Node(node) => project.nodes.get(node).map_or("?", |node| &node.id),
        Target::Source(source) => project.sources.get(source).map_or("?", |source| &source.id),
    }
}

fn print_edges(project: &Project) {
    for node in &project.nodes {
        println!("node {} {}", node.id, if node.config.enabled == Some(false) { "disabled" } else { "enabled" });
        for edge in &node.edges {
            println!(
                "edge {} {} {}",
                node.id,
                id(project, edge.target),
                if edge.always { "always" } else { "sometimes" }
            );
        }
    }
    for source in &project.sources {
        println!("node {} {}", source.id, if source.enabled { "enabled" } else { "disabled" });
    }
    for exposure in &project.exposures {
        for edge in &exposure.edges {
            println!("edge exposure.{}.{} {}", project.name, exposure.name, id(project, edge.target));
        }
    }
}

fn print_figures(project: &Project) {
    let mut kinds: BTreeMap<NodeKind, usize> = BTreeMap::new();
    for node in &project.nodes {
        *kinds.entry(node.kind).or_default() += 1;
    }
    let renderings: usize = project.nodes.iter().map(|node| node.renderings.len()).sum();
    let failed = project
        .nodes
        .iter()
        .filter(|node| !node.renderings.is_empty() && node.renderings.iter().all(|way| way.text.is_err()));
    let partly = project.nodes.iter().filter(|node| node.renderings.iter().any(|way| way.text.is_err()));
    let holes = project.nodes.iter().filter(|node| node.renderings.iter().any(|way| !way.holes.is_empty()));
    println!(
        "{}: {kinds:?}, {} sources, {} exposures, {} tests at columns",
        project.name,
        project.sources.len(),
        project.exposures.len(),
        project.tests.len()
    );
    println!(
        "{renderings} renderings; {} nodes truncated, {} in threes, {} without a text, {} with a way that fails, {} with holes",
        project.nodes.iter().filter(|node| node.truncated).count(),
        project.nodes.iter().filter(|node| node.in_threes).count(),
        failed.count(),
        partly.count(),
        holes.count(),
    );
    println!("missing packages: {:?}; {} problems", project.missing_packages, project.problems.len());
    for problem in project.problems.iter().take(20) {
        println!("  {}: {}", problem.path, problem.message);
    }
    let mut unknown: Vec<_> = project.unknown.iter().collect();
    unknown.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
    for (name, places) in unknown.iter().take(20) {
        println!("  unknown `{name}`: {} places", places.len());
    }
}

/// How much of the models is read as SQL in every way that a run can take. A model without a text, one in Python and one with more
/// ways than were gone are not.
fn print_sql(project: &Project, dialect: Dialect) {
    let begin = Instant::now();
    let (mut models, mut understood, mut statements, mut bytes) = (0_u32, 0_u32, 0, 0);
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    let is_model = |node: &&Node| matches!(node.kind, NodeKind::Model | NodeKind::PythonModel);
    for node in project.nodes.iter().filter(is_model).filter(|node| node.config.enabled != Some(false)) {
        models += 1;
        let readings: Vec<_> = node
            .renderings
            .iter()
            .map(|way| Some(sql::read(way.text.as_ref().ok()?.text(), dialect, &NoSchemas)))
            .collect();
        let whole: Vec<bool> =
            readings.iter().map(|reading| reading.as_ref().is_some_and(|found| found.unknown.is_empty())).collect();
        let mut unknown: BTreeSet<String> = BTreeSet::new();
        unknown.extend(node.truncated.then(|| "more ways than were looked at".to_owned()));
        unknown.extend((!whole.contains(&true)).then(|| "no way that was read".to_owned()));
        let taken = taken(&node.renderings, &whole);
        for ((way, reading), _) in node.renderings.iter().zip(&readings).zip(taken).filter(|(_, taken)| *taken) {
            bytes += way.text.as_ref().map_or(0, |text| text.text().len());
            match (&way.text, reading) {
                (Err(error), _) => unknown.extend([error.with_place(&project.files)]),
                (_, Some(reading)) => {
                    statements += reading.statements.len();
                    unknown.extend(reading.unknown.iter().map(|region| region.reason.clone()));
                }
                _ => {}
            }
        }
        understood += u32::from(unknown.is_empty());
        for reason in unknown {
            *reasons.entry(format!("{}: {reason}", node.id)).or_default() += 1;
        }
    }
    let share = f64::from(understood) * 100.0 / f64::from(models.max(1));
    let took = begin.elapsed().as_secs_f64();
    println!(
        "{understood} of {models} models without an unknown region ({share:.2} %), {statements} statements, {bytes} bytes in {took:.1} s"
    );
    for (reason, count) in &reasons {
        println!("  {count} x {reason}");
    }
}

/// Whether files are what was read, and copies in what is rendered are what stands at their places.
fn print_bytes(project: &Project, directory: &str) {
    let (mut files, mut other) = (0, 0);
    for (_, path, text) in project.files.iter().filter(|(_, path, text)| !path.starts_with('<') && !text.is_empty()) {
        files += 1;
        let same = std::fs::read(Path::new(directory).join(path)).is_ok_and(|bytes| bytes == text.as_bytes());
        other += usize::from(!same);
    }
    let (mut copies, mut wrong, mut texts) = (0_u64, 0_u64, 0_u64);
    for text in project.nodes.iter().flat_map(|node| &node.renderings).filter_map(|way| way.text.as_ref().ok()) {
        texts += 1;
        let mut at = 0;
        for (range, origin) in text.stretches() {
            wrong += u64::from(range.start != at);
            at = range.end;
            if let Origin::Copied(span) = origin {
                copies += 1;
                wrong += u64::from(project.files.bytes(*span) != &text.text()[range]);
            }
        }
        wrong += u64::from(at != text.text().len());
    }
    println!("{files} files, {other} not as on disk; {copies} copied stretches in {texts} texts, {wrong} wrong");
}

fn print_worst(project: &Project) {
    let mut errors: BTreeMap<String, usize> = BTreeMap::new();
    for node in &project.nodes {
        for way in &node.renderings {
            if let Err(error) = &way.text {
                *errors.entry(error.with_place(&project.files)).or_default() += 1;
            }
        }
    }
    let mut errors: Vec<_> = errors.into_iter().collect();
    errors.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (error, count) in errors.iter().take(30) {
        println!("  {count} x {error}");
    }
    let mut nodes: Vec<_> = project.nodes.iter().collect();
    nodes.sort_by_key(|node| std::cmp::Reverse(node.renderings.len()));
    for node in nodes.iter().take(10) {
        println!("  {} renders in {} ways", node.id, node.renderings.len());
        for decision in node.renderings.iter().flat_map(|way| &way.decisions).take(6) {
            println!("    {}", decision.what);
        }
    }
}

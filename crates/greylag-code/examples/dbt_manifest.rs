//! Holds the edges that are found in a dbt project against those of dbt's own manifest:
//! `dbt_manifest DIRECTORY MANIFEST [ROOT] [ADAPTER] [--target=KEY:VALUE]… [--list]`.
//!
//! The manifest is `target/manifest.json` as `dbt parse` writes it, of the same files and the same target. Recall is over all edges
//! of the manifest that begin at a model, snapshot, analysis, singular test or exposure; precision over those that are said to be there
//! in every way that the node renders ("always"), and over all. Generic tests are no nodes of ours; their edges are left out.
#![expect(clippy::print_stdout, reason = "a command")]

use greylag_code::dbt::{Edge, Options, Project, Target, read};
use greylag_code::tree::DirectoryTree;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::Instant;

/// From what to what.
type Pair = (String, String);

/// The allocator that `greylag` has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, plain): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    let [directory, manifest, rest @ ..] = plain.as_slice() else {
        return Err("name the directory and its `target/manifest.json`".into());
    };
    let root = rest.first().map_or("", |root| root.as_str());
    let mut options = Options { adapter: rest.get(1).map(|adapter| (*adapter).clone()), ..Options::default() };
    for part in flags.iter().filter_map(|flag| flag.strip_prefix("--target=")?.split_once(':')) {
        options.target.insert(part.0.to_owned(), part.1.to_owned());
    }
    let manifest: Value = serde_json::from_slice(&std::fs::read(manifest)?)?;
    let begin = Instant::now();
    let project = read(&DirectoryTree::new(directory), root, &options)?;
    println!("{}: {} nodes in {:.2} s", project.name, project.nodes.len(), begin.elapsed().as_secs_f64());
    let theirs = theirs(&manifest);
    let ours = ours(&project);
    let list = flags.iter().any(|flag| *flag == "--list");
    compare_nodes(&ours.nodes, &theirs.nodes, list);
    compare_edges(&ours, &theirs, list);
    Ok(())
}

/// A graph: its nodes, and its edges with whether they are always there.
#[derive(Default)]
struct Graph {
    nodes: BTreeSet<String>,
    edges: BTreeMap<Pair, bool>,
}

fn theirs(manifest: &Value) -> Graph {
    let mut graph = Graph::default();
    for section in ["nodes", "exposures", "sources"] {
        for (id, node) in manifest[section].as_object().into_iter().flatten() {
            // A test at a model or column has the data of its macro; a test that is a query has none.
            if node.get("test_metadata").is_some_and(|data| !data.is_null()) || id.starts_with("operation.") {
                continue;
            }
            graph.nodes.insert(id.clone());
            let parents = node["depends_on"]["nodes"].as_array().into_iter().flatten().filter_map(Value::as_str);
            graph.edges.extend(parents.map(|parent| ((id.clone(), parent.to_owned()), true)));
        }
    }
    graph
}

fn ours(project: &Project) -> Graph {
    let mut graph = Graph::default();
    let id = |target: Target| match target {
        Target::Node(node) => project.nodes[node].id.clone(),
        Target::Source(source) => project.sources[source].id.clone(),
    };
    let mut add = |from: &str, edges: &[Edge]| {
        graph.nodes.insert(from.to_owned());
        let pairs = edges.iter().map(|edge| ((from.to_owned(), id(edge.target)), edge.always));
        graph.edges.extend(pairs);
    };
    for node in project.nodes.iter().filter(|node| node.config.enabled != Some(false)) {
        add(&node.id, &node.edges);
    }
    for source in project.sources.iter().filter(|source| source.enabled) {
        add(&source.id, &[]);
    }
    for exposure in &project.exposures {
        add(&format!("exposure.{}.{}", project.name, exposure.name), &exposure.edges);
    }
    graph
}

/// Which nodes one side has alone.
fn compare_nodes(ours: &BTreeSet<String>, theirs: &BTreeSet<String>, list: bool) {
    let (missed, more): (Vec<_>, Vec<_>) = (theirs.difference(ours).collect(), ours.difference(theirs).collect());
    println!("nodes: {} of dbt's {}; {} that dbt has not", theirs.len() - missed.len(), theirs.len(), more.len());
    if list {
        for id in missed {
            println!("  missed {id}");
        }
        for id in more {
            println!("  more {id}");
        }
    }
}

fn compare_edges(ours: &Graph, theirs: &Graph, list: bool) {
    let found = theirs.edges.keys().filter(|pair| ours.edges.contains_key(*pair)).count();
    // What dbt does not build has no edges there: it is not held against us.
    let held: Vec<(&Pair, bool)> = ours
        .edges
        .iter()
        .filter(|(pair, _)| theirs.nodes.contains(&pair.0))
        .map(|(pair, always)| (pair, *always))
        .collect();
    let right =
        |always: bool| held.iter().filter(|(pair, is)| is >= &always && theirs.edges.contains_key(*pair)).count();
    let all = |always: bool| held.iter().filter(|(_, is)| is >= &always).count();
    println!("recall: {}", share(found, theirs.edges.len()));
    println!("precision of edges that are always there: {}", share(right(true), all(true)));
    println!("precision of all edges: {}", share(right(false), all(false)));
    if list {
        for (from, to) in theirs.edges.keys().filter(|pair| !ours.edges.contains_key(*pair)) {
            println!("  missed {from} -> {to}");
        }
        for ((from, to), always) in held.iter().filter(|(pair, _)| !theirs.edges.contains_key(*pair)) {
            println!("  wrong {from} -> {to} ({})", if *always { "always" } else { "sometimes" });
        }
    }
}

fn share(part: usize, whole: usize) -> String {
    format!("{part} of {whole} ({:.2} %)", part as f64 * 100.0 / whole.max(1) as f64)
}

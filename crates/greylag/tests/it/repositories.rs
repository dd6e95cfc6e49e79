//! The lab's repositories, rewritten by the binary and held against their truth, which was made by construction.

use crate::rig::Rig;
use crate::steps::copy;
use greylag_lab::{FaultKind, RewriteComparison, compare_repositories, repositories_truth, repository_truth};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

/// The trap that no rule does yet: a model that makes a changed dataset, and takes its name.
const MAKER: &str = "model-rename";

/// An estate with code, and a copy of the code in `trees/`.
fn estate(seed: u32) -> Rig {
    let rig = Rig::new();
    let estate = rig.path("estate");
    let seed = seed.to_string();
    let args =
        ["lab", "generate", "--seed", &seed, "--datasets", "240", "--rows", "20", "--repositories", "48", "--out"];
    rig.run(args.map(OsString::from).into_iter().chain([estate.clone().into_os_string()])).ended(0);
    rig.run(["catalog".into(), "import".into(), estate.join("catalog").into_os_string()]).ended(0);
    copy(&estate.join("repositories"), &rig.path("trees"));
    rig
}

/// Rewrites all trees; what was said of each file.
fn rewrite(rig: &Rig) -> Vec<Value> {
    let names = repositories_truth(&rig.path("estate")).unwrap().names;
    let trees = names.iter().map(|name| rig.path("trees").join(name).into_os_string());
    let head = ["rewrite", "--write", "-o", "json", "-f"].map(OsString::from);
    let said = rig.run(head.into_iter().chain([rig.path("estate/migrations").into_os_string()]).chain(trees)).ended(3);
    said.json()["items"].as_array().unwrap().clone()
}

fn compared(rig: &Rig) -> RewriteComparison {
    compare_repositories(&rig.path("estate"), &rig.path("trees")).unwrap()
}

fn check(seed: u32) {
    let rig = estate(seed);
    let said = rewrite(&rig);
    let comparison = compared(&rig);
    let makers = with_trap(&rig, MAKER);
    let faults: Vec<_> = comparison.faults.iter().filter(|fault| !makers.contains(&fault.path)).collect();
    assert!(faults.is_empty(), "{} faults, the first: {:#?}", faults.len(), faults[0]);
    let not_missed = comparison.faults.iter().filter(|fault| !matches!(fault.kind, FaultKind::Missed));
    assert_eq!(not_missed.count(), 0, "what no rule does is left alone");
    let totals = &comparison.totals;
    assert!(totals.found > 300, "{totals:?}");
    assert_eq!((totals.wrong, totals.elsewhere), (0, 0));
    let judged = with_trap(&rig, "judgement-column");
    assert_eq!(totals.noted > 0, !judged.is_empty(), "where a person must judge, the guide stands behind the column");
    classes(&rig, &said);
    references(&rig, &said);
    // Done twice, there is nothing more to do.
    let again = rewrite(&rig);
    assert!(again.iter().all(|file| file["edits"].as_array().unwrap().is_empty()));
}

/// Files with a trap.
fn with_trap(rig: &Rig, trap: &str) -> BTreeSet<String> {
    let estate = rig.path("estate");
    let names = repositories_truth(&estate).unwrap().names.into_iter();
    let files = names.flat_map(|name| {
        let files = repository_truth(&estate, &name).unwrap().files.into_iter();
        let made = files.filter(|file| file.traps.iter().any(|other| other == trap));
        made.map(move |file| format!("{name}/{}", file.path))
    });
    files.collect()
}

/// Of every file: repository and path in it, with what was said of it.
fn by_path<'a>(rig: &Rig, said: &'a [Value]) -> BTreeMap<String, &'a Value> {
    let trees = format!("{}/", rig.path("trees").display());
    said.iter().map(|file| (file["path"].as_str().unwrap().replace(&trees, ""), file)).collect()
}

/// Every file is of the class that the truth says, those of makers aside.
fn classes(rig: &Rig, said: &[Value]) {
    let said = by_path(rig, said);
    let estate = rig.path("estate");
    for name in repositories_truth(&estate).unwrap().names {
        for file in repository_truth(&estate, &name).unwrap().files {
            if file.traps.iter().any(|trap| trap == MAKER) {
                continue;
            }
            let path = format!("{name}/{}", file.path);
            let class = said.get(&path).map_or("unaffected", |said| said["class"].as_str().unwrap());
            let expected = serde_json::to_value(file.class).unwrap();
            assert_eq!(
                class,
                expected.as_str().unwrap(),
                "{path}: {:?}",
                said.get(&path).map(|said| &said["findings"])
            );
        }
    }
}

/// Every reference of code that the truth knows is found at its place.
fn references(rig: &Rig, said: &[Value]) {
    let mut found: BTreeMap<String, BTreeSet<(u64, u64, Option<String>)>> = BTreeMap::new();
    let trees = format!("{}/", rig.path("trees").display());
    for file in said {
        for reference in file["references"].as_array().unwrap() {
            let place = reference["path"].as_str().unwrap().replace(&trees, "");
            let number = |key: &str| reference[key].as_u64().unwrap();
            let column = reference["column"].as_str().map(str::to_owned);
            found.entry(place).or_default().insert((number("start"), number("end"), column));
        }
    }
    let estate = rig.path("estate");
    let (mut all, mut missed) = (0_u32, Vec::new());
    for name in repositories_truth(&estate).unwrap().names {
        for file in repository_truth(&estate, &name).unwrap().files {
            let hard = file.traps.iter().any(|trap| [MAKER, "not-sql", "introspection"].contains(&trap.as_str()));
            let path = format!("{name}/{}", file.path);
            for reference in file.references.iter().filter(|_| !hard) {
                let (start, end) = (reference.start as u64, reference.end as u64);
                let is_it = |(from, to, column): &(u64, u64, Option<String>)| {
                    *from < end && start < *to && *column == reference.column
                };
                all += 1;
                if !found.get(&path).is_some_and(|places| places.iter().any(is_it)) {
                    missed.push(format!("{path}: {reference:?}"));
                }
            }
        }
    }
    assert!(
        missed.len() * 100 <= all as usize,
        "{} of {all} missed: {:#?}",
        missed.len(),
        &missed[..missed.len().min(5)]
    );
}

#[test]
fn rewriting_equals_the_truth() {
    check(42);
}

#[test]
fn rewriting_equals_another_truth() {
    check(7);
}

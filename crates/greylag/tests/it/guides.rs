//! The guides are run: files that a page shows are written, commands that it shows are started in its order, and what
//! they print is compared with the page.
//!
//! A block ```` ```yaml file=PATH ```` is a file; ```` ```console ```` is a session, whose lines after `$ ` are commands
//! and whose other lines are what those print, on both streams; `fault=POINT@N=kill` behind it arms a fault point. A line
//! that is only `…` stands for any lines. What differs from run to run (ids of plans, times, sizes, names of devices and
//! workers) is compared as such.

use crate::rig::Rig;
use std::collections::BTreeMap;
use std::path::Path;

/// Where the reader of the guides works.
const HOME: &str = "/home/ada";

struct Block<'a> {
    language: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(""), Some(_)) => found.extend(open.take()),
            (Some(info), None) => {
                let mut words = info.split_whitespace();
                let language = words.next().unwrap_or_default();
                let attributes = words.filter_map(|word| word.split_once('=')).collect();
                open = Some(Block { language, attributes, lines: Vec::new() });
            }
            (_, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// Commands of a session, each with what it prints.
fn commands<'a>(block: &Block<'a>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in &block.lines {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, Vec::new())),
            (None, Some((_, printed))) => printed.push(line),
            (None, None) => panic!("`{line}` stands before the first command"),
        }
    }
    commands
}

/// Ids of plans in a text, in order.
fn plans(text: &str) -> Vec<&str> {
    text.match_indices("p-").filter_map(|(at, _)| text.get(at..at + 14)).filter(|id| is_plan(id)).collect()
}

fn is_plan(word: &str) -> bool {
    word.strip_prefix("p-").is_some_and(|hash| hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A line without what differs from run to run.
fn steady(line: &str) -> String {
    let mut line = line.to_owned();
    for plan in plans(&line.clone()) {
        line = line.replace(plan, "PLAN");
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.get(1) == Some(&"interrupted") {
        // How far it came before it was killed.
        return format!("{} interrupted", words[0]);
    }
    let bare = |word: &str| word.trim_matches([',', ';', ')']).to_owned();
    let number = |word: &str| bare(word).parse::<f64>().is_ok();
    let mut steady = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map(|next| bare(next)).unwrap_or_default();
        let of = |units: &[&str]| number(word) && units.contains(&next.as_str());
        steady.push(if of(&["ms", "s", "min", "h"]) || of(&["B", "kB", "MB", "GB", "TB"]) {
            "NUMBER".to_owned()
        } else if at > 0 && number(words[at - 1]) && ["B", "kB", "MB", "GB", "TB"].contains(&bare(word).as_str()) {
            word.replace(&bare(word), "BYTES")
        } else if at > 0 && number(words[at - 1]) && ["ms", "s", "min", "h"].contains(&bare(word).as_str()) {
            word.replace(&bare(word), "TIME")
        } else if word.starts_with("20") && word.ends_with('Z') && word.contains('T') {
            "INSTANT".to_owned()
        } else if word.matches(':').count() == 2 && word.rsplit(':').next().is_some_and(number) {
            "WORKER".to_owned()
        } else if at > 0 && words[at - 1] == "on" && word.starts_with('`') {
            "DEVICE".to_owned()
        } else if bare(word).len() == 40 && bare(word).bytes().all(|byte| byte.is_ascii_hexdigit()) {
            word.replace(&bare(word), "COMMIT")
        } else {
            (*word).to_owned()
        });
    }
    steady.join(" ")
}

/// Lines without what differs from run to run. Tasks that run at the same time end in any order.
fn steady_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut ended = 0;
    for line in lines.map(steady) {
        let mut words = line.splitn(4, ' ');
        let counts = words.next().is_some_and(|word| word.parse::<u32>().is_ok())
            && words.next() == Some("of")
            && words.next().is_some_and(|word| word.parse::<u32>().is_ok());
        match words.next().filter(|_| counts) {
            Some(task) => {
                all.push(format!("ended: {task}"));
                ended += 1;
                let from = all.len() - ended;
                all[from..].sort();
            }
            None => {
                all.push(line);
                ended = 0;
            }
        }
    }
    all
}

/// Whether the lines are those, where `…` stands for any.
fn alike(expected: &[String], found: &[String]) -> bool {
    match (expected.first(), found.first()) {
        (None, None) => true,
        (Some(any), _) if any == "…" => (0..=found.len()).any(|from| alike(&expected[1..], &found[from..])),
        (Some(line), Some(other)) if line == other => alike(&expected[1..], &found[1..]),
        _ => false,
    }
}

fn check(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let rig = Rig::new();
    let root = rig.path("").display().to_string();
    let root = root.trim_end_matches('/');
    // Ids of plans on the page and what they are here.
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut run = 0;
    for block in blocks(&text) {
        if let Some(path) = block.attributes.get("file") {
            rig.write(path, block.lines.join("\n") + "\n");
        }
        if block.language != "console" {
            continue;
        }
        for (command, expected) in commands(&block) {
            let mut here = command.replace(HOME, root);
            for (theirs, ours) in &ids {
                here = here.replace(theirs, ours);
            }
            let said = rig.shell(&here, block.attributes.get("fault").copied());
            let found = said.replace(root, HOME);
            let expected_text = expected.join("\n");
            let pairs = plans(&expected_text).into_iter().zip(plans(&found));
            ids.extend(pairs.map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned())));
            let expected = steady_lines(expected.into_iter());
            let found_lines = steady_lines(found.lines());
            assert!(
                alike(&expected, &found_lines),
                "{page}: `{command}` prints\n{found}\nand the page says\n{expected_text}\nwhich are compared as\n{}\n\n{}",
                found_lines.join("\n"),
                expected.join("\n"),
            );
            run += 1;
        }
    }
    assert!(run > 5, "{page} shows no commands");
}

#[test]
fn first_migration() {
    check("first-migration.md");
}

#[test]
fn templates() {
    check("templates.md");
}

#[test]
fn changes() {
    check("changes.md");
}

#[test]
fn comparing() {
    check("comparing.md");
}

#[test]
fn consumers() {
    check("consumers.md");
}

#[test]
fn derived() {
    check("derived.md");
}

#[test]
fn increments() {
    check("increments.md");
}

#[test]
fn limits() {
    check("limits.md");
}

#[test]
fn rollout() {
    check("rollout.md");
}

#[test]
fn custom_steps() {
    check("custom-steps.md");
}

#[test]
fn running() {
    check("running.md");
}

#[test]
fn taking_back() {
    check("taking-back.md");
}

#[test]
fn every_guide_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides");
    let mut pages: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    assert_eq!(
        pages,
        [
            "changes.md",
            "comparing.md",
            "consumers.md",
            "custom-steps.md",
            "derived.md",
            "first-migration.md",
            "increments.md",
            "limits.md",
            "rollout.md",
            "running.md",
            "taking-back.md",
            "templates.md"
        ],
        "a new guide needs a test above"
    );
}

#[test]
fn what_differs_from_run_to_run_is_compared_as_such() {
    let page = "Plan p-0123456789ab: 3 rows, 167 B, under 1 s on `fe00`, which has 55 GB free";
    let here = "Plan p-ba9876543210: 3 rows, 1.20 kB, under 2 ms on `fd01`, which has 7 GB free";
    assert_eq!(steady(page), steady(here));
    assert_ne!(steady(page), steady(&here.replace("3 rows", "4 rows")));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(alike(&lines("a\n…\nd"), &lines("a\nb\nc\nd")));
    assert!(!alike(&lines("a\n…\nd"), &lines("a\nb")));
    let (one, other) = ("1 of 2  a  done\n2 of 2  b  done\nall", "1 of 2  b  done\n2 of 2  a  done\nall");
    assert_eq!(steady_lines(one.lines()), steady_lines(other.lines()));
    assert_ne!(steady_lines(one.lines()), steady_lines(one.replace("b  done", "b  failed").lines()));
}

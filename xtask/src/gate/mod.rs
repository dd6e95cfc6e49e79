//! `cargo xtask test`: every gate that a change must pass, one after the other, cheapest first.
//!
//! A gate that fails does not keep the others from running: one closing summary names all that failed. A tool that is
//! missing is installed below `target/`; if that cannot be done the gate fails and names the line that cures it. No
//! gate is skipped.

mod clippy;
mod deny;
mod docs;
mod machete;
mod nextest;
pub(crate) mod python;
mod typos;

use crate::workspace::{Workspace, output, run as run_command};
use crate::{codegen, tidy};
use std::time::Instant;

/// A check and its name.
struct Gate {
    name: &'static str,
    /// What it looks at, for people.
    about: &'static str,
    /// Whether it runs only with `--nightly`.
    nightly: bool,
    check: fn(&Workspace) -> Result<(), String>,
}

const GATES: &[Gate] = &[
    Gate { name: "format", about: "rustfmt", nightly: false, check: format },
    Gate { name: "tidy", about: "floors, sizes, pages and words", nightly: false, check: tidy::run },
    Gate { name: "drift", about: "generated files", nightly: false, check: codegen::check },
    Gate { name: "typos", about: "spelling", nightly: false, check: typos::check },
    Gate { name: "deny", about: "licences, sources and versions of dependencies", nightly: false, check: deny::check },
    Gate { name: "machete", about: "unused dependencies", nightly: false, check: machete::check },
    Gate { name: "clippy", about: "lints", nightly: false, check: clippy::check },
    Gate { name: "nextest", about: "tests", nightly: false, check: nextest::check },
    Gate { name: "doctest", about: "examples in the documentation", nightly: false, check: docs::examples },
    Gate { name: "docs", about: "documentation builds", nightly: false, check: docs::build },
    Gate { name: "advisories", about: "known defects of dependencies", nightly: true, check: deny::advisories },
    Gate { name: "long", about: "slow tests", nightly: true, check: nextest::long },
];

/// Runs the gates; those in `only` alone, if any are named.
pub(crate) fn run(workspace: &Workspace, nightly: bool, only: &[String]) -> Result<(), String> {
    if let Some(unknown) = only.iter().find(|name| !GATES.iter().any(|gate| gate.name == **name)) {
        let names: Vec<&str> = GATES.iter().map(|gate| gate.name).collect();
        return Err(format!("there is no gate `{unknown}`\n  hint: the gates are {}", names.join(", ")));
    }
    let chosen = |gate: &&Gate| {
        if only.is_empty() { nightly || !gate.nightly } else { only.iter().any(|name| name == gate.name) }
    };
    let gates: Vec<&Gate> = GATES.iter().filter(chosen).collect();
    let begun = Instant::now();
    let mut ended: Vec<(&Gate, f64, Result<(), String>)> = Vec::new();
    for (number, gate) in gates.iter().enumerate() {
        println!("[{:>2}/{}] {:<10} {}", number + 1, gates.len(), gate.name, gate.about);
        let start = Instant::now();
        let result = (gate.check)(workspace);
        if let Err(error) = &result {
            println!("{}", indented(error));
        }
        ended.push((gate, start.elapsed().as_secs_f64(), result));
    }
    println!();
    for (gate, seconds, result) in &ended {
        println!("{} {:<10} {seconds:>7.1} s", if result.is_ok() { "ok    " } else { "FAILED" }, gate.name);
    }
    let failed: Vec<&str> = ended.iter().filter(|ended| ended.2.is_err()).map(|ended| ended.0.name).collect();
    let seconds = begun.elapsed().as_secs_f64();
    if failed.is_empty() {
        println!("test: {} gates passed in {seconds:.0} s", ended.len());
        Ok(())
    } else {
        let again: Vec<String> = failed.iter().map(|name| format!("--only {name}")).collect();
        Err(format!(
            "{} of {} gates failed in {seconds:.0} s: {}\n  hint: run them alone with `cargo xtask test {}`",
            failed.len(),
            ended.len(),
            failed.join(", "),
            again.join(" ")
        ))
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("        {line}")).collect::<Vec<_>>().join("\n")
}

fn format(workspace: &Workspace) -> Result<(), String> {
    run_command(&mut workspace.cargo(&["fmt", "--all", "--check"])).map_err(|error| {
        format!("{error}\n  hint: run `cargo fmt --all`; if rustfmt is missing, `rustup component add rustfmt`")
    })
}

/// Whether cargo has a subcommand of this name, with this version if one is asked for.
fn has_subcommand(workspace: &Workspace, name: &str, version: Option<&str>) -> bool {
    let found = output(&mut workspace.command(format!("cargo-{name}"), &[name, "--version"]))
        .or_else(|_| output(&mut workspace.command(format!("cargo-{name}"), &["--version"])));
    found.is_ok_and(|text| version.is_none_or(|version| text.contains(version)))
}

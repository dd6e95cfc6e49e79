//! The project's own commands: `cargo xtask {demo,test,bench,tidy,codegen}`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "these are commands that a person runs")]
#![expect(clippy::disallowed_methods, reason = "starts cargo and the tools that it checks with, reads where they are")]

mod bench;
mod codegen;
mod demo;
mod gate;
mod tidy;
mod tool;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use workspace::Workspace;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every gate that a change must pass: format, lints, house rules, generated files, words, dependencies, tests, docs.
    Test {
        /// Adds what is slow or needs the network: advisories, the long crash and fuzz runs.
        #[arg(long)]
        nightly: bool,
        /// Runs only the gates of these names, e.g. `--only tidy --only nextest`.
        #[arg(long)]
        only: Vec<String>,
    },
    /// Makes an estate, migrates it live, kills and resumes itself once, compares with the truth.
    Demo {
        /// What the estate is drawn from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many datasets.
        #[arg(long, default_value_t = 300)]
        datasets: u64,
        /// Do not open the portal afterwards (there is none yet; accepted so that scripts need not change).
        #[arg(long)]
        no_open: bool,
    },
    /// Measures speed and memory side by side with the tools that a user would pick instead.
    Bench {
        /// Which one; the default is all but `diff-large`, which takes many minutes.
        #[arg(value_parser = bench::NAMES)]
        name: Option<String>,
        /// How the binary is built: as people get it, or as the demo does, which is soon there.
        #[arg(long, value_parser = ["release", "quick"], default_value = "release")]
        profile: String,
        /// Counted rounds; the medians are printed.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Scale factor of TPC-H for lineitem.
        #[arg(long, default_value_t = 10)]
        scale: u32,
    },
    /// Checks the house rules: floors, sizes, pages, words.
    Tidy,
    /// Writes the generated files: JSON schema, error pages, references.
    Codegen {
        /// Only says what differs from the committed files.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let workspace = Workspace::new();
    let done = match Arguments::parse().command {
        Command::Test { nightly, only } => gate::run(&workspace, nightly, &only),
        Command::Demo { seed, datasets, no_open: _ } => demo::run(&workspace, demo::Options { seed, datasets }),
        Command::Bench { name, profile, rounds, scale } => {
            bench::run(&workspace, name.as_deref(), &profile, rounds, scale)
        }
        Command::Tidy => tidy::run(&workspace),
        Command::Codegen { check: true } => codegen::check(&workspace),
        Command::Codegen { check: false } => codegen::write(&workspace),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

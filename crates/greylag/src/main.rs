//! Greylag migrates thousands of datasets and everything that reads them.
//!
//! The binary is the only place that reads the environment; [`wire`] alone names concrete drivers.

#![expect(clippy::disallowed_methods, reason = "the binary is where the environment, the clock and paths are read")]

mod cli;
mod clock;
mod command;
mod consumers;
mod context;
mod drive;
mod exit;
mod failure;
mod faults;
mod follow;
mod home;
mod migration_files;
mod output;
mod progress;
mod proving;
mod reading;
mod recheck;
mod replan;
mod scopes;
mod scripts;
mod show;
mod side_by_side;
mod templates;
mod trust;
mod usage;
mod verified;
mod wire;

use clap::Parser;
use cli::{Cli, Color, Command};
use context::Context;
use exit::Exit;
use failure::Outcome;
use std::process::ExitCode;

/// Many threads take and give back small pieces: that is what it is good at, and glibc's is not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::refused(&error).into(),
    };
    match cli.global.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let json = cli.global.output.is_json();
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.report(json);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Outcome {
    match &cli.command {
        // These need no state, no signals and no context; the reader must be up in a millisecond.
        Command::Reader(command) => return command.run(),
        Command::Completion(command) => return command.run(),
        Command::Reference(command) => return command.run(),
        Command::Explain(command) => return command.run(cli.global.output),
        _ => {}
    }
    let context = Context::new(cli.global)?;
    match cli.command {
        Command::Plan(command) => command.run(&context),
        Command::Plans(command) => command.run(&context),
        Command::Template(command) => command.run(&context),
        Command::Apply(command) => command.run(&context),
        Command::Schedule(command) => command.run(&context),
        Command::Runs(command) => command.run(&context),
        Command::Status(command) => command.run(&context),
        Command::Wait(command) => command.run(&context),
        Command::Logs(command) => command.run(&context),
        Command::Pause(command) => command.run(&context),
        Command::Resume(command) => command.run(&context),
        Command::Abort(command) => command.run(&context),
        Command::Approve(command) => command.run(&context),
        Command::Retry(command) => command.run(&context),
        Command::Undo(command) => command.run(&context),
        Command::Catalog(command) => command.run(&context),
        Command::Lineage(command) => command.run(&context),
        Command::Diff(command) => command.run(&context),
        Command::Refs(command) => command.run(&context),
        Command::Rewrite(command) => command.run(&context),
        Command::Trust(command) => command.run(&context),
        Command::Changes(command) => command.run(&context),
        Command::Limits(command) => command.run(&context),
        Command::Lab(command) => command.run(&context),
        Command::Gc(command) => command.run(&context),
        Command::Doctor(command) => command.run(&context),
        Command::Reader(_) | Command::Completion(_) | Command::Explain(_) | Command::Reference(_) => Ok(Exit::Done),
    }
}

//! The command line's grammar. Help texts here are the manual.

use crate::command;
use crate::exit;
use crate::output::Format;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Migrates thousands of datasets, proves the result, and can go back.
///
/// A migration is three commands: `greylag catalog import DIR` registers what is there, `greylag plan -f FILE` shows what
/// would change and freezes it, `greylag apply PLAN` runs exactly that. A run that was killed goes on with
/// `greylag resume RUN`; `greylag undo RUN` takes it back.
#[derive(Debug, Parser)]
#[command(name = "greylag", version, max_term_width = 100, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = exit::manual())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Heading of the options that every command takes.
pub(crate) const GLOBAL: &str = "Options of every command";

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = GLOBAL)]
pub(crate) struct Global {
    /// Folder of all state (the default is `$XDG_STATE_HOME/greylag` or `~/.local/state/greylag`).
    #[arg(long, global = true, value_name = "DIR", env = "GREYLAG_HOME", hide_env_values = true)]
    pub(crate) home: Option<PathBuf>,
    /// How data is printed on standard output.
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// Whether to colour what people read; NO_COLOR is honoured.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Say less on standard error.
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub(crate) quiet: bool,
}

/// Whether to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Plan(command::plan::Plan),
    Plans(command::plans::Plans),
    Template(command::template::Template),
    Apply(command::apply::Apply),
    Schedule(command::schedule::Schedule),
    Runs(command::runs::Runs),
    Status(command::status::Status),
    Wait(command::wait::Wait),
    Logs(command::logs::Logs),
    Pause(command::control::Pause),
    Resume(command::resume::Resume),
    Abort(command::control::Abort),
    Approve(command::approve::Approve),
    Retry(command::resume::Retry),
    Undo(command::undo::Undo),
    Catalog(command::catalog::Catalog),
    Lineage(command::lineage::Lineage),
    Diff(command::diff::Diff),
    Refs(command::refs::Refs),
    Rewrite(command::rewrite::Rewrite),
    Trust(command::trust::TrustCommand),
    Changes(command::changes::Changes),
    Limits(command::limits::Limits),
    Lab(command::lab::Lab),
    Gc(command::gc::Gc),
    Doctor(command::doctor::Doctor),
    Completion(command::completion::Completion),
    Explain(command::explain::Explain),
    #[command(hide = true)]
    Reader(command::reader::Reader),
    #[command(hide = true)]
    Reference(command::reference::Reference),
}

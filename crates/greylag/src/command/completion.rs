//! `greylag completion`: scripts for shells.

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::Outcome;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print the completion script of a shell.
#[derive(Debug, Args)]
#[command(after_help = "bash: greylag completion bash > ~/.local/share/bash-completion/completions/greylag\n\
                        zsh:  greylag completion zsh > \"${fpath[1]}/_greylag\"\n\
                        fish: greylag completion fish > ~/.config/fish/completions/greylag.fish")]
pub(crate) struct Completion {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(&self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "greylag", &mut script);
        crate::output::text(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}

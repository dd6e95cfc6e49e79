//! What every command has: the options of all commands, the clock, the state folder (opened when first needed), and
//! whether a person has asked the process to stop.

use crate::cli::Global;
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::home::Home;
use crate::output::Format;
use crate::wire::{self, State};
use greylag_driver::clock::Clock;
use greylag_driver::journal::Journal;
use greylag_model::code;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::id::Timestamp;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The context of one command.
pub(crate) struct Context {
    global: Global,
    clock: SystemClock,
    stop: Arc<AtomicBool>,
    state: OnceLock<State>,
}

impl Context {
    /// Takes the options and arms the signals: the first Ctrl-C asks for a graceful stop, the second ends the process.
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
                .map_err(|error| Failure::error(code::cli::INTERNAL, format!("signals cannot be caught: {error}")))?;
        }
        Ok(Self { global, clock: SystemClock::default(), stop, state: OnceLock::new() })
    }

    /// How data is printed.
    pub(crate) fn format(&self) -> Format {
        self.global.output
    }

    /// Whether talk on standard error is wanted.
    pub(crate) fn quiet(&self) -> bool {
        self.global.quiet
    }

    /// Whether a person watches a terminal.
    pub(crate) fn live(&self) -> bool {
        !self.global.quiet && !self.format().is_json() && std::io::stderr().is_terminal()
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock itself.
    pub(crate) fn clock(&self) -> SystemClock {
        self.clock
    }

    /// Set once a person has asked to stop.
    pub(crate) fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// Whether a person has asked to stop.
    pub(crate) fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Where the state is.
    pub(crate) fn home(&self) -> Result<Home, Failure> {
        Home::locate(self.global.home.as_deref())
    }

    /// Which setting says where the state is.
    pub(crate) fn home_origin(&self) -> &'static str {
        Home::origin(self.global.home.as_deref())
    }

    /// The state, opened when first asked for.
    pub(crate) fn state(&self) -> Result<&State, Failure> {
        if let Some(state) = self.state.get() {
            return Ok(state);
        }
        let home = self.home()?;
        home.create()?;
        let state = wire::open(&home)?;
        Ok(self.state.get_or_init(|| state))
    }

    /// The journal.
    pub(crate) fn journal(&self) -> Result<&dyn Journal, Failure> {
        Ok(self.state()?.journal.as_ref())
    }

    /// Says a line to people, unless they asked for quiet.
    pub(crate) fn say(&self, line: &str) {
        if !self.global.quiet {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(anstream::stderr(), "{}", crate::failure::shown(line));
        }
    }

    /// Asks a question that is answered with the word `yes`; where nobody can answer, it is refused.
    pub(crate) fn confirm(&self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Err(Failure::new(
                crate::exit::Exit::Refused,
                Diagnostic::error(code::cli::CONFIRMATION_NEEDED, format!("nobody is there to confirm: {question}"))
                    .hint("say `--yes` to confirm beforehand"),
            ));
        }
        let _ = write!(anstream::stderr(), "{question}\nOnly `yes` goes on: ");
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        if read.is_ok() && answer.trim() == "yes" {
            return Ok(());
        }
        Err(Failure::new(
            crate::exit::Exit::Refused,
            Diagnostic::error(code::cli::NOT_CONFIRMED, "not confirmed, nothing was done"),
        ))
    }

    /// Who acts, for the journal: the user's name as the environment has it.
    pub(crate) fn actor(&self) -> String {
        std::env::var("USER").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
    }
}

//! A command line that is not understood: told like every other error, with its code, what was probably meant, and
//! where the manual is.

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use clap::Parser;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::Write;

/// Tells what the parser has to say and answers how the process ends.
pub(crate) fn refused(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nothing can be done about a closed stream here.
            let _ = error.print();
            Exit::Done
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            help_instead();
            Exit::Usage
        }
        _ => {
            failure(&error.render().to_string()).report(wants_json(std::env::args_os().skip(1)));
            Exit::Usage
        }
    }
}

/// The help of the command that lacks a subcommand, on standard error.
fn help_instead() {
    if let Err(help) = Cli::try_parse_from(std::env::args_os().chain([OsString::from("--help")])) {
        // Nothing can be done about a closed stream here.
        let _ = writeln!(anstream::stderr(), "{}", help.render().ansi());
    }
}

/// Whether the caller reads JSON, as far as that can be seen in a command line that is not understood.
fn wants_json(args: impl Iterator<Item = OsString>) -> bool {
    let mut after_flag = false;
    for arg in args {
        let arg = arg.to_string_lossy();
        let value = match arg.strip_prefix("--output=").or_else(|| arg.strip_prefix("-o")) {
            Some(value) if !value.is_empty() => value.trim_start_matches('='),
            _ if after_flag => &arg,
            _ => "",
        };
        if matches!(value, "json" | "ndjson") {
            return true;
        }
        after_flag = arg == "-o" || arg == "--output";
    }
    false
}

/// What the parser's text says, in our form: its first paragraph is the message, its tips are hints.
fn failure(text: &str) -> Failure {
    let mut message = Vec::new();
    let mut hints = Vec::new();
    let mut command = String::from("greylag");
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(tip) = trimmed.strip_prefix("tip: ") {
            hints.push(quoted(tip));
        } else if let Some(values) = trimmed.strip_prefix("[possible values: ") {
            hints.push(format!("possible values are {}", values.trim_end_matches(']')));
        } else if let Some(usage) = trimmed.strip_prefix("Usage: ") {
            let word = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_lowercase());
            command = usage.split_whitespace().take_while(word).collect::<Vec<_>>().join(" ");
        } else if !trimmed.is_empty() && !trimmed.starts_with("For more information") && !trimmed.starts_with('[') {
            message.push(quoted(trimmed.strip_prefix("error: ").unwrap_or(trimmed)));
        }
    }
    hints.push(format!("`{command} --help` is the manual"));
    hints.into_iter().fold(Failure::usage(message.join(" ")), Failure::hint)
}

/// Values stand in backticks, as in all of our messages.
fn quoted(text: &str) -> String {
    text.replace('\'', "`")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{failure, wants_json};
    use crate::cli::Cli;
    use clap::Parser;
    use std::ffi::OsString;

    fn check(line: &str, expected: &str) {
        let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
        assert_eq!(failure(&error.render().to_string()).diagnostics[0].to_string(), expected);
    }

    #[test]
    fn what_was_probably_meant_is_a_hint() {
        check(
            "greylag statsu",
            "error[GL0002]: unrecognized subcommand `statsu`\n  hint: a similar subcommand exists: `status`\n  \
             hint: `greylag --help` is the manual",
        );
        check(
            "greylag plan --fil x",
            "error[GL0002]: unexpected argument `--fil` found\n  hint: a similar argument exists: `--file`\n  \
             hint: `greylag plan --help` is the manual",
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        check(
            "greylag apply",
            "error[GL0002]: the following required arguments were not provided: <PLAN>...\n  \
             hint: `greylag apply --help` is the manual",
        );
        check(
            "greylag runs -o xml",
            "error[GL0002]: invalid value `xml` for `--output <FORMAT>`\n  \
             hint: possible values are table, wide, json, ndjson, name\n  hint: `greylag --help` is the manual",
        );
    }

    #[test]
    fn the_wish_for_json_is_seen_before_the_rest_is_understood() {
        let wants = |line: &str| wants_json(line.split(' ').map(OsString::from));
        assert!(wants("runs -o json --bogus"));
        assert!(wants("runs --output=ndjson"));
        assert!(wants("-ojson nothing"));
        assert!(!wants("runs -o table json"));
    }
}

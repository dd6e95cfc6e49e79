//! What DuckDB's errors mean.
//!
//! The first line of an error begins with its class. Words of those that come before any row is read are about the text and are passed on;
//! words of the others may hold values and are not. An error whose beginning was cut off could pretend anything.

use crate::proof::engine::Trouble;
use greylag_driver::sandbox::{Ended, LOG_BYTES, Limit, Report};

/// Longest words that are passed on.
const LONGEST: usize = 240;

/// Why there is nothing to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// It is no SQL.
    Unparsed(String),
    /// It was not run to its end.
    Trouble(Trouble),
    /// Somebody does not want it any more.
    Cancelled,
}

/// Why a job did not end well. `began` says whether the text was reached, `ran` whether it was through.
pub(super) fn of(report: &Report, began: bool, ran: bool) -> Failed {
    let unsupported = |why: &str| Failed::Trouble(Trouble::Unsupported(why.to_owned()));
    let limit = |why: &str| Failed::Trouble(Trouble::Limit(why.to_owned()));
    match report.ended {
        Ended::Cancelled => Failed::Cancelled,
        Ended::Limit(Limit::Time | Limit::Cpu) => limit("it takes too much time"),
        Ended::Limit(Limit::Memory) => limit("it takes too much memory"),
        Ended::Limit(Limit::Output | Limit::Line) => limit("it gives too much"),
        Ended::Limit(_) => limit("it takes too much"),
        Ended::Signal(_) => unsupported("DuckDB ended before it answered"),
        Ended::Exit(_) if !began => unsupported("its tables cannot be made in DuckDB"),
        Ended::Exit(_) if ran => unsupported("what it gives cannot be shown"),
        Ended::Exit(_) => of_words(&report.log),
    }
}

fn of_words(log: &str) -> Failed {
    if log.len() >= LOG_BYTES {
        return Failed::Trouble(fails());
    }
    let line = log.trim_start().lines().next().unwrap_or_default();
    let Some((class, words)) = line.split_once(" Error: ") else { return Failed::Trouble(fails()) };
    let mut short: String = words.chars().take(LONGEST).collect();
    if short.len() < words.len() {
        short.push('…');
    }
    let is_function = words.contains("Function with name") || words.contains("function with name");
    let is_name = ["does not exist", "not found", "does not have a column", "doesn't exist"];
    let is_name = is_name.iter().any(|part| words.contains(part)) && !words.contains("No function matches");
    Failed::Trouble(match class {
        "Parser" => return Failed::Unparsed(short),
        "Catalog" if is_function => Trouble::Unsupported(short),
        "Catalog" | "Binder" if is_name => Trouble::Names(short),
        "Binder" | "Catalog" => Trouble::Senseless(short),
        "Not implemented" | "Permission" | "IO" | "INTERNAL" | "Dependency" | "Missing Extension" | "Extension"
        | "HTTP" => Trouble::Unsupported("DuckDB does not run it here".to_owned()),
        "Out of Memory" => Trouble::Limit("it takes too much memory".to_owned()),
        "INTERRUPT" => Trouble::Limit("it takes too much time".to_owned()),
        _ => fails(),
    })
}

fn fails() -> Trouble {
    Trouble::Fails("it fails on a row".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Failed, of};
    use crate::proof::engine::Trouble;
    use greylag_driver::sandbox::{Ended, LOG_BYTES, Report};

    fn failed(log: &str) -> Failed {
        of(&Report { ended: Ended::Exit(1), log: log.to_owned() }, true, false)
    }

    fn check(log: &str, expected: Trouble) {
        assert_eq!(failed(log), Failed::Trouble(expected), "{log}");
    }

    #[test]
    fn errors_are_told_by_their_class() {
        let words = |text: &str| text.to_owned();
        check("Binder Error: Referenced column \"x\" not found in FROM clause!\nCandidate bindings: \"a\"\n", {
            Trouble::Names(words("Referenced column \"x\" not found in FROM clause!"))
        });
        check(
            "Catalog Error: Table with name t does not exist!",
            Trouble::Names(words("Table with name t does not exist!")),
        );
        let function = "Scalar Function with name f does not exist!";
        check(&format!("Catalog Error: {function}"), Trouble::Unsupported(words(function)));
        let senseless = "column \"a\" must appear in the GROUP BY clause";
        check(&format!("Binder Error: {senseless}"), Trouble::Senseless(words(senseless)));
        check("Out of Memory Error: failed to", Trouble::Limit(words("it takes too much memory")));
        check("Permission Error: Cannot access", Trouble::Unsupported(words("DuckDB does not run it here")));
        assert_eq!(failed("Parser Error: syntax error"), Failed::Unparsed(words("syntax error")));
    }

    #[test]
    fn values_are_not_passed_on() {
        for log in [
            "Conversion Error: Could not convert string 'secret' to INT32",
            "Invalid Input Error: secret\nBinder Error: secret does not exist",
            "secret",
            &format!("Binder Error: secret {}", "x".repeat(LOG_BYTES)),
        ] {
            check(log, Trouble::Fails("it fails on a row".to_owned()));
        }
    }
}

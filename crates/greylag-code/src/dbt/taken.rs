//! Which of the ways that a template can go a run can take.
//!
//! A template goes both ways where only a database knows the answer, and one of them often gives no SQL: a list of columns that is
//! empty, a table that is not there. Where another way gives SQL, such a way is none that a run takes: it would end with an error there,
//! too. But what whoever runs the project decides (incremental or not, variables, the target) is decided one way today and the other way
//! tomorrow. So a way is excused only by one that agrees with it on all of that; else a part of a query that could not be
//! read would pass for one that is not there.

use super::project::NodeRendering;
use greylag_syntax::jinja::ErrorKind;

/// How questions begin that are answered by whoever runs the project, and not by a database.
const SWITCHES: &[&str] = &["is_incremental(", "should_full_refresh(", "var(", "env_var(", "target.", "flags."];

/// Of each way, whether a run can take it. `whole` says of each whether it has a text, and all of that could be read.
pub fn taken(ways: &[NodeRendering], whole: &[bool]) -> Vec<bool> {
    let excused = |way: &NodeRendering| {
        let other = |(other, whole): (&NodeRendering, &bool)| *whole && agree(way, other);
        !way.decisions.is_empty() && ways.iter().zip(whole).any(other)
    };
    let is_taken = |(way, whole): (&NodeRendering, &bool)| match &way.text {
        Ok(_) => *whole || !excused(way),
        Err(error) => match error.kind {
            ErrorKind::Raised => false,
            ErrorKind::Type => !excused(way),
            ErrorKind::Syntax | ErrorKind::Name | ErrorKind::Limit => true,
        },
    };
    ways.iter().zip(whole).map(is_taken).collect()
}

/// Whether nothing that whoever runs the project decides is decided one way in the one and another way in the other.
fn agree(one: &NodeRendering, other: &NodeRendering) -> bool {
    let switches =
        one.decisions.iter().filter(|decision| SWITCHES.iter().any(|begin| decision.what.starts_with(begin)));
    let mut answers = switches
        .filter_map(|decision| Some((decision, other.decisions.iter().find(|found| found.what == decision.what)?)));
    answers.all(|(decision, found)| decision.answer == found.answer)
}

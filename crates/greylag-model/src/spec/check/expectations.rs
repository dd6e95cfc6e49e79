//! Checks: each expects one thing, and can hold.

use super::{Report, diff, entries, expression, items, text};
use crate::code::spec as code;
use crate::yaml::{Kind, Node};

const KEYS: [&str; 6] = ["notNull", "expr", "minRows", "maxRows", "maxRejected", "diff"];

pub(super) fn check(report: &mut Report<'_>, checks: &[Node]) {
    let names = checks.iter().filter_map(|check| check.get("name"));
    report.once(names, code::NAME_TWICE, "the check", "give one of them another name");
    for check in checks {
        one(report, check);
    }
    let least = bounds(checks, "minRows").max_by_key(|(rows, _)| *rows);
    let most = bounds(checks, "maxRows").min_by_key(|(rows, _)| *rows);
    if let (Some((least, first)), Some((most, node))) = (least, most)
        && least > most
    {
        let message = format!("no dataset has at least {least} and at most {most} rows");
        let hint = format!("the other bound is in {}", report.line(first));
        report.error(node, code::COMBINATION, message, hint);
    }
}

/// The whole numbers under a key, and where they stand.
fn bounds<'a>(checks: &'a [Node], key: &'a str) -> impl Iterator<Item = (u64, &'a Node)> {
    checks.iter().filter_map(move |check| {
        let node = check.get(key)?;
        if let Kind::Number(number, _) = &node.kind { Some((number.as_u64()?, node)) } else { None }
    })
}

fn one(report: &mut Report<'_>, check: &Node) {
    if !matches!(check.kind, Kind::Map(_)) {
        return;
    }
    let given: Vec<_> = entries(check).iter().filter(|entry| KEYS.contains(&&*entry.key)).collect();
    match &given[..] {
        [] => {
            let message = match text(check, "name") {
                Some(name) => format!("the check `{name}` expects nothing"),
                None => "a check expects nothing".to_owned(),
            };
            let hint = "add one of `notNull`, `expr`, `minRows`, `maxRows`, `maxRejected` and `diff`";
            report.error(check, code::ONE_KEY, message, hint);
        }
        [_] => {}
        [first, rest @ ..] => {
            for entry in rest {
                let message = format!("a check expects one thing, and this one has `{}` already", first.key);
                report.error_at_key(entry, code::ONE_KEY, message, format!("make `{}` a check of its own", entry.key));
            }
        }
    }
    if let Some(expr) = check.get("expr") {
        expression::check(report, expr);
    }
    if let Some(node) = check.get("diff") {
        diff::check(report, node);
    }
    report.once(items(check, "notNull"), code::COLUMN_TWICE, "the column", "keep one of them");
}

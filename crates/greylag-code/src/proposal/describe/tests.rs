//! What owners read, and what hostile names do not make of it.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{cell, code, description, prose};
use crate::proposal::Proposal;
use crate::repository::{Options, look};
use crate::tree::MemoryTree;
use greylag_model::check::{CheckResult, Verdict};
use greylag_model::consumer::{ColumnChange, Fate, TableChange};
use greylag_model::spec::Metadata;

#[test]
fn names_cannot_leave_their_span_or_cell() {
    let cases = [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a\nb", "`a b`"), ("a``b", "```a``b```")];
    for (text, expected) in cases {
        assert_eq!(code(text), expected);
    }
    assert_eq!(cell(&code("a|<b")), "`a\\|<b`");
    assert_eq!(cell(&code("a\n| x | pass |")), "`a \\| x \\| pass \\|`");
}

#[test]
fn reasons_are_words_and_spans_of_code() {
    for text in ["`a.sql` names `raw.users`, where `raw.new` must be read", "1 of 2 texts give the same", "50 % (a/b)"]
    {
        assert_eq!(prose(text), text);
    }
    let hostile = [
        ("see [this](http://evil.example)", "`see [this](http://evil.example)`"),
        ("<img src=x>", "`<img src=x>`"),
        ("at http://evil.example", "`at http://evil.example`"),
        ("at www.evil.example", "`at www.evil.example`"),
        ("@everyone look", "`@everyone look`"),
        ("closes #1", "`closes #1`"),
        ("a\nb", "`a b`"),
        ("**fail**", "`**fail**`"),
        // A name with a backtick of its own.
        ("`x` @all `y`", "`` `x` @all `y` ``"),
        ("`x`[y](z)` is lost", "`` `x`[y](z)` is lost ``"),
        ("it has `` in it", "```it has `` in it```"),
    ];
    for (text, expected) in hostile {
        assert_eq!(prose(text), expected);
    }
    assert_eq!(prose(&"a".repeat(700)).chars().count(), 601);
}

/// `raw.users_v1 (uid, age|x, plan)` becomes `raw.users_v2`.
fn change() -> TableChange {
    let column = |name: &str, fate: Fate| ColumnChange { name: name.to_owned(), fate, judgement: None };
    TableChange {
        new: "raw.users_v2".parse().unwrap(),
        columns: vec![
            column("uid", Fate::Same("user_id".to_owned())),
            column("age|`x", Fate::Same("years".to_owned())),
            column("kept", Fate::Same("kept".to_owned())),
            column("plan", Fate::Lost("dropped: moved to <b>billing</b> |".to_owned())),
        ],
        target: ["user_id", "years", "kept"].map(str::to_owned).to_vec(),
        ..TableChange::unchanged("users_v1", vec!["raw.users_v1".parse().unwrap()], Vec::new())
    }
}

fn about() -> Metadata {
    serde_json::from_value(serde_json::json!({
        "name": "users-v2",
        "title": "Users get their real names",
        "owner": "group:crm",
        "guide": "https://wiki.example.com/users-v2",
    }))
    .unwrap()
}

fn verdict(name: &str, verdict: Verdict, detail: &str) -> CheckResult {
    CheckResult { name: name.to_owned(), verdict, detail: detail.to_owned(), hint: None }
}

fn described(until: Option<&str>, verdicts: &[CheckResult]) -> String {
    let files = [
        ("a.sql", "select uid from raw.users_v1 where uid > 1"),
        ("b](http:evil)|`.sql", "select uid from raw.users_v1"),
        ("c.sql", "select plan from raw.users_v1"),
    ];
    let (changes, about) = ([change()], about());
    let report = look(&MemoryTree::new(files), &changes, Options::default()).unwrap();
    description(
        &Proposal { about: &about, changes: &changes, until, report, part: None, elsewhere: Vec::new() },
        verdicts,
    )
}

#[test]
fn an_owner_reads_what_why_until_when_and_how_it_was_checked() {
    let verdicts = [
        verdict("complete", Verdict::Unknown, "left for people: 1 file"),
        verdict("parses", Verdict::Pass, "2 texts, read as before"),
        verdict("resolves", Verdict::Fail, "`b](http:evil)|`.sql:1:1` names `x`, where `raw.users_v2` must be read"),
        verdict("proof", Verdict::Pass, "2 of 2 texts give the same; 1,000 real rows among those tried"),
    ];
    let expected = "\
Users get their real names

This moves the code of this repository to the new datasets of the migration `users-v2`. Rules wrote it: 5 edits in 2 files, and no other byte.

- Who answers for it: `group:crm`
- Guide: <https://wiki.example.com/users-v2>
- Until when the old datasets stay: `2027-03-31`

## `raw.users_v1` becomes `raw.users_v2`

| Old column | Now | Remarks |
|---|---|---|
| `uid` | `user_id` |  |
| ``age\\|`x`` | `years` |  |
| `plan` | ends | `dropped: moved to <b>billing</b> \\|` |

Beside these, 1 column as before.

## What changes here

| File | Edits |
|---|---|
| `a.sql` | 3 |
| ``b](http:evil)\\|`.sql`` | 2 |

## What is left as it is

These places need somebody; their files still read the old datasets.

- `c.sql:1` (judgement): `` `plan` ends: dropped: moved to <b>billing</b> | ``

## What was checked

| Check | Verdict | Detail |
|---|---|---|
| `complete` | unknown | left for people: 1 file |
| `parses` | pass | 2 texts, read as before |
| `resolves` | **fail** | `` `b](http:evil)\\|`.sql:1:1` names `x`, where `raw.users_v2` must be read `` |
| `proof` | pass | 2 of 2 texts give the same; 1,000 real rows among those tried |

## How to say no

Close this change request, or comment on it and do not approve it. It is not opened again unless somebody asks for that. Until it is merged, this code reads the old datasets, which stay until `2027-03-31`.
";
    assert_eq!(described(Some("2027-03-31"), &verdicts), expected);
}

#[test]
fn what_nobody_said_is_left_out() {
    let text = described(None, &[]);
    assert!(
        !text.contains("What was checked") && !text.contains("ntil when") && !text.contains("which stay"),
        "{text}"
    );
    assert!(text.ends_with("Until it is merged, this code reads the old datasets.\n"), "{text}");
}

//! Large files: linear, and sooner or later an error instead of a hang.

use super::spec;
use greylag_model::spec::parse;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// 10,000 pairs, each with a mapping of its own.
fn large(pairs: usize) -> String {
    let mut body = "  datasets:\n".to_owned();
    for index in 0..pairs {
        write!(
            body,
            "    - from: finance/orders_{index:05}_v1\n      to: finance/orders_{index:05}_v2\n      mapping:\n        columns:\n          \
             - {{name: email, from: mail}}\n          - {{name: amount, type: \"decimal(15,2)\", loss: round}}\n"
        )
        .unwrap();
    }
    spec(&body)
}

#[test]
fn ten_thousand_pairs() {
    let text = large(10_000);
    let begin = Instant::now();
    let parsed = parse("m.yaml", &text);
    let took = begin.elapsed();
    assert_eq!(parsed.diagnostics, []);
    // Unoptimised and beside other tests; optimised it takes well under a second.
    assert!(took < Duration::from_secs(20), "{} bytes took {took:?}", text.len());
}

#[test]
fn ten_thousand_wrong_pairs() {
    let text = large(10_000).replace("name: email", "nmae: email").replace("_v2", "_v1");
    let parsed = parse("m.yaml", &text);
    assert_eq!(parsed.diagnostics.len(), 20_000);
    assert!(parsed.documents.is_empty());
}

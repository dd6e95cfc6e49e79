use super::{mapping, show, spec};
use insta::assert_snapshot;

#[test]
fn target_columns_once() {
    assert_snapshot!(show(&mapping("    columns:\n      - {name: x}\n      - {name: x, from: y}\n      - {name: X}\n    split: [{from: n, into: [p, x], separator: '-'}]\n    merge: [{from: [q, q], into: p, separator: ''}]\n")), @"
    m.yaml:11:16: error[GL0127]: the target column `x` is given twice
      hint: it was given in line 10: keep one of them
    m.yaml:13:33: error[GL0127]: the target column `x` is given twice
      hint: it was given in line 10: keep one of them
    m.yaml:14:24: error[GL0127]: the merged column `q` is given twice
      hint: it was given in line 14: keep one of them
    m.yaml:14:34: error[GL0127]: the target column `p` is given twice
      hint: it was given in line 13: keep one of them
    ");
}

#[test]
fn source_columns_with_two_fates() {
    assert_snapshot!(show(&mapping("    columns:\n      - {name: x, from: a}\n      - {name: y, from: a}\n    drop:\n      - {name: a, reason: r}\n      - {name: n, reason: r}\n      - {name: n, reason: r}\n    split: [{from: n, into: [p, q], separator: '-'}]\n    merge: [{from: [r, s], into: t, separator: ''}]\n")), @"
    m.yaml:11:25: error[GL0128]: `a` is carried on by two target columns
      hint: the other one is in line 10; a copy is an expression: `{name: y, expr: a}`
    m.yaml:13:16: error[GL0128]: `a` is dropped and carried on as well
      hint: see line 10: keep one of the two
    m.yaml:14:16: error[GL0128]: `n` is dropped and split as well
      hint: see line 16: a column that is split ends without being dropped
    m.yaml:15:16: error[GL0127]: the dropped column `n` is given twice
      hint: it was given in line 14: keep one of them
    m.yaml:15:16: error[GL0128]: `n` is dropped and split as well
      hint: see line 16: a column that is split ends without being dropped
    ");
}

#[test]
fn policies_without_a_cast() {
    assert_snapshot!(show(&mapping("    columns:\n      - {name: x, loss: round}\n      - {name: y, tolerance: {}}\n")), @"
    m.yaml:10:19: error[GL0131]: `loss` says what a cast does, but there is no `type`
      hint: add the `type`, or remove `loss`
    m.yaml:11:19: error[GL0129]: the tolerance says neither `absolute` nor `relative`
      hint: write e.g. `{absolute: 0.01}`
    ");
}

#[test]
fn judgement_needs_a_guide_and_words() {
    assert_snapshot!(show(&mapping("    columns:\n      - {name: x, judgement: {guide: see wiki, text: ''}}\n      - {name: y, judgement: {}}\n    drop:\n      - {name: z, reason: '', judgement: {guide: 'https://a b', text: t}}\n")), @r#"
    m.yaml:10:38: error[GL0130]: `see wiki` is not a link
      hint: write the whole address, beginning with `https://`
    m.yaml:10:54: error[GL0117]: `spec.mapping.columns[0].judgement.text` is empty
    m.yaml:11:19: error[GL0114]: `spec.mapping.columns[1].judgement` lacks `guide`
      hint: add `guide: https://wiki.example.com/amounts` – link (`http` or `https`) to the guide
    m.yaml:11:19: error[GL0114]: `spec.mapping.columns[1].judgement` lacks `text`
      hint: add `text: "Amounts now include tax: check every sum."` – what is to be judged, in a sentence or two
    m.yaml:13:27: error[GL0117]: `spec.mapping.drop[0].reason` is empty
    m.yaml:13:50: error[GL0130]: `https://a b` is not a link
      hint: write the whole address, beginning with `https://`
    "#);
}

#[test]
fn a_way_back_is_an_expression_or_lost() {
    assert_snapshot!(show(&mapping("    reverse:\n      - {name: x}\n      - {name: y, expr: z, lost: why}\n      - {name: x, lost: why}\n")), @"
    m.yaml:10:9: error[GL0129]: the way back of `x` says neither `expr` nor `lost`
      hint: add `expr: …` over target columns, or `lost: WHY`
    m.yaml:11:28: error[GL0129]: a column that has a way back is not lost
      hint: keep either `expr` or `lost`
    m.yaml:12:16: error[GL0127]: the way back of `x` is given twice
      hint: it was given in line 10: keep one of them
    ");
}

#[test]
fn a_mapping_of_a_pair_is_checked_too() {
    assert_snapshot!(show(&spec("  datasets:\n    - from: a\n      to: b\n      mapping:\n        columns: [{name: x, loss: fail}]\n      layout: {format: csv, compression: zstd}\n      checks: [{}]\n")), @"
    m.yaml:10:29: error[GL0131]: `loss` says what a cast does, but there is no `type`
      hint: add the `type`, or remove `loss`
    m.yaml:11:29: error[GL0131]: `compression` is given, but the format is `csv`, which has none
      hint: remove `compression`, or write `format: parquet`
    m.yaml:12:16: error[GL0129]: a check expects nothing
      hint: add one of `notNull`, `expr`, `minRows`, `maxRows`, `maxRejected` and `diff`
    ");
}

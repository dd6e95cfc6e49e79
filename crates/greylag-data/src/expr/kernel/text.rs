//! Text. Positions and lengths count characters; text of ASCII alone is cut by bytes.

use super::super::operation::Kernel;
use super::failed;
use arrow::array::types::Int64Type;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray, StringBuilder};
use arrow::error::ArrowError;
use greylag_model::expr::{Function, Literal, Node, TypedExpr};
use std::sync::Arc;

pub(super) fn kernel(function: Function, args: &[TypedExpr]) -> Option<Kernel> {
    Some(match function {
        Function::Concat => Arc::new(|args, rows| Ok(concat(args, rows))),
        Function::Length => Arc::new(|args, _| {
            let lengths = texts(&args[0]).iter().map(|value| value.map(|text| count(text) as i64));
            Ok(Arc::new(lengths.collect::<Int64Array>()))
        }),
        Function::Position => Arc::new(|args, _| {
            let pairs = texts(&args[0]).iter().zip(texts(&args[1]));
            let found = pairs.map(|(text, part)| {
                let text = text?;
                Some(text.find(part?).map_or(0, |at| count(&text[..at]) as i64 + 1))
            });
            Ok(Arc::new(found.collect::<Int64Array>()))
        }),
        Function::Left => Arc::new(|args, _| {
            Ok(with_count(args, |text, wanted| {
                let keep = if wanted < 0 { (count(text) as i64).saturating_add(wanted) } else { wanted };
                &text[..offset(text, keep)]
            }))
        }),
        Function::Right => Arc::new(|args, _| {
            Ok(with_count(args, |text, wanted| {
                let skip =
                    if wanted < 0 { wanted.saturating_neg() } else { (count(text) as i64).saturating_sub(wanted) };
                &text[offset(text, skip)..]
            }))
        }),
        Function::Substring => Arc::new(|args, _| substring(args)),
        Function::Reverse => {
            Arc::new(|args, _| Ok(each(&args[0], |text| Some(text.chars().rev().collect::<String>()))))
        }
        // Beyond ASCII, letters are mapped one by one as the reference does.
        Function::Lower if args.len() == 1 => case(function, args, str::to_ascii_lowercase),
        Function::Upper if args.len() == 1 => case(function, args, str::to_ascii_uppercase),
        Function::Like => return like(args),
        _ => return None,
    })
}

fn texts(array: &ArrayRef) -> &StringArray {
    array.as_string::<i32>()
}

fn each<T: AsRef<str>>(array: &ArrayRef, of: impl Fn(&str) -> Option<T>) -> ArrayRef {
    Arc::new(texts(array).iter().map(|text| of(text?)).collect::<StringArray>())
}

fn count(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// The byte at which a character begins; the end if there are fewer, the start below zero.
fn offset(text: &str, characters: i64) -> usize {
    let Ok(characters) = usize::try_from(characters) else { return 0 };
    if text.is_ascii() {
        return characters.min(text.len());
    }
    text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
}

fn with_count(args: &[ArrayRef], of: impl for<'a> Fn(&'a str, i64) -> &'a str) -> ArrayRef {
    let pairs = texts(&args[0]).iter().zip(args[1].as_primitive::<Int64Type>());
    Arc::new(pairs.map(|(text, count)| Some(of(text?, count?))).collect::<StringArray>())
}

fn substring(args: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let starts = args[1].as_primitive::<Int64Type>();
    let lengths = args.get(2).map(|array| array.as_primitive::<Int64Type>());
    let mut builder = StringBuilder::new();
    for (row, text) in texts(&args[0]).iter().enumerate() {
        let length = lengths.map(|lengths| (lengths.is_valid(row), lengths.value(row)));
        let (Some(text), true, None | Some((true, _))) = (text, starts.is_valid(row), length) else {
            builder.append_null();
            continue;
        };
        let start = starts.value(row);
        let length = length.map_or(i64::MAX, |(_, length)| length);
        if start < 1 || length < 0 {
            return Err(failed("a position is below 1 or a length below 0"));
        }
        let rest = &text[offset(text, start - 1)..];
        builder.append_value(&rest[..offset(rest, length)]);
    }
    Ok(Arc::new(builder.finish()))
}

fn concat(args: &[ArrayRef], rows: usize) -> ArrayRef {
    let parts: Vec<&StringArray> = args.iter().map(texts).collect();
    let bytes = parts.iter().map(|part| part.value_data().len()).sum();
    let mut builder = StringBuilder::with_capacity(rows, bytes);
    let mut joined = String::new();
    for row in 0..rows {
        if parts.iter().any(|part| part.is_null(row)) {
            builder.append_null();
            continue;
        }
        joined.clear();
        for part in &parts {
            joined.push_str(part.value(row));
        }
        builder.append_value(&joined);
    }
    Arc::new(builder.finish())
}

fn case(function: Function, exprs: &[TypedExpr], ascii: fn(&str) -> String) -> Kernel {
    let reference = super::by_row(function, exprs.to_vec(), exprs[0].data_type.clone());
    Arc::new(move |args, rows| {
        let plain = texts(&args[0]).is_ascii();
        if plain { Ok(each(&args[0], |text| Some(ascii(text)))) } else { reference(args, rows) }
    })
}

/// Patterns without wildcards but at their ends are searches; others run the reference.
fn like(args: &[TypedExpr]) -> Option<Kernel> {
    let [_, TypedExpr { node: Node::Literal(Literal::String(pattern)), .. }] = args else { return None };
    let inner = pattern.trim_matches('%').to_owned();
    if inner.contains(['%', '_']) || inner.is_empty() {
        return None;
    }
    let (open_start, open_end) = (pattern.starts_with('%'), pattern.ends_with('%'));
    Some(Arc::new(move |args, _| {
        let matches = texts(&args[0]).iter().map(|text| {
            let text = text?;
            Some(match (open_start, open_end) {
                (false, false) => text == inner,
                (false, true) => text.starts_with(&inner),
                (true, false) => text.ends_with(&inner),
                (true, true) => text.contains(&inner),
            })
        });
        Ok(Arc::new(matches.collect::<BooleanArray>()))
    }))
}

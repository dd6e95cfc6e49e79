//! Computed columns.

use super::{Attribute, Column, Making, NewColumn, Place, Rules, at, quoted, rule};
use crate::cell::Cell;
use crate::values::{decimal, word};
use greylag_model::types::DataType;

type Case = fn(&mut Making<'_>) -> Attribute;

const CASES: &[(&str, Case)] = &[
    ("lower", lower),
    ("concat", concat),
    ("arithmetic", arithmetic),
    ("coalesce", coalesce),
    ("case", case),
    ("sum", sum),
    ("trim", trim),
    ("predicate", predicate),
];

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let (name, case) = CASES[making.turn % CASES.len()];
    let mut attribute = case(making);
    attribute.marks.push("operation/expression".to_owned());
    attribute.marks.push(format!("expression/{name}"));
    Some(attribute)
}

fn after(name: String, data_type: DataType) -> NewColumn {
    NewColumn::new(Column { name, data_type }, Place::Columns)
}

fn lost(name: &str) -> Vec<crate::yaml::Node> {
    vec![rule([("name", name), ("lost", "computed, and not to be told back")])]
}

fn lower(making: &mut Making<'_>) -> Attribute {
    let source = making.column(DataType::String);
    let expr = format!("lower({})", quoted(&source.name));
    Attribute {
        rules: Rules {
            columns: vec![rule([("name", &source.name), ("from", &source.name), ("expr", &expr)])],
            reverse: lost(&source.name),
            ..Rules::default()
        },
        old: vec![source.clone()],
        new: vec![at(0, source)],
        marks: vec![],
        draw: Box::new(|draws, record| {
            if draws.chance(10) {
                return record.same(Cell::Null);
            }
            let word = word(draws);
            let old = if draws.chance(70) { word.to_ascii_uppercase() } else { word.clone() };
            record.both(Cell::Text(old), Cell::Text(word));
        }),
    }
}

/// Both parts stay, and a third column says both: null if either is.
fn concat(making: &mut Making<'_>) -> Attribute {
    let (first, second) = (making.column(DataType::String), making.column(DataType::String));
    let joined = making.name();
    let expr = format!("{} || ' at ' || {}", quoted(&first.name), quoted(&second.name));
    Attribute {
        rules: Rules { columns: vec![rule([("name", &joined), ("expr", &expr)])], ..Rules::default() },
        old: vec![first.clone(), second.clone()],
        new: vec![at(0, first), at(1, second), after(joined, DataType::String)],
        marks: vec![],
        draw: Box::new(|draws, record| {
            let (first, second) = (word(draws), word(draws));
            let joined = Cell::Text(format!("{first} at {second}"));
            record.same(Cell::Text(first));
            if draws.chance(10) {
                record.same(Cell::Null);
                record.new.push(Cell::Null);
            } else {
                record.same(Cell::Text(second));
                record.new.push(joined);
            }
        }),
    }
}

fn arithmetic(making: &mut Making<'_>) -> Attribute {
    let source = making.column(DataType::Int64);
    let target = making.name();
    let expr = format!("{} * 60 + 1", quoted(&source.name));
    Attribute {
        rules: Rules {
            columns: vec![rule([("name", &target), ("from", &source.name), ("expr", &expr), ("type", "int64")])],
            reverse: lost(&source.name),
            ..Rules::default()
        },
        old: vec![source],
        new: vec![at(0, Column { name: target, data_type: DataType::Int64 })],
        marks: vec![],
        draw: Box::new(|draws, record| {
            if draws.chance(10) {
                return record.same(Cell::Null);
            }
            let minutes = draws.between(-10_000, 1_000_000);
            record.both(Cell::Int(minutes.into()), Cell::Int((minutes * 60 + 1).into()));
        }),
    }
}

/// The second fills in for the first; both stay.
fn coalesce(making: &mut Making<'_>) -> Attribute {
    let (first, second) = (making.column(DataType::Date), making.column(DataType::Date));
    let target = making.name();
    let expr = format!("coalesce({}, {})", quoted(&first.name), quoted(&second.name));
    Attribute {
        rules: Rules { columns: vec![rule([("name", &target), ("expr", &expr)])], ..Rules::default() },
        old: vec![first.clone(), second.clone()],
        new: vec![at(0, first), at(1, second), after(target, DataType::Date)],
        marks: vec![],
        draw: Box::new(|draws, record| {
            let first = Cell::Date(crate::values::day(draws));
            let second = if draws.chance(20) { Cell::Null } else { Cell::Date(crate::values::day(draws)) };
            let missing = draws.chance(40);
            record.same(if missing { Cell::Null } else { first.clone() });
            record.same(second.clone());
            record.new.push(if missing { second } else { first });
        }),
    }
}

fn case(making: &mut Making<'_>) -> Attribute {
    let source = making.column(DataType::Int32);
    let target = making.name();
    let name = quoted(&source.name);
    let expr = format!("CASE WHEN {name} < 0 THEN 'debit' WHEN {name} > 0 THEN 'credit' ELSE 'none' END");
    Attribute {
        rules: Rules { columns: vec![rule([("name", &target), ("expr", &expr)])], ..Rules::default() },
        old: vec![source.clone()],
        new: vec![at(0, source), after(target, DataType::String)],
        marks: vec![],
        draw: Box::new(|draws, record| {
            let (amount, word) = match draws.below(4) {
                0 => (Cell::Int((-draws.between(1, 1_000)).into()), "debit"),
                1 => (Cell::Int(draws.between(1, 1_000).into()), "credit"),
                2 => (Cell::Int(0), "none"),
                _ => (Cell::Null, "none"),
            };
            record.same(amount);
            record.new.push(Cell::text(word));
        }),
    }
}

/// Two decimals added up; both stay.
fn sum(making: &mut Making<'_>) -> Attribute {
    let (net, tax) = (making.column(decimal(9, 2)), making.column(decimal(9, 2)));
    let target = making.name();
    let expr = format!("{} + {}", quoted(&net.name), quoted(&tax.name));
    Attribute {
        rules: Rules {
            columns: vec![rule([("name", &target), ("expr", &expr), ("type", "decimal(12,2)")])],
            ..Rules::default()
        },
        old: vec![net.clone(), tax.clone()],
        new: vec![at(0, net), at(1, tax), after(target, decimal(12, 2))],
        marks: vec![],
        draw: Box::new(|draws, record| {
            let net = draws.between(-999_999_999, 999_999_999);
            let tax = draws.between(0, 99_999);
            record.same(Cell::Decimal(net.into()));
            if draws.chance(10) {
                record.same(Cell::Null);
                record.new.push(Cell::Null);
            } else {
                record.same(Cell::Decimal(tax.into()));
                record.new.push(Cell::Decimal((net + tax).into()));
            }
        }),
    }
}

fn trim(making: &mut Making<'_>) -> Attribute {
    let source = making.column(DataType::String);
    let expr = format!("trim({})", quoted(&source.name));
    Attribute {
        rules: Rules {
            columns: vec![rule([("name", &source.name), ("from", &source.name), ("expr", &expr)])],
            reverse: lost(&source.name),
            ..Rules::default()
        },
        old: vec![source.clone()],
        new: vec![at(0, source)],
        marks: vec![],
        draw: Box::new(|draws, record| {
            let word = word(draws);
            let old = format!("{}{word}{}", " ".repeat(draws.below(3)), " ".repeat(draws.below(3)));
            record.both(Cell::Text(old), Cell::Text(word));
        }),
    }
}

fn predicate(making: &mut Making<'_>) -> Attribute {
    let source = making.column(DataType::String);
    let target = making.name();
    let name = quoted(&source.name);
    let expr = format!("{name} IS NOT NULL AND {name} <> 'free'");
    let check = format!("{} = true OR {} = false", quoted(&target), quoted(&target));
    Attribute {
        rules: Rules {
            columns: vec![rule([("name", &target), ("expr", &expr)])],
            checks: vec![rule([("name", "paying or not"), ("expr", &check)])],
            ..Rules::default()
        },
        old: vec![source.clone()],
        new: vec![at(0, source), after(target, DataType::Boolean)],
        marks: vec![],
        draw: Box::new(|draws, record| {
            let (plan, pays) = match draws.below(3) {
                0 => (Cell::Null, false),
                1 => (Cell::text("free"), false),
                _ => (Cell::Text(word(draws) + "x"), true),
            };
            record.same(plan);
            record.new.push(Cell::Bool(pays));
        }),
    }
}

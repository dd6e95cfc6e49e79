//! Columns whose readers a person must look at.

use super::{Attribute, Column, Making, Rules, at, rule};
use crate::values::{nullable, palette};
use crate::yaml::{Node, text};

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let types = palette(making.flat);
    let data_type = types[making.turn % types.len()].clone();
    let column = making.column(data_type.clone());
    let letters = making.letters;
    let judgement = Node::map([
        ("guide", text("https://guides.example.com/migrations/identity")),
        ("text", text("readers must decide whether they mean the person or the account: ask the owner")),
    ]);
    let mut rules = Rules::default();
    let mut new = Vec::new();
    let dropped = making.turn % 2 == 1;
    if dropped {
        let drop = rule([("name", &column.name), ("reason", "two meanings in one column")]);
        rules.drop.push(drop.with("judgement", judgement));
    } else {
        let renamed = Column { name: making.name(), data_type: data_type.clone() };
        rules.columns.push(rule([("name", &renamed.name), ("from", &column.name)]).with("judgement", judgement));
        new.push(at(0, renamed));
    }
    Some(Attribute {
        old: vec![column],
        new,
        rules,
        marks: vec!["operation/judgement".to_owned()],
        draw: Box::new(move |draws, record| {
            let cell = nullable(draws, &data_type, letters, 5);
            if !dropped {
                record.new.push(cell.clone());
            }
            record.old.push(cell);
        }),
    })
}

//! `LIKE`. `%` matches any text, `_` one character, everything else itself, case included. There is no escape character unless `ESCAPE` gives one; a pattern that ends with it is a row error.

use super::prelude::*;

pub(super) const SPEC: Spec = Spec {
    name: "LIKE",
    form: Form::Infix,
    arity: (2, 3),
    signature: "string LIKE string [ESCAPE string] → boolean",
    semantics: "`%` matches any text, `_` one character, everything else itself, case included. There is no escape character unless `ESCAPE` gives one; a pattern that ends with it is a row error.",
    check: |args| {
        args.all(&DataType::String)?;
        if args.list.len() == 3 && args.literal_text(2)?.chars().count() != 1 {
            return Err(args.error(2, "an escape is one character"));
        }
        Ok(DataType::Boolean)
    },
    nullable: Nullable::IfAny,
    nulls: Nulls::Strict,
    fails: Fails::Always,
    eval: |_, values| {
        let escape = match values.get(2) {
            Some(Value::String(escape)) => escape.chars().next(),
            _ => None,
        };
        let pattern = pattern(text(values, 1)?, escape)?;
        Ok(Value::Boolean(matches(text(values, 0)?, &pattern)))
    },
    duckdb: |_, _, sql| match sql {
        [value, pattern, escape] => format!("({value} LIKE {pattern} ESCAPE {escape})"),
        _ => format!("({} LIKE {})", sql[0], sql[1]),
    },
};

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Any,
    One,
    Letter(char),
}

fn pattern(text: &str, escape: Option<char>) -> Result<Vec<Step>, RowError> {
    let mut steps = Vec::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        steps.push(match letter {
            letter if Some(letter) == escape => {
                Step::Letter(letters.next().ok_or(RowError::new("the pattern ends with its escape character"))?)
            }
            '%' => Step::Any,
            '_' => Step::One,
            letter => Step::Letter(letter),
        });
    }
    Ok(steps)
}

/// Greedy with one point to return to: linear but for the product of text and pattern at worst.
fn matches(text: &str, steps: &[Step]) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut step) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < text.len() {
        match steps.get(step) {
            Some(Step::Any) => {
                back = Some((step, at));
                step += 1;
            }
            Some(Step::One) => (at, step) = (at + 1, step + 1),
            Some(Step::Letter(letter)) if *letter == text[at] => (at, step) = (at + 1, step + 1),
            _ => match &mut back {
                Some((any, from)) => {
                    *from += 1;
                    (at, step) = (*from, *any + 1);
                }
                None => return false,
            },
        }
    }
    steps[step..].iter().all(|step| *step == Step::Any)
}

#[cfg(test)]
mod tests {
    use crate::expr::function::testing::check;

    #[test]
    fn like_means() {
        check("'abc' LIKE 'a%'", "true");
        check("'abc' LIKE 'a_c'", "true");
        check("'äbc' LIKE '_bc'", "true");
        check("'abc' LIKE 'A%'", "false");
        check("'a%c' LIKE 'a!%c' ESCAPE '!'", "true");
        check("'abc' LIKE 'a!%c' ESCAPE '!'", "false");
        check("'a' LIKE 'a!' ESCAPE '!'", "error: the pattern ends with its escape character");
        check("'aXbXc' LIKE '%X%X%'", "true");
        check("'' LIKE '%'", "true");
        check("'a\\b' LIKE 'a\\b'", "true");
    }
}

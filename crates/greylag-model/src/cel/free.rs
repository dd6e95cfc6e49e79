//! The variables that an expression takes from outside: its names, without those that `exists`, `map` and the like bind.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr};

/// The first name that is neither bound nor among those known.
pub(super) fn first_unknown(expression: &IdedExpr, known: &[&str]) -> Option<String> {
    Walk { known, bound: Vec::new() }.expression(expression)
}

/// The chains of plain selections that begin with a name from outside, each as far as it goes.
pub(super) fn paths(expression: &IdedExpr) -> Vec<Vec<String>> {
    let mut walk = Paths { found: Vec::new(), bound: Vec::new() };
    walk.expression(expression);
    walk.found
}

struct Paths {
    found: Vec<Vec<String>>,
    bound: Vec<String>,
}

impl Paths {
    fn expression(&mut self, expression: &IdedExpr) {
        if let Some(path) = chain(expression) {
            if !path[0].starts_with('@') && !self.bound.contains(&path[0]) {
                self.found.push(path);
            }
            return;
        }
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Call(call) => {
                call.target.iter().map(|target| &**target).chain(&call.args).for_each(|part| self.expression(part));
            }
            Expr::Comprehension(all) => {
                self.expression(&all.iter_range);
                self.expression(&all.accu_init);
                let before = self.bound.len();
                self.bound.extend([all.iter_var.clone(), all.accu_var.clone()]);
                self.bound.extend(all.iter_var2.clone());
                for part in [&all.loop_cond, &all.loop_step, &all.result] {
                    self.expression(part);
                }
                self.bound.truncate(before);
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.expression(element)),
            Expr::Map(map) => self.entries(&map.entries),
            Expr::Struct(fields) => self.entries(&fields.entries),
            Expr::Select(select) => self.expression(&select.operand),
        }
    }

    fn entries(&mut self, entries: &[IdedEntryExpr]) {
        for entry in entries {
            match &entry.expr {
                EntryExpr::StructField(field) => self.expression(&field.value),
                EntryExpr::MapEntry(entry) => {
                    self.expression(&entry.key);
                    self.expression(&entry.value);
                }
            }
        }
    }
}

fn chain(expression: &IdedExpr) -> Option<Vec<String>> {
    match &expression.expr {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) => {
            let mut path = chain(&select.operand)?;
            path.push(select.field.clone());
            Some(path)
        }
        _ => None,
    }
}

struct Walk<'a> {
    known: &'a [&'a str],
    bound: Vec<String>,
}

impl Walk<'_> {
    fn expression(&mut self, expression: &IdedExpr) -> Option<String> {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => None,
            Expr::Ident(name) => {
                // Names that begin so are the parser's own.
                let is_known =
                    name.starts_with('@') || self.known.contains(&name.as_str()) || self.bound.contains(name);
                (!is_known).then(|| name.clone())
            }
            Expr::Call(call) => {
                let target = call.target.iter().map(|target| &**target);
                target.chain(&call.args).find_map(|part| self.expression(part))
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => list.elements.iter().find_map(|element| self.expression(element)),
            Expr::Map(map) => self.entries(&map.entries),
            Expr::Struct(fields) => self.entries(&fields.entries),
            Expr::Select(select) => self.expression(&select.operand),
        }
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Option<String> {
        let ComprehensionExpr { iter_range, iter_var, iter_var2, accu_var, accu_init, loop_cond, loop_step, result } =
            comprehension;
        let outside = self.expression(iter_range).or_else(|| self.expression(accu_init));
        let before = self.bound.len();
        self.bound.extend([iter_var.clone(), accu_var.clone()]);
        self.bound.extend(iter_var2.clone());
        let inside = [loop_cond, loop_step, result].into_iter().find_map(|part| self.expression(part));
        self.bound.truncate(before);
        outside.or(inside)
    }

    fn entries(&mut self, entries: &[IdedEntryExpr]) -> Option<String> {
        entries.iter().find_map(|entry| match &entry.expr {
            EntryExpr::StructField(field) => self.expression(&field.value),
            EntryExpr::MapEntry(entry) => self.expression(&entry.key).or_else(|| self.expression(&entry.value)),
        })
    }
}

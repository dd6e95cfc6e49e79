//! One `select`: its clauses in the order in which they see each other.

use sqlparser::ast::{
    ConnectByKind, Distinct, GroupByExpr, GroupByWithModifier, Ident, NamedWindowExpr, Query, Select, SelectItem,
    TopQuantity,
};

use super::expr::Reach;
use super::reading::{RelationRole, Role};
use super::scope::{Aliases, Scope};
use super::walk::Walker;

impl Walker<'_> {
    /// Walks a `select`; `query` is what sorts and bounds it.
    pub(super) fn select(&mut self, select: &Select, query: Option<&Query>, outer: Option<&Scope<'_>>, block: usize) {
        let (mut scope, scalars) = (Scope::inside(outer, block), self.scalars.len());
        if let Some(into) = &select.into {
            let target = self.relation(&into.name, None, RelationRole::Create);
            self.set_target(target);
        }
        if self.dialect.aliases_hide_columns() {
            scope.later = aliases(select).map(|alias| alias.value.as_str().into()).collect();
        }
        for table in &select.from {
            self.table(table, &mut scope);
        }
        for view in &select.lateral_views {
            self.lateral_view(view, &mut scope);
        }
        self.walk_given(select, &scope);
        self.items(select, &mut scope, block);
        self.filters(select, &scope);
        self.group_by(&select.group_by, &scope, block);
        self.windows(select, &scope, block);
        if let Some(query) = query {
            if let Some(order) = &query.order_by {
                self.order_by(order, &scope, block, Aliases::First);
            }
            self.limit(query, &scope);
        }
        self.scalars.truncate(scalars);
    }

    fn filters(&mut self, select: &Select, scope: &Scope<'_>) {
        let aliases = match (self.dialect.filters_see_aliases(), self.dialect.aliases_hide_columns()) {
            (_, true) => Aliases::First,
            (true, false) => Aliases::Last,
            (false, false) => Aliases::Hidden,
        };
        self.each(select.prewhere.iter().chain(&select.selection), scope, Reach::new(Role::Filter, aliases));
        for connect in &select.connect_by {
            match connect {
                ConnectByKind::ConnectBy { relationships, .. } => {
                    self.each(relationships, scope, Reach::new(Role::Join, Aliases::Hidden));
                }
                ConnectByKind::StartWith { condition, .. } => {
                    self.expr(condition, scope, Reach::new(Role::Filter, Aliases::Hidden));
                }
            }
        }
    }

    pub(super) fn group_by(&mut self, group: &GroupByExpr, scope: &Scope<'_>, block: usize) {
        let aliases = match (self.dialect.groups_see_aliases(), self.dialect.groups_prefer_aliases()) {
            (false, _) => Aliases::Hidden,
            (true, true) => Aliases::First,
            (true, false) => Aliases::Last,
        };
        let modifiers = match group {
            GroupByExpr::All(modifiers) => modifiers,
            GroupByExpr::Expressions(keys, modifiers) => {
                for key in keys {
                    self.sort_key(key, scope, block, Role::Group, aliases);
                }
                modifiers
            }
        };
        for modifier in modifiers {
            if let GroupByWithModifier::GroupingSets(sets) = modifier {
                self.expr(sets, scope, Reach::new(Role::Group, aliases));
            }
        }
    }

    /// Everything after grouping.
    fn windows(&mut self, select: &Select, scope: &Scope<'_>, block: usize) {
        let prefer = if self.dialect.groups_prefer_aliases() { Aliases::First } else { Aliases::Last };
        let having = if self.dialect.having_sees_aliases() { prefer } else { Aliases::Hidden };
        self.each(&select.having, scope, Reach::new(Role::Having, having));
        for window in &select.named_window {
            if let NamedWindowExpr::WindowSpec(spec) = &window.1 {
                self.window(spec, scope, Reach::new(Role::Window, Aliases::Hidden));
            }
        }
        self.each(&select.qualify, scope, Reach::new(Role::Qualify, prefer));
        if let Some(Distinct::On(keys)) = &select.distinct {
            for key in keys {
                self.sort_key(key, scope, block, Role::Group, Aliases::First);
            }
        }
        if let Some(TopQuantity::Expr(expr)) = select.top.as_ref().and_then(|top| top.quantity.as_ref()) {
            self.expr(expr, scope, Reach::new(Role::Limit, Aliases::Hidden));
        }
        let sorted =
            select.cluster_by.iter().chain(&select.distribute_by).chain(select.sort_by.iter().map(|item| &item.expr));
        for key in sorted {
            self.sort_key(key, scope, block, Role::Order, Aliases::First);
        }
    }
}

/// The names that a select list gives.
fn aliases(select: &Select) -> impl Iterator<Item = &Ident> {
    select.projection.iter().filter_map(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias),
        _ => None,
    })
}

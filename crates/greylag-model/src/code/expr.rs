//! Expressions, types and mappings (`GL02xx`).

codes! {}

//! Migration files: YAML, schema and references inside a file (`GL01xx`).

codes! {}

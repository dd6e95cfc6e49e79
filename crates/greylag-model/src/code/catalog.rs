//! Descriptors, scans and lineage (`GL03xx`).

codes! {}

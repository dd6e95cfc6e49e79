//! Runs: journal, leases, staleness, limits (`GL05xx`).

codes! {}

//! The lab: generated estates (`GL07xx`).

codes! {}

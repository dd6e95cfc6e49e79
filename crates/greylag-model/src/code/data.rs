//! Files: reading, converting, verifying and publishing (`GL06xx`).

codes! {}

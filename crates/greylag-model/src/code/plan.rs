//! Planning: what the spec asks and the world does not allow (`GL04xx`).

codes! {}

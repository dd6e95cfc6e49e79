//! One file a command. A command reads its arguments, calls a use-case, prints.

pub(crate) mod apply;
pub(crate) mod approve;
pub(crate) mod catalog;
pub(crate) mod completion;
pub(crate) mod control;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod gc;
pub(crate) mod lab;
pub(crate) mod limits;
pub(crate) mod lineage;
pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod plans;
pub(crate) mod reader;
pub(crate) mod reference;
pub(crate) mod resume;
pub(crate) mod runs;
pub(crate) mod schedule;
pub(crate) mod select;
pub(crate) mod status;
pub(crate) mod template;
pub(crate) mod undo;
pub(crate) mod wait;

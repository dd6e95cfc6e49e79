//! The engine as a whole: on the double in memory and on SQLite.

mod rig;

mod abort;
mod approval;
mod bad_steps;
mod clock;
mod condition;
mod cost;
mod deciders;
mod dependency;
mod finish;
mod gates;
mod hang;
mod journal_fails;
mod kill;
mod limits;
mod pause;
mod pending;
mod retry;
mod sample;
mod service;
mod simulation;
mod undo;

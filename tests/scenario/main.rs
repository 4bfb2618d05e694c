//! The scenario grammar: what a scenario means, and that every fault is told at its place with what would be right.

mod contexts;
mod meaning;
mod published;
mod refusal;
mod written;

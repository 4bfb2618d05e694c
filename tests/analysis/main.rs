//! Analyses of small made-up runs, by values.

mod at_once;
mod choice;
mod counting;
mod phases;
mod ratios;
mod rows;
mod run;
mod steadiness;

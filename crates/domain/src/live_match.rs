//! A match map as it is played: one module a game, and what games have in common.

mod declare;
mod text;

pub mod cs;

pub use text::{Label, Player};

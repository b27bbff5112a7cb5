//! Counts the tokens of an exchange while it passes, and what they cost.

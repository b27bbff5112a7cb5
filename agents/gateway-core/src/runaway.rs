//! Tells a runaway consumer from a busy one, and says by which figures.

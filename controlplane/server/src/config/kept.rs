//! `consumers.toml` in the data folder: the consumers that the control plane keeps, in the same words as the configuration
//! file's `[[gateway.consumers]]`, `[[gateway.limits]]` and `[[gateway.budgets]]`, without the `gateway.`.
//!
//! Only the control plane writes it, whole; of a key it holds the SHA-256 alone.

use gateway_config::KEPT;
use kill_config::Problem;
use std::path::Path;
use toml::Table;

/// What it holds; nothing when there is none. What is no TOML is named by its line.
pub(crate) fn table(path: &Path) -> Result<Table, Vec<Problem>> {
    if !path.exists() {
        return Ok(Table::new());
    }
    kill_config::read_table(path).map_err(|bad| {
        let problems = bad.problems.into_iter();
        let named = |it: Problem| Problem::new(format!("{KEPT}.{}", it.key), it.text);
        problems.map(named).collect()
    })
}

#[cfg(test)]
mod tests;

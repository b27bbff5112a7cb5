//! The files that a configuration names: their content counts as much as its own. Pure.

use std::path::{Path, PathBuf};
use toml::Table;

/// Every file a key ending in `_file` names, and every certificate; relative paths start from `folder`.
pub(crate) fn named_files(table: &Table, folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(table, folder, &mut found);
    found.sort();
    found.dedup();
    found
}

fn walk(table: &Table, folder: &Path, found: &mut Vec<PathBuf>) {
    for (key, value) in table {
        let items = value
            .as_array()
            .map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        for item in items {
            if let Some(inner) = item.as_table() {
                walk(inner, folder, found);
            }
            let named = key.ends_with("_file") || key == "certificates";
            if let Some(path) = item.as_str().filter(|_| named) {
                found.push(folder.join(path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_at_any_depth() {
        let text = "[killswitch]\ncertificates = ['c.pem']\n[gateway.tls]\nkey_file = '/k'\n[[gateway.targets]]\nsecret_file = 's'\nname = 'n'\n[[gateway.targets]]\nsecret_file = 's'";
        let found = named_files(&text.parse().unwrap(), Path::new("/etc"));
        let wanted = ["/etc/c.pem", "/etc/s", "/k"].map(PathBuf::from);
        assert_eq!(found, wanted);
    }
}

//! What the documents claim, a test shows: every test they name is there.

use crate::tree;

/// Names like `rules/kill.rs::late_kill_still_cuts` or `test_disk.py::test_x`: end of a path, and a function in it.
fn named(text: &str) -> Vec<(String, String)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter_map(|quoted| quoted.split_once("::"))
        .filter(|(file, _)| file.ends_with(".rs") || file.ends_with(".py"))
        .map(|(file, name)| (file.to_owned(), name.to_owned()))
        .collect()
}

#[test]
fn every_test_a_document_names_is_there() {
    let sources: Vec<(String, String)> = tree::files_ending(&[".rs", ".py"])
        .iter()
        .map(|path| (path.display().to_string(), tree::read(path)))
        .collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in tree::files_ending(&[".md"]) {
        for (file, name) in named(&tree::read(&path)) {
            seen += 1;
            let end = format!("/{file}");
            let (rust, python) = (format!("fn {name}("), format!("def {name}("));
            let there = sources.iter().any(|(at, text)| {
                format!("/{at}").ends_with(&end) && (text.contains(&rust) || text.contains(&python))
            });
            if !there {
                wrong.push(format!("{}: no {name} in {file}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        seen >= 40,
        "only {seen} names were found: has their form changed?"
    );
}

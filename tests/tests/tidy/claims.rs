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

/// Places like `agents/gateways/src/lib.rs:40: pub trait Gateway`: a file, a line, and what stands in it.
fn places(text: &str) -> Vec<(String, usize, String)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let place = |quoted: &str| {
        let (at, words) = quoted.split_once(": ")?;
        let (file, line) = at.split_once(".rs:")?;
        Some((format!("{file}.rs"), line.parse().ok()?, words.to_owned()))
    };
    quoted.filter_map(place).collect()
}

#[test]
fn every_place_a_document_names_holds_what_it_says() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in tree::files_ending(&[".md"]) {
        for (file, line, words) in places(&tree::read(&path)) {
            seen += 1;
            let text = tree::read(file.as_ref());
            let has = |text: &str| text.contains(&words);
            if text.lines().nth(line - 1).is_none_or(|line| !has(line)) {
                let now = text.lines().position(has).map(|at| at + 1);
                wrong.push(format!(
                    "{}: `{words}` stands in line {now:?} of {file}, not in {line}",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        seen >= 10,
        "only {seen} places were found: has their form changed?"
    );
}

//! Problems of the configuration as programs and people are told of them: with file, line, field and remedy.

use gateway_config::KEPT;
use kill_config::{BadConfig, Problem};
use net_model::Mistake;
use std::path::Path;

/// All of them, each with its line where the file tells. `kept` is the file of the consumers that the control plane keeps.
pub(crate) fn mistakes(bad: &BadConfig, kept: &Path) -> Vec<Mistake> {
    listed(bad.file.as_deref(), kept, &bad.problems)
}

/// These problems of these files.
pub(crate) fn listed(file: Option<&Path>, kept: &Path, problems: &[Problem]) -> Vec<Mistake> {
    let (beside, own): (Vec<_>, Vec<_>) = problems
        .iter()
        .cloned()
        .map(|it| match it.key.strip_prefix(KEPT) {
            Some(key) => (true, Problem::new(key.trim_start_matches('.'), it.text)),
            None => (false, it),
        })
        .partition(|(beside, _)| *beside);
    let of = |all: Vec<(bool, Problem)>| all.into_iter().map(|(_, it)| it).collect::<Vec<_>>();
    let mut all = of_file(file, &of(own));
    all.extend(of_file(Some(kept), &of(beside)));
    all
}

fn of_file(file: Option<&Path>, problems: &[Problem]) -> Vec<Mistake> {
    if problems.is_empty() {
        return Vec::new();
    }
    let text = file.and_then(|file| kill_config::text(file).ok());
    let shown = file.map(|file| file.display().to_string());
    let one = |problem: &Problem| Mistake {
        file: shown.clone(),
        ..mistake(problem, text.as_deref().unwrap_or_default())
    };
    problems.iter().map(one).collect()
}

/// One problem of a file with this text.
pub(crate) fn mistake(problem: &Problem, text: &str) -> Mistake {
    // What is no TOML is named by its line; what is about the file as a whole has no field.
    let line = problem.key.strip_prefix("line ");
    let (field, line) = match line.and_then(|line| line.parse().ok()) {
        Some(line) => (String::new(), Some(line)),
        None if problem.key == "file" => (String::new(), None),
        None => (
            problem.key.clone(),
            kill_config::line_of(text, &problem.key),
        ),
    };
    let (what, fix) = match problem.text.split_once("; ") {
        Some((what, fix)) => (what, Some(fix.to_owned())),
        None => match problem.text.split_once(" is not ") {
            Some((_, wanted)) => (problem.text.as_str(), Some(format!("write {wanted}"))),
            None => (problem.text.as_str(), None),
        },
    };
    Mistake {
        file: None,
        line,
        field,
        problem: what.to_owned(),
        fix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_says_where_it_is_and_what_to_do() {
        let text = "[gateway]\nlisten = 5\nlitsen = 1\n";
        let of = |key: &str, what: &str| {
            let it = mistake(&Problem::new(key, what), text);
            (it.line, it.field, it.problem, it.fix)
        };
        let texts = |line, field: &str, problem: &str, fix: Option<&str>| {
            let fix = fix.map(str::to_owned);
            (line, field.to_owned(), problem.to_owned(), fix)
        };
        assert_eq!(
            of("gateway.litsen", "unknown key; did you mean `listen`?"),
            texts(
                Some(3),
                "gateway.litsen",
                "unknown key",
                Some("did you mean `listen`?")
            )
        );
        assert_eq!(
            of("gateway.listen", "`5` is not an address"),
            texts(
                Some(2),
                "gateway.listen",
                "`5` is not an address",
                Some("write an address")
            )
        );
        assert_eq!(
            of("line 7", "invalid string"),
            texts(Some(7), "", "invalid string", None)
        );
        assert_eq!(
            of("file", "cannot be read"),
            texts(None, "", "cannot be read", None)
        );
    }
}

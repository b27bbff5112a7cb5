//! What somebody should know of this gateway, in a line each, as dashboard and status show it.

use crate::metrics::FollowFigures;
use arc_swap::ArcSwap;
use net_model::ReloadReport;
use std::sync::Arc;

/// Mistakes that are spelled out; the log has them all.
const SHOWN: usize = 3;

/// What somebody should know.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    configuration: ArcSwap<Option<String>>,
}

impl Notices {
    /// The configuration was read again.
    pub(crate) fn reloaded(&self, report: &ReloadReport, figures: &FollowFigures) {
        figures.reload_good.set(i64::from(report.good));
        let seconds = i64::try_from(report.at.millis() / 1000).unwrap_or(i64::MAX);
        figures.reload_at.set(seconds);
        let notice = (!report.good).then(|| text(report));
        self.configuration.store(Arc::new(notice));
    }

    /// All of them, now.
    pub(crate) fn now(&self) -> Vec<String> {
        self.configuration.load().iter().cloned().collect()
    }
}

fn text(report: &ReloadReport) -> String {
    let spelled: Vec<String> = report
        .mistakes
        .iter()
        .take(SHOWN)
        .map(|mistake| match (mistake.field.as_str(), mistake.line) {
            ("", Some(line)) => format!("line {line}: {}", mistake.problem),
            (field, Some(line)) => format!("{field} (line {line}): {}", mistake.problem),
            (field, None) => format!("{field}: {}", mistake.problem),
        })
        .collect();
    let more = report.mistakes.len().saturating_sub(SHOWN);
    let more = if more == 0 {
        String::new()
    } else {
        format!("; and {more} more")
    };
    format!(
        "The configuration was not taken at {}; what was in force stays: {}{more}.",
        report.at,
        spelled.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::Mistake;

    #[test]
    fn what_was_not_taken_is_told_until_something_is() {
        let (notices, figures) = (Notices::default(), FollowFigures::default());
        assert!(notices.now().is_empty());
        let mistake = |field: &str| Mistake {
            field: field.to_owned(),
            line: Some(3),
            problem: "missing".to_owned(),
            ..Mistake::default()
        };
        let mut report = ReloadReport {
            mistakes: ["a", "b", "c", "d"].map(mistake).to_vec(),
            ..ReloadReport::default()
        };
        notices.reloaded(&report, &figures);
        let told = notices.now();
        assert!(told[0].contains("a (line 3): missing; b"), "{told:?}");
        assert!(told[0].ends_with("and 1 more."), "{told:?}");
        assert_eq!(figures.reload_good.get(), 0);
        report.good = true;
        notices.reloaded(&report, &figures);
        assert!(notices.now().is_empty());
        assert_eq!(figures.reload_good.get(), 1);
    }
}

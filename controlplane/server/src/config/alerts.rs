//! The sections `[alerts]` and `[jobs]`: what people are told of, when they sleep, and what runs by the clock.

use inventory::{AlertRules, Rule, RuleSettings};
use kill_config::{Problem, Problems, Section, listed, nearest};
use net_model::Span;

const QUIET: &str = "a list of spans of the week, such as [\"22:00-07:00\"]";

/// When jobs run that do not run by themselves; cron expressions with seconds, in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JobsSection {
    /// Drills; none are run where none is named.
    pub(crate) drill: Option<String>,
}

/// Reads `[alerts]`; what it leaves out is as it is by itself.
pub(super) fn read(section: Option<Section<'_>>, problems: &Problems) -> AlertRules {
    let Some(mut section) = section else {
        return AlertRules::default();
    };
    let quiet = quiet(&mut section, problems).unwrap_or_default();
    let mut rules = AlertRules::new(&quiet);
    if let Some(texts) = section.number("texts_a_day", 0..=10) {
        rules.texts_a_day = usize::try_from(texts).unwrap_or_default();
    }
    if let Some(name) = section.text("time_zone", "a time zone, such as `Europe/Berlin`") {
        let key = section.key("time_zone");
        if let Some(zone) = problems.take(&key, inventory::time_zone(&name)) {
            rules.zone = zone;
        }
    }
    let ports = section.texts("ports", "a list of ports, such as [\"22\"]");
    for (at, text) in ports.unwrap_or_default().iter().enumerate() {
        match text.parse::<u16>() {
            Ok(port) if port > 0 => {
                rules.ports.insert(port);
            }
            _ => {
                let key = format!("{}[{at}]", section.key("ports"));
                let text: String = text.chars().take(24).collect();
                problems.note(Problem::new(
                    key,
                    format!("`{text}` is not a port, 1 to 65535"),
                ));
            }
        }
    }
    let names = Rule::ALL.map(Rule::as_str);
    for (name, inner) in section.named_sections() {
        match Rule::ALL.into_iter().find(|rule| rule.as_str() == name) {
            Some(known) => rule(known, inner, &mut rules, problems),
            None => {
                let hint = match nearest(&name, &names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("expected one of {}", listed(&names)),
                };
                let name: String = name.chars().take(48).collect();
                let text = format!("no rule is called `{name}`; {hint}");
                problems.note(Problem::new(section.key(&name), text));
            }
        }
    }
    rules
}

fn rule(rule: Rule, mut section: Section<'_>, rules: &mut AlertRules, problems: &Problems) {
    let mut settings: RuleSettings = rules.of(rule);
    settings.on = section.flag("on").unwrap_or(settings.on);
    settings.tell = section.flag("tell").unwrap_or(settings.tell);
    if rule.bound().is_some() {
        let above = section.number("above", 1..=1_000_000);
        settings.above = above
            .and_then(|above| i64::try_from(above).ok())
            .unwrap_or(settings.above);
    }
    settings.lasts = section.span("lasts", 0..=86_400).unwrap_or(settings.lasts);
    if let Some(quiet) = quiet(&mut section, problems) {
        settings.quiet = quiet;
    }
    section.finish();
    rules.set(rule, settings);
}

fn quiet(section: &mut Section<'_>, problems: &Problems) -> Option<Vec<Span>> {
    let texts = section.texts("quiet", QUIET)?;
    let key = section.key("quiet");
    let read = texts.iter().enumerate();
    let read =
        read.filter_map(|(at, text)| problems.take(&format!("{key}[{at}]"), Span::parse(text)));
    Some(read.collect())
}

/// Reads `[jobs]`.
pub(super) fn read_jobs(section: Option<Section<'_>>, problems: &Problems) -> JobsSection {
    let Some(mut section) = section else {
        return JobsSection::default();
    };
    let expected = "a cron expression with seconds, in UTC, such as `0 0 9 * * Mon`";
    let drill = section.text("drill", expected).filter(|text| {
        let wrong = tasks::wrong_schedule(text);
        if let Some(why) = &wrong {
            let short: String = text.chars().take(48).collect();
            let text = format!("`{short}` is not {expected}: {why}");
            problems.note(Problem::new(section.key("drill"), text));
        }
        wrong.is_none()
    });
    section.finish();
    JobsSection { drill }
}

#[cfg(test)]
mod tests {
    use super::super::checked;
    use super::*;
    use std::path::Path;

    #[test]
    fn a_rule_s_own_wish_goes_before_the_house_s() {
        let text = "[alerts]\nquiet = ['22:00-07:00']\ntexts_a_day = 3\nports = ['22']\ntime_zone = 'Europe/Berlin'\n\
            [alerts.disk]\nabove = 80\nlasts = '10 min'\nquiet = []\n[alerts.clock]\ntell = true\n[jobs]\ndrill = '0 0 9 * * Mon'\n";
        let config = checked(text.parse().unwrap(), Path::new("/nonexistent")).unwrap();
        let rules = &config.alerts;
        assert_eq!((rules.texts_a_day, rules.ports.contains(&22)), (3, true));
        let disk = rules.of(Rule::Disk);
        assert_eq!((disk.above, disk.lasts, disk.quiet.len()), (80, 600, 0));
        assert!(rules.of(Rule::Clock).tell);
        assert_eq!(rules.of(Rule::Silent).quiet.len(), 1);
        assert_eq!(rules.of(Rule::Canary).quiet.len(), 0);
        assert_eq!(config.jobs.drill.as_deref(), Some("0 0 9 * * Mon"));
    }

    #[test]
    fn every_mistake_is_named_at_its_key() {
        let text = "[alerts]\nquiet = ['night']\ntexts_a_day = 99\nports = ['http']\ntime_zone = 'Nowhere/Here'\n\
            [alerts.dsik]\nabove = 1\n[alerts.canary]\nabove = 3\n[jobs]\ndrill = 'weekly'\n";
        let problems = checked(text.parse().unwrap(), Path::new("/nonexistent")).unwrap_err();
        let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
        for part in [
            "alerts.quiet[0]: ",
            "alerts.texts_a_day: ",
            "alerts.ports[0]: `http` is not a port",
            "alerts.time_zone: `Nowhere/Here` is not the name of a time zone",
            "alerts.dsik: no rule is called `dsik`; did you mean `disk`?",
            "alerts.canary.above: unknown key",
            "jobs.drill: `weekly` is not a cron expression",
        ] {
            assert!(
                found.iter().any(|it| it.starts_with(part)),
                "{part}: {found:#?}"
            );
        }
    }
}

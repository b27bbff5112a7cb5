//! Alerts, and what runs by the clock.

use crate::frame::Frame;
use crate::view::When;
use askama::Template;
use net_model::{AlertView, DashRole, JobView};
use tasks::JobsReader;

#[derive(Debug, Template)]
#[template(path = "fleet/alerts.html")]
pub(crate) struct Alerts {
    frame: Frame,
    heading: String,
    rows: Vec<AlertRow>,
}

#[derive(Debug)]
pub(super) struct AlertRow {
    pub(super) rule: String,
    pub(super) host: String,
    pub(super) text: String,
    pub(super) tone: &'static str,
    pub(super) state: String,
    pub(super) since: When,
    pub(super) ended: Option<When>,
}

pub(super) fn alerts(frame: Frame, alerts: &[AlertView]) -> Alerts {
    Alerts {
        frame,
        heading: "Alerts".to_owned(),
        rows: alerts.iter().map(alert).collect(),
    }
}

pub(super) fn alert(view: &AlertView) -> AlertRow {
    let (tone, state) = match (view.ended, view.quiet, view.told) {
        (Some(_), _, _) => ("good", "over"),
        (None, true, _) => ("warn", "fires, kept for after quiet hours"),
        (None, false, Some(_)) => ("bad", "fires, told by text"),
        (None, false, None) => ("bad", "fires"),
    };
    AlertRow {
        rule: view.rule.clone(),
        host: view
            .host
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        text: view.text.clone(),
        tone,
        state: state.to_owned(),
        since: When::day(view.since),
        ended: view.ended.map(When::day),
    }
}

#[derive(Debug, Template)]
#[template(path = "fleet/jobs.html")]
pub(crate) struct Jobs {
    frame: Frame,
    heading: String,
    rows: Vec<JobRow>,
}

#[derive(Debug)]
struct JobRow {
    name: String,
    schedule: String,
    tone: &'static str,
    done: String,
    last: Option<When>,
    took: String,
    next: Option<When>,
    /// By a button, for whoever looks.
    can_run: bool,
}

pub(super) fn jobs(frame: Frame, jobs: &JobsReader, role: DashRole) -> Jobs {
    Jobs {
        frame,
        heading: "Jobs".to_owned(),
        rows: jobs
            .all()
            .iter()
            .map(|view| JobRow {
                can_run: role >= DashRole::Operator && jobs.can_run(&view.name),
                ..job(view)
            })
            .collect(),
    }
}

fn job(view: &JobView) -> JobRow {
    let (tone, done) = match (&view.problem, view.last) {
        (Some(problem), _) => ("bad", problem.clone()),
        (None, None) => ("warn", "has not run yet".to_owned()),
        (None, Some(_)) => ("good", view.done.clone()),
    };
    JobRow {
        name: view.name.clone(),
        schedule: view.schedule.clone(),
        tone,
        done,
        last: view.last.map(When::day),
        took: if view.took_ms > 0 {
            format!("{} ms", view.took_ms)
        } else {
            String::new()
        },
        next: view.next.map(When::day),
        can_run: false,
    }
}

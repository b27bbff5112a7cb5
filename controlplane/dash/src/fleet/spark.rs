//! A history as a line small enough to stand in a row. A gap in the reports is a gap in the line.

use net_model::{Gauges, HostSample};

pub(super) const WIDTH: u64 = 300;
pub(super) const HEIGHT: i64 = 40;

/// A line, or several where reports are missing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spark {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    pub(super) most: String,
    pub(super) last: String,
    /// What the top of the picture stands for.
    pub(super) top: String,
}

/// What of a sample is drawn, how far the scale goes at least, and how it is said.
pub(super) struct Kind {
    pub(super) title: &'static str,
    pub(super) of: fn(&Gauges) -> Option<i64>,
    pub(super) scale: i64,
    pub(super) say: fn(i64) -> String,
}

pub(super) fn draw(
    kind: &Kind,
    samples: &[HostSample],
    span: (u64, u64),
    step: u64,
) -> Option<Spark> {
    let (from, until) = span;
    let values: Vec<(u64, i64)> = samples
        .iter()
        .filter_map(|sample| Some((sample.at.millis(), (kind.of)(&sample.gauges)?)))
        .filter(|(at, _)| (from..=until).contains(at))
        .collect();
    let most = values.iter().map(|(_, value)| *value).max()?;
    let (_, last) = *values.last()?;
    let scale = most.max(kind.scale).max(1);
    let width = until.saturating_sub(from).max(1);
    let mut lines: Vec<String> = Vec::new();
    let mut before = None;
    for (at, value) in values {
        let x = (at - from).saturating_mul(WIDTH) / width;
        let part = i128::from(value.clamp(0, scale)) * i128::from(HEIGHT) / i128::from(scale);
        let y = HEIGHT - i64::try_from(part).unwrap_or_default();
        let point = format!("{x},{y}");
        let follows = before.is_some_and(|before| at - before <= step.saturating_mul(3));
        match lines.last_mut().filter(|_| follows) {
            Some(line) => {
                line.push(' ');
                line.push_str(&point);
            }
            // One point alone would not be seen.
            None => lines.push(format!("{point} {},{y}", x + 1)),
        }
        before = Some(at);
    }
    Some(Spark {
        title: kind.title.to_owned(),
        lines,
        most: (kind.say)(most),
        last: (kind.say)(last),
        top: (kind.say)(scale),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Timestamp;

    fn sample(at: u64, cpu: i64) -> HostSample {
        HostSample {
            at: Timestamp::from_millis(at),
            reports: 1,
            gauges: Gauges {
                cpu_ppm: Some(cpu),
                ..Gauges::default()
            },
            cpu_most_ppm: None,
        }
    }

    const CPU: Kind = Kind {
        title: "CPU",
        of: |gauges| gauges.cpu_ppm,
        scale: 100,
        say: |value| value.to_string(),
    };

    #[test]
    fn a_gap_in_the_reports_is_a_gap_in_the_line() {
        let samples = [sample(0, 0), sample(10, 50), sample(100, 100)];
        let spark = draw(&CPU, &samples, (0, 100), 10).unwrap();
        assert_eq!(spark.lines, ["0,40 1,40 30,20", "300,0 301,0"]);
        assert_eq!((spark.most.as_str(), spark.last.as_str()), ("100", "100"));
    }

    #[test]
    fn absurd_figures_stay_in_the_picture() {
        let samples = [sample(0, i64::MAX), sample(10, i64::MIN), sample(500, 1)];
        let spark = draw(&CPU, &samples, (0, 100), 10).unwrap();
        assert_eq!(spark.lines, ["0,0 1,0 30,40"]);
        assert!(draw(&CPU, &[], (0, 100), 10).is_none());
    }
}

//! What runs through the gateway now.

use super::text::When;
use askama::Template;
use kill_wire::Class;
use net_model::Snapshot;

/// Most rows; the figure above them counts all.
const ROWS: usize = 50;

#[derive(Debug, Template)]
#[template(path = "parts/exchanges.html")]
pub(crate) struct Exchanges {
    pub(crate) readable: bool,
    pub(crate) open: u32,
    pub(crate) rows: Vec<Row>,
    /// Open exchanges for which there was no row.
    pub(crate) more: usize,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) consumer: String,
    pub(crate) route: String,
    pub(crate) model: String,
    pub(crate) target: String,
    pub(crate) class: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) since: When,
}

impl Exchanges {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let Ok(gateway) = &snapshot.gateway else {
            return Self {
                readable: false,
                open: 0,
                rows: Vec::new(),
                more: 0,
            };
        };
        let rows: Vec<Row> = gateway.exchanges.iter().take(ROWS).map(row).collect();
        let open = usize::try_from(gateway.open).unwrap_or(usize::MAX);
        Self {
            readable: true,
            open: gateway.open,
            more: open.saturating_sub(rows.len()),
            rows,
        }
    }
}

fn row(exchange: &net_model::ExchangeView) -> Row {
    Row {
        consumer: exchange.consumer.to_string(),
        route: exchange.route.to_string(),
        model: exchange.model.clone(),
        target: exchange
            .target
            .as_ref()
            .map_or_else(|| "choosing".to_owned(), ToString::to_string),
        class: match exchange.class {
            Some(Class::Local) => "local",
            Some(Class::Cloud) => "cloud",
            None => "",
        },
        kind: if exchange.streaming {
            "stream"
        } else {
            "request"
        },
        since: When::clock(exchange.since),
    }
}

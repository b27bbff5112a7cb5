//! OpenTelemetry: spans and histograms arrive at a receiver as protobuf; a receiver that is not well delays nothing.

use crate::support::{CLAW, LIMIT, Site, chat, send, whole};
use gateway::{Operating, OtelHeaders, OtelWish};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{HistogramDataPoint, metric::Data},
    trace::v1::{Span, span::SpanKind},
};
use prost::Message as _;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[derive(Default)]
struct Heard {
    spans: Vec<Span>,
    metrics: Option<ExportMetricsServiceRequest>,
    resource: Vec<KeyValue>,
    heads: Vec<String>,
}

/// A receiver of OTLP over HTTP.
struct Receiver {
    addr: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    _tasks: JoinSet<()>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let heard = Arc::clone(&heard);
            async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(take(stream, Arc::clone(&heard)));
                }
            }
        });
        Self {
            addr,
            heard,
            _tasks: tasks,
        }
    }

    fn wish(&self) -> Operating {
        wish(self.addr)
    }

    async fn until(&self, what: &str, there: impl Fn(&Heard) -> bool) {
        let until = Instant::now() + LIMIT * 3;
        while !there(&self.heard.lock().unwrap()) {
            assert!(Instant::now() < until, "waited in vain for {what}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn spans(&self, count: usize) -> Vec<Span> {
        self.until("spans", |heard| heard.spans.len() >= count)
            .await;
        self.heard.lock().unwrap().spans.clone()
    }
}

fn wish(addr: SocketAddr) -> Operating {
    Operating {
        otel: Some(OtelWish {
            endpoint: format!("http://{addr}").parse().unwrap(),
            headers: OtelHeaders::parse("x-receiver-key: s3cret").unwrap(),
            service_name: "house".to_owned(),
        }),
        ..Operating::default()
    }
}

async fn take(stream: TcpStream, heard: Arc<Mutex<Heard>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let head = head.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        {
            let mut heard = heard.lock().unwrap();
            if head.starts_with("post /v1/traces ") {
                let request = ExportTraceServiceRequest::decode(&*body).unwrap();
                for resource in request.resource_spans {
                    heard.resource = resource.resource.unwrap().attributes;
                    let spans = resource.scope_spans.into_iter().flat_map(|it| it.spans);
                    heard.spans.extend(spans);
                }
            } else {
                assert!(head.starts_with("post /v1/metrics "), "{head}");
                let request = ExportMetricsServiceRequest::decode(&*body).unwrap();
                heard.metrics = Some(request);
            }
            heard.heads.push(head);
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    }
}

fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    let shown = |value: &KeyValue| {
        let value = value.value.clone().unwrap().value.unwrap();
        if let Value::StringValue(text) = value {
            return text;
        }
        if let Value::IntValue(number) = value {
            return number.to_string();
        }
        format!("{value:?}")
    };
    of.iter().map(|it| (it.key.clone(), shown(it))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the target was told of the trace.
async fn traceparent(site: &Site) -> String {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(served) = site.home.log().last() {
            let mut headers = served.headers.iter();
            let found = headers.find(|(name, _)| name == "traceparent");
            return found.unwrap().1.clone();
        }
        assert!(Instant::now() < until, "nothing was asked");
        sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_is_a_span_in_its_clients_trace_under_the_conventions_names() {
    let (site, receiver) = (Site::open().await, Receiver::start().await);
    site.gateway.operate(receiver.wish());
    let mut request = chat(CLAW, r#"{"model":"steady"}"#);
    let said = format!("00-{TRACE}-{PARENT}-01");
    request
        .headers_mut()
        .insert("traceparent", said.parse().unwrap());
    assert_eq!(whole(send(site.addr(), request).await).await.status, 200);
    let row = site.until_spooled(1).await.remove(0);
    let span = receiver.spans(1).await.remove(0);
    assert_eq!(span.name, "chat steady");
    assert_eq!(span.kind, i32::from(SpanKind::Client));
    assert_eq!(hex(&span.trace_id), TRACE);
    assert_eq!(hex(&span.parent_span_id), PARENT);
    assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    assert!(span.status.is_none(), "{span:?}");
    let of = attributes(&span.attributes);
    let authority = site.home.base_url();
    let port = authority
        .rsplit(':')
        .next()
        .unwrap()
        .trim_end_matches("/v1");
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai_compatible"),
        ("gen_ai.request.model", "steady"),
        ("gen_ai.usage.input_tokens", &row.prompt_tokens.to_string()),
        (
            "gen_ai.usage.output_tokens",
            &row.completion_tokens.to_string(),
        ),
        ("server.address", "127.0.0.1"),
        ("server.port", port),
        ("http.response.status_code", "200"),
        ("portcullis.consumer", "claw"),
        ("portcullis.route", "chat"),
        ("portcullis.target", "home"),
        ("portcullis.class", "local"),
        ("portcullis.request.id", &row.id),
    ] {
        assert_eq!(
            of.get(key).map(String::as_str),
            Some(value),
            "{key} of {of:?}"
        );
    }
    assert!(of.contains_key("gen_ai.response.model"), "{of:?}");
    // The target stands below this span.
    let sent = traceparent(&site).await;
    assert_eq!(sent, format!("00-{TRACE}-{}-01", hex(&span.span_id)));
    let heard = receiver.heard.lock().unwrap();
    assert_eq!(attributes(&heard.resource)["service.name"], "house");
    let head = &heard.heads[0];
    assert!(head.contains("x-receiver-key: s3cret") && head.contains("application/x-protobuf"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_cuts_are_errors_with_a_type() {
    let (site, receiver) = (Site::open().await, Receiver::start().await);
    site.gateway.operate(receiver.wish());
    site.post(CLAW, r#"{"model":"unheard-of"}"#).await;
    let open = site.stream(CLAW, "slow").await;
    site.until_open(1).await;
    site.apply(2, &["LLM"]).await;
    whole(open).await;
    let spans = receiver.spans(2).await;
    for (model, error) in [("unheard-of", "model_not_found"), ("slow", "cut")] {
        let span = spans.iter().find(|it| it.name == format!("chat {model}"));
        let span = span.unwrap();
        let of = attributes(&span.attributes);
        assert_eq!(of["error.type"], error, "{of:?}");
        assert_eq!(span.status.clone().unwrap().code, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn histograms_come_at_the_end_with_the_advised_buckets_and_agree_with_the_ledger() {
    let (site, receiver) = (Site::open().await, Receiver::start().await);
    site.gateway.operate(receiver.wish());
    for _ in 0..3 {
        site.post(CLAW, r#"{"model":"steady","stream":true}"#).await;
    }
    let rows = site.until_spooled(3).await;
    receiver.spans(3).await;
    site.gateway.drain(Duration::from_secs(1)).await;
    receiver
        .until("figures", |heard| heard.metrics.is_some())
        .await;
    let metrics = receiver.heard.lock().unwrap().metrics.clone().unwrap();
    let metrics = &metrics.resource_metrics[0].scope_metrics[0].metrics;
    let points = |name: &str| -> Vec<HistogramDataPoint> {
        let metric = metrics.iter().find(|it| it.name == name);
        match metric.unwrap_or_else(|| panic!("no {name}")).data.clone() {
            Some(Data::Histogram(histogram)) => histogram.data_points,
            other => panic!("{other:?}"),
        }
    };
    let tokens = points("gen_ai.client.token.usage");
    let prompts: u64 = rows.iter().map(|row| row.prompt_tokens).sum();
    let input = tokens
        .iter()
        .find(|it| attributes(&it.attributes)["gen_ai.token.type"] == "input")
        .unwrap();
    assert_eq!((input.count, input.sum), (3, Some(prompts as f64)));
    assert_eq!(input.explicit_bounds[..4], [1.0, 4.0, 16.0, 64.0]);
    assert_eq!(input.bucket_counts.len(), input.explicit_bounds.len() + 1);
    assert_eq!(points("gen_ai.client.operation.duration")[0].count, 3);
    let first = &points("gen_ai.server.time_to_first_token")[0];
    assert_eq!((first.count, first.explicit_bounds[0]), (3, 0.001));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_or_is_gone_delays_neither_answers_nor_a_cut() {
    // It accepts by its backlog and never answers.
    let hangs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for addr in [hangs.local_addr().unwrap(), {
        let addr = gone.local_addr().unwrap();
        drop(gone);
        addr
    }] {
        let site = Site::open().await;
        site.gateway.operate(wish(addr));
        for _ in 0..20 {
            assert_eq!(site.post(CLAW, r#"{"model":"steady"}"#).await.status, 200);
        }
        let open = site.stream(CLAW, "slow").await;
        site.until_open(1).await;
        assert_eq!(site.apply(2, &["LLM"]).await, 1);
        whole(open).await;
        site.gateway.drain(Duration::ZERO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_nobody_takes_are_counted() {
    let site = Site::open().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = gone.local_addr().unwrap();
    drop(gone);
    site.gateway.operate(wish(addr));
    site.post(CLAW, r#"{"model":"steady"}"#).await;
    let lost = "\nportcullis_gateway_otel_spans_dropped_total 1\n";
    site.until_metrics(|metrics| metrics.contains(lost)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_receiver_the_trace_passes_as_it_came() {
    let site = Site::open().await;
    let mut request = chat(CLAW, r#"{"model":"steady"}"#);
    let said = format!("00-{TRACE}-{PARENT}-01");
    request
        .headers_mut()
        .insert("traceparent", said.parse().unwrap());
    whole(send(site.addr(), request).await).await;
    assert_eq!(traceparent(&site).await, said);
}

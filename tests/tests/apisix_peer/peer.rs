//! The APISIX under test, and what a check puts into it.

use http::Method;
use serde_json::{Value, json};
use site_tests::apisix::{Options, Twin};
use site_tests::talk::{Answer, Connection, once, request, until};
use std::{fs::File, net::SocketAddr};

/// Marks what a check puts there; a check begins by clearing away what an earlier one left.
pub(crate) const OURS: &str = "portcullis-suite";

/// A twin of one's own, or the real one; only one check at a time has that.
pub(crate) struct Peer {
    pub(crate) admin: SocketAddr,
    pub(crate) data: SocketAddr,
    key: String,
    pub(crate) twin: Option<Twin>,
    /// Held as long as the check runs.
    _turn: Option<File>,
}

fn address(variable: &str) -> Option<SocketAddr> {
    let text = std::env::var(variable).ok()?;
    let bare = text.trim_start_matches("http://").trim_end_matches('/');
    Some(bare.parse().unwrap_or_else(|_| {
        panic!("{variable} is `{text}`; wanted is a literal address such as http://127.0.0.1:9180")
    }))
}

impl Peer {
    pub(crate) async fn start() -> Self {
        let peer = match address("PORTCULLIS_TEST_APISIX_ADMIN") {
            Some(admin) => {
                let file = std::env::var("PORTCULLIS_TEST_APISIX_KEY_FILE").unwrap();
                let turn =
                    File::create(std::env::temp_dir().join("portcullis-apisix-suite")).unwrap();
                turn.lock().unwrap();
                eprintln!("checked with the real APISIX at {admin}");
                Self {
                    admin,
                    data: address("PORTCULLIS_TEST_APISIX_DATA").unwrap(),
                    key: std::fs::read_to_string(file).unwrap().trim().to_owned(),
                    twin: None,
                    _turn: Some(turn),
                }
            }
            None => Self::twin(Options::default()),
        };
        peer.clear().await;
        peer
    }

    pub(crate) fn twin(options: Options) -> Self {
        eprintln!("checked with the twin of APISIX, not with APISIX");
        let key = options.admin_key.clone();
        let twin = Twin::start(options).unwrap();
        Self {
            admin: twin.admin,
            data: twin.data,
            key,
            twin: Some(twin),
            _turn: None,
        }
    }

    /// The twin; for checks that are about it alone.
    pub(crate) fn told(&self) -> &Twin {
        self.twin.as_ref().unwrap()
    }

    /// Takes away what is ours, those first that refer to others.
    async fn clear(&self) {
        for kind in [
            "global_rules",
            "routes",
            "consumers",
            "services",
            "upstreams",
        ] {
            let list = self.call(&Method::GET, kind, None).await.json();
            for one in list["list"].as_array().unwrap_or(&Vec::new()) {
                let key = one["key"].as_str().unwrap_or_default();
                let path = key.trim_start_matches("/apisix/").to_owned();
                if path.contains(OURS) || one["value"]["labels"]["managed-by"] == OURS {
                    self.call(&Method::DELETE, &path, None).await;
                }
            }
        }
    }

    pub(crate) async fn call_as(
        &self,
        key: Option<&str>,
        method: &Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let key: Vec<(&str, &str)> = key.map(|key| ("x-api-key", key)).into_iter().collect();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let path = format!("/apisix/admin/{path}");
        once(self.admin, request(method, path, &key, body))
            .await
            .unwrap()
    }

    pub(crate) async fn call(&self, method: &Method, path: &str, body: Option<Value>) -> Answer {
        self.call_as(Some(&self.key), method, path, body).await
    }

    /// Puts an object there that must be taken.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        let answer = self.call(&Method::PUT, path, Some(body)).await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
        answer.json()
    }

    pub(crate) async fn delete(&self, path: &str) {
        let answer = self.call(&Method::DELETE, path, None).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }

    /// A route of ours to this upstream.
    pub(crate) async fn route(&self, name: &str, uri: &str, upstream: SocketAddr, more: Value) {
        let mut route = json!({
            "uri": uri,
            "labels": { "managed-by": OURS },
            "upstream": { "type": "roundrobin", "nodes": { upstream.to_string(): 1 } },
        });
        for (key, value) in more.as_object().unwrap() {
            route[key] = value.clone();
        }
        self.put(&format!("routes/{OURS}-{name}"), route).await;
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        once(self.data, request(&Method::GET, path, headers, ""))
            .await
            .unwrap()
    }

    /// Waits until eight connections, kept over both workers, all see this status.
    pub(crate) async fn everywhere(&self, path: &str, status: u16) {
        let mut kept = Vec::new();
        for _ in 0..8 {
            kept.push(Connection::to(self.data).await.unwrap());
        }
        let kept = tokio::sync::Mutex::new(kept);
        let all = || async {
            for connection in kept.lock().await.iter_mut() {
                let answer = connection.ask(request(&Method::GET, path, &[], "")).await;
                if answer.is_none_or(|answer| answer.status != status) {
                    return false;
                }
            }
            true
        };
        until(&format!("{status} at {path}"), all).await;
    }
}

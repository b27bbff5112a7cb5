//! The OpenAPI document of `/api/v1`. Its paths, methods and roles are made from the access table, which also makes the
//! router: no route is missing and none is told of that is not served. What stands here besides is what each says.

mod operations;
mod schemas;

use crate::access::{Access, Who, access};
use axum::Json;
use operations::{Operation, Query, said};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Below this everything is told of.
const BELOW: &str = "/api/v1/";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| make(&access()));

pub(crate) async fn document() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

fn make(rows: &[Access]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for row in rows.iter().filter(|row| row.path.starts_with(BELOW)) {
        let entry = paths
            .entry(row.path.to_owned())
            .or_insert_with(|| json!({}));
        if let Some(methods) = entry.as_object_mut() {
            methods.insert(row.method.to_ascii_lowercase(), operation(row));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portcullis",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Everything the dashboard does, for programs. Errors are problems (RFC 9457); lists come in pages of `limit`, and the next page is asked for with `after` set to what `next` said.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "A token of /tokens, `pct_…`; its role is its scope." },
                "session": { "type": "apiKey", "in": "cookie", "name": crate::guard::COOKIE },
                "sender": { "type": "http", "scheme": "bearer", "description": "The token of a usage source, in the configuration." },
            },
            "schemas": schemas::all(),
            "responses": {
                "Problem": {
                    "description": "It was not done, and why.",
                    "content": { "application/problem+json": { "schema": schemas::of("Problem") } },
                },
            },
        },
    })
}

fn operation(row: &Access) -> Value {
    let said = said(row.method, row.path);
    let Operation {
        summary,
        queries,
        body,
        answers,
    } = said;
    let mut parameters: Vec<Value> = placeholders(row.path).map(in_path).collect();
    parameters.extend(queries.iter().map(in_query));
    let mut responses: Map<String, Value> = answers
        .into_iter()
        .map(|(status, answer)| (status.to_owned(), answer))
        .collect();
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    responses.insert("default".to_owned(), problem);
    let mut operation = json!({
        "operationId": id_of(row),
        "summary": summary,
        "parameters": parameters,
        "responses": responses,
        "security": security(row.who),
        "x-portcullis-role": role(row.who),
    });
    if let (Some(body), Some(members)) = (body, operation.as_object_mut()) {
        members.insert("requestBody".to_owned(), body);
    }
    operation
}

/// `GET /api/v1/hosts/{name}` is `get-hosts-name`.
fn id_of(row: &Access) -> String {
    let path = row.path.strip_prefix(BELOW).unwrap_or(row.path);
    let words = path
        .split(['/', '.'])
        .map(|word| word.trim_matches(['{', '}']));
    let words: Vec<&str> = words.collect();
    format!("{}-{}", row.method.to_ascii_lowercase(), words.join("-"))
}

fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    let words = path.split('/');
    words.filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'))
}

fn in_path(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } })
}

fn in_query(query: &Query) -> Value {
    json!({ "name": query.name, "in": "query", "description": query.text, "schema": query.schema })
}

fn security(who: Who) -> Value {
    match who {
        Who::Anyone | Who::Monitor => json!([]),
        Who::Sender => json!([{ "sender": [] }]),
        Who::Viewer | Who::Operator | Who::Admin => json!([{ "token": [] }, { "session": [] }]),
    }
}

const fn role(who: Who) -> &'static str {
    match who {
        Who::Anyone | Who::Monitor => "anyone",
        Who::Sender => "usage source",
        Who::Viewer => "viewer",
        Who::Operator => "operator",
        Who::Admin => "admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Each reference of the document.
    fn references(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, inner) in members {
                    match inner.as_str().filter(|_| name == "$ref") {
                        Some(to) => {
                            into.insert(to.to_owned());
                        }
                        None => references(inner, into),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_served_route_of_the_api_is_told_of_and_no_other() {
        let rows = access();
        let served: BTreeSet<(String, String)> = rows
            .iter()
            .filter(|row| row.path.starts_with("/api/"))
            .map(|row| (row.path.to_owned(), row.method.to_ascii_lowercase()))
            .collect();
        let paths = DOCUMENT["paths"].as_object().unwrap();
        let told: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| (path.clone(), method.clone()))
            })
            .collect();
        assert_eq!(served, told);
        for (method, path) in operations::every() {
            let row = (path.to_owned(), method.to_ascii_lowercase());
            assert!(
                served.contains(&row),
                "{method} {path} is described and not served"
            );
        }
    }

    #[test]
    fn every_operation_has_an_id_of_its_own_and_every_reference_leads_somewhere() {
        let rows = access();
        let rows: Vec<_> = rows
            .iter()
            .filter(|row| row.path.starts_with(BELOW))
            .collect();
        let ids: BTreeSet<String> = rows.iter().map(|row| id_of(row)).collect();
        assert_eq!(ids.len(), rows.len());
        let mut all = BTreeSet::new();
        references(&DOCUMENT, &mut all);
        for reference in all {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(DOCUMENT.pointer(pointer).is_some(), "{reference}");
        }
    }
}

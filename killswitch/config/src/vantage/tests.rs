use super::*;
use crate::channel::Reader;
use crate::walk::Problems;
use std::fs;

fn read(text: &str, channels: bool) -> (Vec<VantageWish>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("claw.key"), "sk-claw-0123456789\n").unwrap();
    fs::write(folder.path().join("odd.key"), "sk with blanks").unwrap();
    let problems = Problems::default();
    let mut warnings = Vec::new();
    let mut reading = Reading {
        reader: Reader {
            channels,
            courier: None,
        },
        folder: folder.path(),
        problems: &problems,
        warnings: &mut warnings,
    };
    let mut root = Section::root(text.parse().unwrap(), &problems);
    let entries = root.sections("vantages").into_iter();
    let wishes = entries
        .filter_map(|entry| vantage(entry, &mut reading))
        .collect();
    let problems = problems.into_sorted();
    (wishes, problems.iter().map(ToString::to_string).collect())
}

const POINT: &str = "\
[[vantages]]
kind = \"http\"
gateway = \"127.0.0.1:9080\"
[[vantages.points]]
route = \"chat\"
consumer = \"claw\"
target = \"box\"
class = \"local\"
path = \"/v1/models\"
";

#[test]
fn a_way_through_another_s_gateway_is_asked_for_as_its_consumer_would() {
    let keyed = format!("{POINT}key_file = \"claw.key\"\n");
    let (wishes, problems) = read(&keyed, true);
    assert!(problems.is_empty(), "{problems:#?}");
    let point = &wishes[0].points[0];
    assert_eq!(
        (point.method, point.point.kind),
        (SafeMethod::Get, RouteKind::Llm)
    );
    let value = point.key.as_ref().unwrap().expose();
    assert_eq!(
        (point.header.as_str(), value),
        ("authorization", "Bearer sk-claw-0123456789")
    );
    assert!(!format!("{wishes:?}").contains("sk-claw"));

    let (wishes, problems) = read(
        &format!("{keyed}header = \"X-API-Key\"\nmethod = \"head\"\n"),
        true,
    );
    assert!(problems.is_empty(), "{problems:#?}");
    let point = &wishes[0].points[0];
    let value = point.key.as_ref().unwrap().expose();
    assert_eq!(
        (point.header.as_str(), value),
        ("x-api-key", "sk-claw-0123456789")
    );
    assert_eq!(point.method, SafeMethod::Head);

    let (wishes, _) = read(&keyed, false);
    assert!(
        wishes[0].points[0].key.is_none(),
        "the courier reads no key"
    );
}

#[test]
fn no_probe_can_buy_anything_and_none_is_there_twice() {
    for (change, told) in [
        (
            "method = \"POST\"\n",
            "vantages[0].points[0].method: `POST` is not one of `GET`, `HEAD`, `OPTIONS`",
        ),
        (
            "kind = \"mail\"\n",
            "vantages[0].points[0].kind: `mail` is not one of",
        ),
        (
            "header = \"a:b\"\n",
            "vantages[0].points[0].header: expected",
        ),
        (
            "key_file = \"odd.key\"\n",
            "vantages[0].points[0].key_file: it holds characters",
        ),
        (
            "key_file = \"gone.key\"\n",
            "vantages[0].points[0].key_file: ",
        ),
        ("body = \"{}\"\n", "vantages[0].points[0].body: unknown key"),
        (
            "[[vantages.points]]\nroute = \"chat\"\nconsumer = \"claw\"\ntarget = \"box\"\nclass = \"local\"\npath = \"/\"\n",
            "vantages[0].points[1].route: this route, consumer and target are there already",
        ),
    ] {
        let (_, problems) = read(&format!("{POINT}{change}"), true);
        assert!(
            problems.iter().any(|it| it.starts_with(told)),
            "{told}: {problems:#?}"
        );
    }
}

#[test]
fn a_way_that_is_not_told_in_full_is_named_with_what_is_missing() {
    for (from, to, told) in [
        (
            "path = \"/v1/models\"",
            "path = \"v1\"",
            "vantages[0].points[0].path: expected",
        ),
        (
            "class = \"local\"\n",
            "",
            "vantages[0].points[0].class: missing",
        ),
        (
            "kind = \"http\"",
            "kind = \"htp\"",
            "vantages[0].kind: expected",
        ),
        (
            "kind = \"http\"",
            "kind = \"http\"\nprobe_key_file = \"claw.key\"",
            "vantages[0].probe_key_file: unknown key",
        ),
        (
            "gateway = \"127.0.0.1:9080\"",
            "gateway = \"gw:1\"",
            "vantages[0].gateway: `gw:1` is not",
        ),
    ] {
        let (_, problems) = read(&POINT.replace(from, to), true);
        assert!(
            problems.iter().any(|it| it.starts_with(told)),
            "{told}: {problems:#?}"
        );
    }
    let none = "[[vantages]]\nkind = \"http\"\ngateway = \"127.0.0.1:9080\"\n";
    let (_, problems) = read(none, true);
    assert!(
        problems[0].starts_with("vantages[0].points: 0 entries"),
        "{problems:#?}"
    );
}

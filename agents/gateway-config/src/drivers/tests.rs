use super::*;
use gateways::apisix::Keeps;
use kill_config::{Problems, Reader};
use std::fs;

fn read(text: &str) -> (Vec<DriverWish>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["admin.key", "master.key"] {
        fs::write(folder.path().join(name), "0123456789abcdef").unwrap();
    }
    let problems = Problems::default();
    let mut warnings = Vec::new();
    let mut reading = Reading {
        reader: Reader {
            channels: false,
            courier: None,
        },
        folder: folder.path(),
        problems: &problems,
        warnings: &mut warnings,
    };
    let mut root = Section::root(text.parse().unwrap(), &problems);
    let mut section = root.section("agent").unwrap();
    let wishes = drivers(&mut section, &mut reading);
    section.finish();
    let problems = problems.into_sorted();
    (wishes, problems.iter().map(ToString::to_string).collect())
}

const ALL: &str = "\
[agent]
[[agent.drivers]]
kind = \"apisix\"
admin = \"127.0.0.1:9180\"
admin_key_file = \"admin.key\"
control = \"127.0.0.1:9090\"
metrics = \"127.0.0.1:9091\"
data = [\"127.0.0.1:9080\", \"[::1]:9080\"]
manage = true
[[agent.drivers]]
kind = \"litellm\"
name = \"models\"
at = \"127.0.0.1:4000\"
master_key_file = \"master.key\"
cut_by = \"none\"
[[agent.drivers]]
kind = \"nginx\"
overlay = \"overlay.conf\"
program = \"/usr/sbin/nginx\"
conf = \"/etc/nginx/nginx.conf\"
pid = \"/run/nginx.pid\"
data = [\"127.0.0.1:8081\"]
sever = false
";

#[test]
fn each_kind_is_read_with_its_own_keys() {
    let (wishes, problems) = read(ALL);
    assert!(problems.is_empty(), "{problems:#?}");
    let named: Vec<_> = wishes
        .iter()
        .map(|it| (it.name.to_string(), it.speaks.kind(), it.is_managed()))
        .collect();
    let named: Vec<_> = named.iter().map(|(a, b, c)| (a.as_str(), *b, *c)).collect();
    assert_eq!(
        named,
        [
            ("apisix", "apisix", true),
            ("models", "litellm", false),
            ("nginx", "nginx", false)
        ]
    );
    let Speaks::Apisix(apisix) = &wishes[0].speaks else {
        panic!("{wishes:?}")
    };
    assert_eq!((apisix.keeps, apisix.sever), (Keeps::Etcd, true));
    assert_eq!(apisix.data.len(), 2);
    assert_eq!(apisix.admin_key.expose(), "0123456789abcdef");
    let Speaks::Nginx(nginx) = &wishes[2].speaks else {
        panic!("{wishes:?}")
    };
    assert!(nginx.overlay.is_absolute() && nginx.overlay.ends_with("overlay.conf"));
    assert!(!nginx.sever);
    assert_eq!(keys(&wishes), Keys::Themselves);
    assert_eq!(keys(&wishes[1..]), Keys::Hashed);
    assert!(!format!("{wishes:?}").contains("0123456789abcdef"));
}

#[test]
fn every_mistake_is_named_with_its_key_and_what_to_write_instead() {
    let (_, problems) = read(
        "[agent]\n[[agent.drivers]]\nkind = \"apisx\"\n\
         [[agent.drivers]]\nname = \"a\"\n\
         [[agent.drivers]]\nkind = \"apisix\"\nadmin = \"gw.lan:9180\"\nadmin_key_file = \"absent\"\ndata = []\nmode = \"yaml\"\nmanag = true\n\
         [[agent.drivers]]\nkind = \"litellm\"\nat = \"127.0.0.1:0\"\ncut_by = \"force\"\nmanage = true\n\
         [[agent.drivers]]\nkind = \"nginx\"\ndata = [\"8081\"]\n\
         [[agent.drivers]]\nkind = \"litellm\"\nname = \"x\"\nat = \"127.0.0.1:4000\"\nmaster_key_file = \"master.key\"\n\
         [[agent.drivers]]\nkind = \"litellm\"\nname = \"x\"\nat = \"127.0.0.1:4000\"\nmaster_key_file = \"master.key\"\n",
    );
    for part in [
        "agent.drivers[0].kind: `apisx` is no kind of driver; did you mean `apisix`?",
        "agent.drivers[1].kind: missing; expected one of `apisix`",
        "agent.drivers[2].admin: `gw.lan:9180` is not a literal address",
        "agent.drivers[2].admin_key_file: ",
        "agent.drivers[2].data: 0 entries; expected 1 to 16",
        "agent.drivers[2].mode: `yaml` is not one of `etcd`, `standalone`",
        "agent.drivers[2].manag: unknown key; did you mean `manage`?",
        "agent.drivers[3].at: `127.0.0.1:0` has no port",
        "agent.drivers[3].master_key_file: missing",
        "agent.drivers[3].cut_by: `force` is not one of `keys`, `models`, `none`",
        "agent.drivers[3].manage: unknown key",
        "agent.drivers[4].overlay: missing",
        "agent.drivers[4].data[0]: `8081` is not a literal address",
        "agent.drivers[6].name: `x` is there twice",
    ] {
        assert!(
            problems.iter().any(|problem| problem.starts_with(part)),
            "{part}: {problems:#?}"
        );
    }
}

#[test]
fn what_routes_do_besides_is_read_and_needs_routes_that_are_kept_from_here() {
    let besides = "ai_proxy = true\nusage_to = \"http://10.0.10.2:7410/api/v1/usage/edge\"\nusage_token_file = \"master.key\"\n";
    let kept = ALL.replace("manage = true\n", &format!("manage = true\n{besides}"));
    let (wishes, problems) = read(&kept);
    assert!(problems.is_empty(), "{problems:#?}");
    let Speaks::Apisix(settings) = &wishes[0].speaks else {
        panic!("{wishes:?}");
    };
    assert!(settings.besides.ai_proxy && wishes[0].posts_usage());
    assert!(!format!("{settings:?}").contains("0123456789abcdef"));
    let (_, problems) = read(&ALL.replace("manage = true\n", besides));
    for key in ["ai_proxy", "usage_to"] {
        let named = |it: &String| it.contains(key) && it.contains("manage = true");
        assert!(problems.iter().any(named), "{problems:#?}");
    }
    for (lines, what) in [
        ("usage_token_file = \"master.key\"", "usage_to: missing"),
        (
            "usage_to = \"http://10.0.10.2:7410/api/v1/usage/edge\"",
            "usage_token_file: missing",
        ),
        (
            "usage_to = \"http://10.0.10.2:7410/\"\nusage_token_file = \"master.key\"",
            "the address of a usage source",
        ),
        ("ai_proxy = 1", "`true` or `false`"),
    ] {
        let (_, problems) =
            read(&ALL.replace("manage = true\n", &format!("manage = true\n{lines}\n")));
        assert!(
            problems.iter().any(|it| it.contains(what)),
            "{lines}: {problems:#?}"
        );
    }
}

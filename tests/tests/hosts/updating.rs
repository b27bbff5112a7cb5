//! A newer agent: sealed by the house, fetched by a host over TLS, put in the place of the one before.

use crate::house::{House, control_now};
use net_model::own_target;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use uplink::trial::Place;
use uplink::{BadSeal, FetchError, Identity, update_agent};

const HERE: &str = "0.2.0";
const OLD: &[u8] = b"\x7fELF the one that is here";
const NEW: &[u8] = b"\x7fELF the newer one";

struct Host {
    house: House,
    identity: Identity,
    program: PathBuf,
}

impl Host {
    async fn start() -> Self {
        let house = House::start().await;
        let identity = house.joined("gpu1").await;
        let program = house.folder.path().join("node-agent");
        std::fs::write(&program, OLD).unwrap();
        Self {
            house,
            identity,
            program,
        }
    }

    /// Seals as `portcullis hosts agent-binary add` does, by the house whose this is.
    fn seal(&self, by: &hosts::House, version: &str, bytes: &[u8]) {
        let file = self.house.folder.path().join("built");
        std::fs::write(&file, bytes).unwrap();
        let folder = self.house.binaries();
        hosts::add_agent_binary(by, &folder, &file, &own_target(), version).unwrap();
    }

    async fn update(&self) -> Result<String, FetchError> {
        let place = Place {
            program: self.program.clone(),
            proven: self.house.folder.path().join("proven"),
        };
        update_agent(&self.identity, &[], HERE, &place).await
    }

    /// Tries, and must leave the program as it is.
    async fn refused(&self) -> FetchError {
        let refused = self.update().await.unwrap_err();
        assert_eq!(std::fs::read(&self.program).unwrap(), OLD, "{refused}");
        for beside in [".node-agent.new", "node-agent.former", "node-agent.trial"] {
            let beside = self.program.with_file_name(beside);
            assert!(!beside.exists(), "{refused}");
        }
        refused
    }
}

fn another_house(folder: &Path) -> hosts::House {
    let name = "house".parse().unwrap();
    hosts::make_house(folder, &name, control_now()).unwrap();
    hosts::House::open(folder, Vec::new(), Vec::new(), control_now).unwrap()
}

#[tokio::test]
async fn a_newer_agent_under_the_seal_of_the_house_is_put_in_place() {
    let host = Host::start().await;
    host.seal(&host.house.house, "0.10.0", NEW);
    assert_eq!(host.update().await.unwrap(), "0.10.0");
    assert_eq!(std::fs::read(&host.program).unwrap(), NEW);
    let former = host.program.with_file_name("node-agent.former");
    assert_eq!(std::fs::read(former).unwrap(), OLD);
    let mode = std::fs::metadata(&host.program).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o755);
    host.house.end().await;
}

#[tokio::test]
async fn a_file_that_was_changed_after_it_was_sealed_is_refused() {
    let host = Host::start().await;
    host.seal(&host.house.house, "0.3.0", NEW);
    let served = host.house.binaries().join(own_target());
    let mut changed = std::fs::read(&served).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&served, changed).unwrap();
    let refused = host.refused().await;
    assert!(
        matches!(refused, FetchError::Seal(BadSeal::File)),
        "{refused}"
    );
    host.house.end().await;
}

#[tokio::test]
async fn a_seal_of_another_house_or_with_another_version_written_into_it_is_refused() {
    let host = Host::start().await;
    let other = another_house(&host.house.folder.path().join("other"));
    host.seal(&other, "0.3.0", NEW);
    let refused = host.refused().await;
    assert!(
        matches!(refused, FetchError::Seal(BadSeal::Signature)),
        "{refused}"
    );

    // An old one, truly sealed, that claims to be new.
    host.seal(&host.house.house, "0.1.0", NEW);
    let file = format!("{}.sig", own_target());
    let file = host.house.binaries().join(file);
    let seal = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, seal.replace("0.1.0", "0.9.0")).unwrap();
    let refused = host.refused().await;
    assert!(
        matches!(refused, FetchError::Seal(BadSeal::Signature)),
        "{refused}"
    );
    host.house.end().await;
}

#[tokio::test]
async fn an_older_agent_is_refused_and_so_is_one_for_other_machines() {
    let host = Host::start().await;
    host.seal(&host.house.house, "0.1.9", NEW);
    let refused = host.refused().await;
    assert!(
        matches!(refused, FetchError::Seal(BadSeal::Old(_))),
        "{refused}"
    );

    let folder = host.house.binaries();
    let file = host.house.folder.path().join("built");
    hosts::add_agent_binary(&host.house.house, &folder, &file, "other-linux", "0.3.0").unwrap();
    for end in ["", ".sig"] {
        let from = folder.join(format!("other-linux{end}"));
        std::fs::rename(from, folder.join(format!("{}{end}", own_target()))).unwrap();
    }
    let refused = host.refused().await;
    assert!(
        matches!(refused, FetchError::Seal(BadSeal::Target(_))),
        "{refused}"
    );
    host.house.end().await;
}

#[tokio::test]
async fn where_there_is_no_agent_for_this_machine_nothing_changes() {
    let host = Host::start().await;
    let refused = host.refused().await;
    assert!(matches!(refused, FetchError::None(_)), "{refused}");
    host.house.end().await;
}

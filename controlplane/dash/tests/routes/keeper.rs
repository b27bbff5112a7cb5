//! Keeps no files: a double of whoever does, with one consumer, one person and a short configuration.

use dash::{
    Cards, ConsumerBook, ConsumerChange, ConsumerView, Edit, Enrolled, Field, KeyToScan, NewHost,
    NewPerson, Office, Pending, PersonView, SettingsView, Shown, Ticket, Trouble, TroubleKind,
    Vouch,
};
use kill_wire::{Name, Timestamp};
use net_model::{Dial, HostName, Mistake, ReloadReport, Secret, TargetTest, TestFound};
use std::sync::Mutex;

/// What it was asked to change.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    pub(crate) changes: Mutex<Vec<ConsumerChange>>,
    /// Codes by which somebody agreed.
    pub(crate) vouched: Mutex<Vec<String>>,
    pub(crate) applied: Mutex<Vec<(String, String)>>,
    /// Targets that were asked.
    pub(crate) tested: Mutex<Vec<String>>,
    /// Hosts that it made a token for.
    pub(crate) invited: Mutex<Vec<NewHost>>,
}

impl Keeper {
    fn agreed(&self, vouch: &Vouch) -> Result<(), Trouble> {
        self.vouched.lock().unwrap().push(vouch.code.clone());
        if vouch.code == "87654321" {
            return Ok(());
        }
        Err(Trouble::new(TroubleKind::Refused, "that code does not do"))
    }
}

impl Keeper {
    fn ticket(&self, host: NewHost) -> Result<Ticket, Trouble> {
        self.invited.lock().unwrap().push(host.clone());
        Ok(Ticket {
            host,
            expires: Timestamp::from_millis(1_795_000_900_000),
            token: Secret::new("pcj-shown-once").unwrap(),
        })
    }
}

impl Office for Keeper {
    fn consumers(&self) -> Result<ConsumerBook, Trouble> {
        let view = |name: &str, kept| ConsumerView {
            name: name.to_owned(),
            routes: vec!["chat".to_owned()],
            key: "0123abcd".to_owned(),
            local: "always".to_owned(),
            cloud: "never".to_owned(),
            source: "portcullis.toml line 7".to_owned(),
            kept,
            ..ConsumerView::default()
        };
        Ok(ConsumerBook {
            consumers: vec![view("claw", false), view("ada", true)],
            routes: vec!["chat".to_owned()],
            roles: Vec::new(),
            kept_in: "/data/consumers.toml".to_owned(),
        })
    }

    fn change_consumer(&self, change: &ConsumerChange) -> Result<Option<String>, Trouble> {
        self.changes.lock().unwrap().push(change.clone());
        match change {
            ConsumerChange::Create { name, .. } if name == "claw" => {
                let mut trouble = Trouble::new(TroubleKind::Refused, "Nothing was changed.");
                trouble.mistakes.push(Mistake {
                    field: "consumers[1].name".to_owned(),
                    problem: "it is there <b>twice</b>".to_owned(),
                    ..Mistake::default()
                });
                Err(trouble)
            }
            ConsumerChange::Create { .. } | ConsumerChange::Rotate { .. } => {
                Ok(Some("pck_shown-once".to_owned()))
            }
            ConsumerChange::Change { .. } | ConsumerChange::Revoke { .. } => Ok(None),
        }
    }

    fn people(&self) -> Result<Vec<PersonView>, Trouble> {
        Ok(vec![PersonView {
            name: "owner".to_owned(),
            kill_digits: 8,
            restore_digits: 8,
            cards: 20,
            senders: vec!["+49 151 0001".to_owned()],
            ..PersonView::default()
        }])
    }

    fn begin_person(&self, new: &NewPerson) -> Result<Pending, Trouble> {
        Ok(Pending {
            id: "00ff".to_owned(),
            name: new.name.clone(),
            keys: vec![KeyToScan {
                label: "RESTORE",
                what: "opens again",
                svg: "<svg><path d=\"M0 0h1v1H0V0\"/></svg>".to_owned(),
            }],
        })
    }

    fn finish_person(&self, _: &str, shown: &Shown, vouch: &Vouch) -> Result<Enrolled, Trouble> {
        if shown.0.get("RESTORE").map(String::as_str) != Some("12345678") {
            return Err(Trouble::new(
                TroubleKind::Refused,
                "that is not the RESTORE code",
            ));
        }
        self.agreed(vouch)?;
        Ok(Enrolled {
            name: "ada".to_owned(),
            vouched: "owner".to_owned(),
            notes: Vec::new(),
        })
    }

    fn cards(&self, name: &str, count: u8, _: bool, vouch: &Vouch) -> Result<Cards, Trouble> {
        self.agreed(vouch)?;
        Ok(Cards {
            person: name.to_owned(),
            date: "2026-11-22".to_owned(),
            codes: (0..count).map(|at| format!("card-{at}")).collect(),
        })
    }

    fn revoke(&self, name: &str, _: bool, vouch: &Vouch) -> Result<String, Trouble> {
        self.agreed(vouch)?;
        Ok(format!("The keys of {name} do nothing any more."))
    }

    fn settings(&self) -> Result<SettingsView, Trouble> {
        Ok(SettingsView {
            file: Some("/etc/portcullis.toml".to_owned()),
            fields: vec![Field {
                key: "gateway.listen".to_owned(),
                value: "127.0.0.1:7412".to_owned(),
                source: "default".to_owned(),
            }],
            text: "# only for whoever may change it\n".to_owned(),
            version: "v1".to_owned(),
            ..SettingsView::default()
        })
    }

    fn check_settings(&self, text: &str) -> Result<Edit, Trouble> {
        let wrong = Mistake {
            line: Some(3),
            field: "gatway".to_owned(),
            problem: "unknown key".to_owned(),
            fix: Some("did you mean `gateway`?".to_owned()),
            ..Mistake::default()
        };
        Ok(Edit {
            mistakes: text
                .contains("gatway")
                .then_some(wrong)
                .into_iter()
                .collect(),
            changes: vec![(
                "gateway.time_zone".to_owned(),
                "–".to_owned(),
                "Europe/Berlin".to_owned(),
            )],
            ..Edit::default()
        })
    }

    fn apply_settings(&self, text: &str, over: &str) -> Result<ReloadReport, Trouble> {
        let both = (text.to_owned(), over.to_owned());
        self.applied.lock().unwrap().push(both);
        Ok(ReloadReport {
            good: true,
            needs_restart: vec!["gateway.listen".to_owned()],
            ..ReloadReport::default()
        })
    }

    fn test_target(&self, target: &Name) -> Result<TargetTest, Trouble> {
        self.tested.lock().unwrap().push(target.to_string());
        Ok(TargetTest {
            target: target.clone(),
            at: Timestamp::from_millis(1_795_000_000_000),
            took_ms: 31,
            found: TestFound::Answered { status: 401 },
        })
    }

    fn invite(&self, host: &NewHost) -> Result<Ticket, Trouble> {
        if host.zone.as_str() == "nowhere" {
            let text = "there is no zone `nowhere`; the configuration has red";
            return Err(Trouble::new(TroubleKind::Refused, text));
        }
        self.ticket(host.clone())
    }

    fn reinvite(&self, name: &HostName) -> Result<Ticket, Trouble> {
        self.ticket(NewHost {
            name: name.clone(),
            zone: "red".parse().unwrap(),
            roles: [net_model::HostRole::RedZone].into(),
            dial: Dial::Out,
            address: None,
        })
    }
}

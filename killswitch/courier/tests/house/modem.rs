//! Texts in a modem, as ModemManager shows them on a real bus.

use crate::kill_switch::{KillSwitch, Running, until};
use crate::modem_manager::{Bus, ModemManager};
use kill_wire::{FromCourier, ToCourier};
use tempfile::TempDir;

fn start(folder: &TempDir, bus: &Bus) -> Running {
    let values = [("bus", bus.address.clone()), ("slots", "10".into())];
    Running::start(folder.path(), "modem-manager", &values)
}

#[test]
fn a_text_is_handed_over_with_the_centre_s_time_and_deleted_when_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (bus, switch) = (Bus::start(folder.path()), KillSwitch::listen(folder.path()));
    let modems = ModemManager::start(&bus);
    let _running = start(&folder, &bus);
    switch.problem("");
    modems.receive("KILL 12345678", true);
    let text = switch.text("KILL");
    assert_eq!(text.sender, "+15550001");
    assert_eq!(text.sent.as_deref(), Some("2026-11-21T10:45:00.000Z"));
    until("the modem is empty", || modems.holds() == 0);
    assert_eq!(switch.texts().len(), 1);
}

#[test]
fn a_signal_before_all_parts_hands_over_nothing_until_they_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let (bus, switch) = (Bus::start(folder.path()), KillSwitch::listen(folder.path()));
    let modems = ModemManager::start(&bus);
    let _running = start(&folder, &bus);
    let path = modems.receive_a_part();
    modems.receive("STATUS", true);
    switch.text("STATUS");
    until("the other text is gone", || modems.holds() == 1);
    assert_eq!(switch.texts().len(), 1);
    modems.complete(&path, "KILL ALL 1234 5678");
    switch.text("KILL ALL 1234 5678");
    until("the modem is empty", || modems.holds() == 0);
}

#[test]
fn a_text_no_signal_told_of_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (bus, switch) = (Bus::start(folder.path()), KillSwitch::listen(folder.path()));
    let modems = ModemManager::start(&bus);
    modems.receive("KILL 11111111", false);
    let _running = start(&folder, &bus);
    switch.text("KILL 11111111");
    until("the modem is empty", || modems.holds() == 0);
    modems.receive("KILL 22222222", false);
    switch.text("KILL 22222222");
}

#[test]
fn what_was_not_taken_comes_again_with_the_same_id_after_a_restart_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (bus, switch) = (Bus::start(folder.path()), KillSwitch::listen(folder.path()));
    switch.take(false);
    let first = {
        let modems = ModemManager::start(&bus);
        modems.receive("an older text takes the first number", true);
        modems.receive("KILL 12345678", true);
        let _running = start(&folder, &bus);
        let first = switch.text("KILL");
        assert_eq!(modems.holds(), 2);
        first
    };
    let before = switch.texts().len();
    switch.take(true);
    let modems = ModemManager::start(&bus);
    modems.receive("KILL 12345678", false);
    let _running = start(&folder, &bus);
    until("it came again", || switch.texts().len() > before);
    assert_eq!(switch.texts().last(), Some(&first));
    until("the modem is empty", || modems.holds() == 0);
}

#[test]
fn a_modem_that_does_not_delete_is_asked_again_and_the_text_handed_over_once() {
    let folder = tempfile::tempdir().unwrap();
    let (bus, switch) = (Bus::start(folder.path()), KillSwitch::listen(folder.path()));
    let modems = ModemManager::start(&bus);
    modems.stick(true);
    let _running = start(&folder, &bus);
    modems.receive("KILL 12345678", true);
    switch.text("KILL");
    switch.problem("cannot be deleted");
    modems.stick(false);
    until("the modem is empty", || modems.holds() == 0);
    assert_eq!(switch.texts().len(), 1);
}

#[test]
fn a_modem_that_fills_up_is_told_of_before_it_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let (bus, switch) = (Bus::start(folder.path()), KillSwitch::listen(folder.path()));
    let modems = ModemManager::start(&bus);
    let _running = start(&folder, &bus);
    switch.problem("");
    switch.take(false);
    for number in 0..9 {
        modems.receive(&format!("text {number}"), true);
    }
    switch.problem("9 of 10");
}

#[test]
fn without_modem_manager_or_without_a_bus_it_says_so_and_goes_on_trying() {
    let folder = tempfile::tempdir().unwrap();
    let switch = KillSwitch::listen(folder.path());
    let values = [("bus", format!("unix:path={}/bus", folder.path().display()))];
    let _running = Running::start(folder.path(), "modem-manager", &values);
    switch.problem("bus");
    let bus = Bus::start(folder.path());
    switch.problem("ModemManager is not running");
    let modems = ModemManager::start(&bus);
    modems.receive("KILL 12345678", true);
    switch.text("KILL");
}

#[test]
fn a_reply_is_sent_by_the_modem_and_leaves_nothing_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (bus, switch) = (Bus::start(folder.path()), KillSwitch::listen(folder.path()));
    let modems = ModemManager::start(&bus);
    let _running = start(&folder, &bus);
    switch.problem("");
    switch.say(&ToCourier::Reply {
        number: 9,
        channel: "modem".into(),
        to: "+15550001".into(),
        text: "CUT ALL".into(),
    });
    switch.wait(|heard| {
        heard
            .contains(&FromCourier::Sent { number: 9 })
            .then_some(())
    });
    assert_eq!(modems.sent(), [("+15550001".into(), "CUT ALL".into())]);
    assert_eq!(modems.holds(), 0);
}

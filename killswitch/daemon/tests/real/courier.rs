//! The courier's socket: texts and buttons come in, replies and the state go out, whoever is there first.

use crate::house::{Courier, House, kill_code, pulled, restore_code};
use kill_wire::{FromCourier, MAX_COURIER_LINE, Scope, ToCourier};
use killswitchd::Settings;

fn house() -> House {
    House::up(Settings {
        channels: vec![
            pulled("telegram", "telegram"),
            pulled("ntfy", "ntfy"),
            pulled("house", "mqtt"),
        ],
        ..Settings::default()
    })
}

fn press(courier: &mut Courier, id: &str) {
    courier.say(&FromCourier::Button {
        channel: "house".to_owned(),
        scope: Scope::Llm,
        id: id.to_owned(),
    });
}

#[test]
fn a_text_the_courier_fetched_cuts_is_taken_and_answered() {
    let house = house();
    let mut courier = house.courier();
    courier.text("telegram", "7", &format!("KILL LLM {}", kill_code()));
    let mut seen = [courier.next_but_state(), courier.next_but_state()];
    seen.sort_by_key(|message| matches!(message, ToCourier::Taken { .. }));
    let [
        ToCourier::Reply { text, channel, .. },
        ToCourier::Taken { id, .. },
    ] = seen
    else {
        panic!("{seen:?}");
    };
    assert!(text.starts_with("CUT LLM"), "{text}");
    assert_eq!((channel.as_str(), id.as_str()), ("telegram", "7"));
    assert_eq!(house.cut(), ["LLM"]);
    assert!(house.state().channels[0].heard.is_some());
}

#[test]
fn the_state_follows_what_is_cut() {
    let house = house();
    let mut courier = house.courier();
    let Some(ToCourier::State { cut, scopes, .. }) = courier.next() else {
        panic!()
    };
    assert!(cut.is_empty() && scopes.contains(&Scope::All));
    press(&mut courier, "1");
    loop {
        if let Some(ToCourier::State { cut, incidents, .. }) = courier.next()
            && cut == [Scope::Llm]
        {
            assert_eq!(incidents.len(), 1);
            return;
        }
    }
}

#[test]
fn a_button_cuts_and_the_same_press_again_does_not() {
    let house = house();
    let mut courier = house.courier();
    press(&mut courier, "1");
    assert_eq!(courier.taken(), "1");
    assert_eq!(house.cut(), ["LLM"]);
    press(&mut courier, "1");
    assert_eq!(courier.taken(), "1");
    let journal = std::fs::read_to_string(house.dir.path().join("journal.jsonl")).unwrap();
    assert_eq!(journal.matches(r#""is":"cut""#).count(), 1, "{journal}");
}

#[test]
fn a_text_of_an_unsigned_channel_cannot_restore() {
    let house = house();
    let mut courier = house.courier();
    press(&mut courier, "1");
    courier.taken();
    courier.text("ntfy", "2", &format!("RESTORE LLM {}", restore_code()));
    let mut seen = [courier.next_but_state(), courier.next_but_state()];
    seen.sort_by_key(|message| matches!(message, ToCourier::Taken { .. }));
    let ToCourier::Reply { text, .. } = &seen[0] else {
        panic!("{seen:?}");
    };
    assert!(text.contains("cannot restore"), "{text}");
    assert_eq!(house.cut(), ["LLM"]);
}

#[test]
fn a_second_courier_takes_the_place_of_the_first_and_gets_what_has_no_end_yet() {
    let house = house();
    let mut first = house.courier();
    first.text("telegram", "1", "STATUS");
    let (number, said) = match (first.next_but_state(), first.next_but_state()) {
        (ToCourier::Reply { number, text, .. }, _) | (_, ToCourier::Reply { number, text, .. }) => {
            (number, text)
        }
        other => panic!("{other:?}"),
    };
    let mut second = house.courier();
    assert_eq!(second.reply(), (number, said));
    while first.next().is_some() {}
    second.say(&FromCourier::Sent { number });
    second.text("telegram", "2", "nothing");
    let mut seen = Vec::new();
    while !seen
        .iter()
        .any(|m| matches!(m, ToCourier::Taken { id, .. } if id == "2"))
    {
        seen.push(second.next_but_state());
    }
    drop(second);
    let mut third = house.courier();
    third.text("telegram", "3", "KILL 00000000");
    while !matches!(third.next_but_state(), ToCourier::Taken { id, .. } if id == "3") {}
}

#[test]
fn without_a_courier_the_state_says_what_is_deaf_and_replies_wait() {
    let house = house();
    let state = house.state();
    let deaf = |warning: &String| warning.contains("nothing is heard by telegram");
    assert!(state.warnings.iter().any(deaf), "{:?}", state.warnings);
    let _courier = house.courier();
    house.wait("well", |state| !state.warnings.iter().any(deaf));
}

#[test]
fn a_reply_that_could_not_be_sent_is_shown() {
    let house = house();
    let mut courier = house.courier();
    courier.text("telegram", "1", "STATUS");
    let mut seen = [courier.next_but_state(), courier.next_but_state()];
    seen.sort_by_key(|message| matches!(message, ToCourier::Taken { .. }));
    let ToCourier::Reply { number, .. } = seen[0] else {
        panic!("{seen:?}");
    };
    courier.say(&FromCourier::NotSent {
        number,
        why: "402 out of credit".to_owned(),
    });
    house.wait("shown", |state| {
        let problem = state.channels[0].problem.as_deref();
        problem.is_some_and(|why| why.contains("out of credit"))
    });
}

#[test]
fn garbage_and_endless_lines_are_hung_up_on_and_others_go_on() {
    let house = house();
    for bytes in [
        b"{\"is\":\"restore\"}\n".to_vec(),
        b"\xff\xfe\n".to_vec(),
        vec![b'x'; MAX_COURIER_LINE + 1],
    ] {
        let mut courier = house.courier();
        courier.raw(&bytes);
        while courier.next().is_some() {}
    }
    let mut courier = house.courier();
    press(&mut courier, "1");
    courier.taken();
    assert_eq!(house.cut(), ["LLM"]);
}

#[test]
fn what_comes_by_a_channel_that_is_not_fetched_here_is_left_with_the_courier() {
    let house = house();
    let mut courier = house.courier();
    courier.text("elsewhere", "1", &format!("KILL {}", kill_code()));
    courier.text("telegram", "2", "hello");
    assert_eq!(courier.taken(), "2");
    assert!(house.cut().is_empty());
}

#[test]
fn a_flood_of_questions_in_a_senders_name_gets_ten_answers_and_a_cut_gets_its_own() {
    let house = house();
    let mut courier = house.courier();
    let mut replies = Vec::new();
    for n in 0..30 {
        courier.text("telegram", &format!("s{n}"), "STATUS");
    }
    courier.text("telegram", "kill", &format!("KILL {}", kill_code()));
    let mut taken = 0;
    // Every text is taken, and what is said of one is said before or right after.
    while taken < 31 || replies.len() < 11 {
        match courier.next_but_state() {
            ToCourier::Taken { .. } => taken += 1,
            ToCourier::Reply { text, .. } => replies.push(text),
            ToCourier::State { .. } => {}
        }
    }
    let status = replies.iter().filter(|text| text.starts_with("STATUS"));
    assert_eq!(status.count(), 10, "{replies:?}");
    assert!(replies.iter().any(|text| text.starts_with("CUT ALL")));
}

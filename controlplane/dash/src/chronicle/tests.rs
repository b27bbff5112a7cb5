use super::*;
use std::io::Write;

fn cut(n: u32) -> String {
    format!(
        "{{\"n\":1,\"time\":\"x\",\"at\":{at},\"event\":{{\"is\":\"cut\",\"incident\":{n},\"scope\":\"LLM\",\"by\":\"owner\",\"via\":\"lever\",\"why\":\"loop\",\"repeated\":false,\"late\":false}},\"prev\":\"\",\"hash\":\"\"}}\n",
        at = serde_json::to_string(&Timestamp::from_millis(u64::from(n) * 1000)).unwrap()
    )
}

fn other(word: &str) -> String {
    let at = serde_json::to_string(&Timestamp::from_millis(5)).unwrap();
    format!(
        "{{\"n\":2,\"time\":\"x\",\"at\":{at},\"event\":{{\"is\":\"{word}\"}},\"prev\":\"\",\"hash\":\"\"}}\n"
    )
}

#[test]
fn pages_follow_one_another_and_a_line_that_is_being_written_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut file = File::create(&path).unwrap();
    for n in 1..=130 {
        file.write_all(cut(n).as_bytes()).unwrap();
    }
    let whole = cut(131);
    let (begun, rest) = whole.split_at(40);
    file.write_all(begun.as_bytes()).unwrap();

    let chronicle = Chronicle::default();
    let page = chronicle.incidents(&path, None, 50).unwrap();
    assert_eq!((page.all, page.rows.len(), page.next), (130, 50, Some(81)));
    let page = chronicle.incidents(&path, Some(31), 50).unwrap();
    assert_eq!((page.rows.len(), page.next), (30, None));

    file.write_all(rest.as_bytes()).unwrap();
    file.write_all(other("something_new").as_bytes()).unwrap();
    let page = chronicle.incidents(&path, None, 1).unwrap();
    assert_eq!((page.all, page.rows[0].incident.get()), (131, 131));

    let lines = chronicle.lines(&path, None, 100).unwrap();
    assert_eq!(
        (lines.all, lines.rows.len(), lines.next),
        (132, 100, Some(33))
    );
    assert!(matches!(lines.rows[0].event, Event::Other));
    let lines = chronicle.lines(&path, lines.next, 100).unwrap();
    assert_eq!((lines.rows.len(), lines.next), (32, None));

    let (record, story) = chronicle.incident(&path, 77).unwrap().unwrap();
    assert_eq!((record.why.as_str(), story.len()), ("loop", 1));
    assert!(chronicle.incident(&path, 999).unwrap().is_none());
}

#[test]
fn another_file_in_its_place_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    std::fs::write(&path, [cut(1), cut(2)].concat()).unwrap();
    let chronicle = Chronicle::default();
    assert_eq!(chronicle.incidents(&path, None, 9).unwrap().all, 2);
    std::fs::write(&path, cut(3)).unwrap();
    let page = chronicle.incidents(&path, None, 9).unwrap();
    assert_eq!((page.all, page.rows[0].incident.get()), (1, 3));
}

#[test]
fn what_was_read_ahead_is_not_read_again_and_a_stop_is_heeded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let many = u32::try_from(PIECE).unwrap() * 2 + 7;
    let text: String = (1..=many).map(cut).collect();
    std::fs::write(&path, &text).unwrap();
    let journal = JournalFile::new(path.clone(), |_| Err("is not asked".to_owned()));

    journal.read_ahead(|| true);
    assert_eq!(journal.chronicle.lines_read(), Some(0));
    journal.clone().read_ahead(|| false);
    assert_eq!(journal.chronicle.lines_read(), Some(u64::from(many)));
    assert_eq!(
        journal.chronicle.0.lock().unwrap().end,
        text.len() as u64,
        "the first look begins at the end"
    );

    // A page looks at what comes behind, and at nothing before it: other bytes there change nothing.
    std::fs::write(&path, [" ".repeat(text.len()), cut(many + 1)].concat()).unwrap();
    let page = journal.chronicle.incidents(&path, None, 1).unwrap();
    let newest = page.rows.first().map(|row| row.incident.get());
    assert_eq!((page.all, newest), (many as usize + 1, Some(many + 1)));
}

#[test]
fn a_journal_that_is_not_there_ends_reading_ahead() {
    let journal = JournalFile::new(PathBuf::from("/nowhere/journal"), |_| Err(String::new()));
    journal.read_ahead(|| false);
    assert_eq!(journal.chronicle.lines_read(), Some(0));
}

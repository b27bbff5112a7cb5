use super::*;

const USAGE: &str = r#"{"id":"a-1","at":5000,"consumer":"claw","route":"chat","target":"home","class":"local","model":"m","stream":false,"status":200,"prompt_tokens":1200,"completion_tokens":2,"estimated":false,"took_ms":3000,"ended":"complete","incident":null,"cost":15,"first_byte_ms":100}"#;

fn usage() -> UsageRecord {
    serde_json::from_str(USAGE).unwrap()
}

fn refused(stage: Stage, text: &str) -> Story {
    let refused = step(2, stage, Verdict::Refused, text.to_owned());
    Story {
        steps: vec![refused],
        status: 503,
        consumer: None,
        ..bare(&usage())
    }
}

fn verdict(explanation: &Explanation, stage: Stage) -> Verdict {
    let of = |step: &&Step| step.stage == stage;
    explanation.steps.iter().find(of).unwrap().verdict
}

#[test]
fn what_nobody_knows_is_not_explained() {
    assert_eq!(Explanation::of(None, None), None);
}

#[test]
fn a_plain_answer_has_every_stage_and_its_figures() {
    let explained = Explanation::of(None, Some(usage())).unwrap();
    let stages: Vec<Stage> = explained.steps.iter().map(|step| step.stage).collect();
    assert_eq!(stages, Stage::ALL);
    assert_eq!(explained.at.millis(), 2000);
    assert_eq!(
        explained.steps.last().unwrap().text,
        "The answer was delivered whole after 3,000 ms, with status 200: 1,200 tokens asked, 2 answered; 0.000015 USD."
    );
    assert_eq!(explained.summary, "It was answered as asked.");
}

#[test]
fn a_refusal_says_how_far_the_request_came() {
    let explained = Explanation::of(Some(refused(Stage::Latch, "Cut.")), None).unwrap();
    assert_eq!(explained.summary, "Cut.");
    assert_eq!(verdict(&explained, Stage::Identity), Verdict::Passed);
    assert_eq!(verdict(&explained, Stage::Policy), Verdict::NotReached);
    assert_eq!(verdict(&explained, Stage::Target), Verdict::NotReached);
    let explained = Explanation::of(Some(refused(Stage::Identity, "No such key.")), None);
    assert_eq!(
        verdict(&explained.unwrap(), Stage::Latch),
        Verdict::NotReached
    );
    let explained = Explanation::of(Some(refused(Stage::Budget, "Gone.")), None).unwrap();
    assert_eq!(verdict(&explained, Stage::Latch), Verdict::Passed);
    assert_eq!(verdict(&explained, Stage::Policy), Verdict::Passed);
}

#[test]
fn what_cut_an_answer_off_is_what_decided() {
    let mut cut = usage();
    cut.ended = Ended::Cut;
    cut.incident = Some("7".parse().unwrap());
    let explained = Explanation::of(None, Some(cut)).unwrap();
    assert!(explained.summary.contains("#7"), "{}", explained.summary);
    assert_eq!(verdict(&explained, Stage::Answer), Verdict::CutOff);
}

fn passed_over(after_ms: u64, stage: Stage, target: &str, text: &str) -> Step {
    let mut step = step(after_ms, stage, Verdict::PassedOver, text.to_owned());
    step.target = Some(target.parse().unwrap());
    step
}

#[test]
fn what_refused_every_target_is_said_once_and_by_whose_name() {
    let mut story = refused(Stage::Budget, "Gone.");
    story.consumer = Some("claw".parse().unwrap());
    let over = ["home", "away"].map(|target| passed_over(2, Stage::Budget, target, "Gone."));
    story.steps.splice(0..0, over);
    let explained = Explanation::of(Some(story), None).unwrap();
    let budget = explained
        .steps
        .iter()
        .filter(|it| it.stage == Stage::Budget);
    assert_eq!(budget.count(), 1, "{:?}", explained.steps);
    let mut identity = explained
        .steps
        .iter()
        .filter(|it| it.stage == Stage::Identity);
    let identity = identity.next().unwrap();
    assert_eq!(identity.text, "The key is that of `claw`.");
    assert_eq!(identity.rule.as_deref(), Some("claw"));
}

#[test]
fn within_a_millisecond_targets_stand_in_the_order_in_which_they_were_tried() {
    let mut story = refused(Stage::Target, "None gave an answer.");
    story.steps.splice(
        0..0,
        [
            passed_over(2, Stage::Target, "home", "`home` did not serve."),
            passed_over(2, Stage::Budget, "away", "Too little left."),
        ],
    );
    let explained = Explanation::of(Some(story), None).unwrap();
    let at_two = explained.steps.iter().filter(|it| it.after_ms == 2);
    let said: Vec<&str> = at_two.map(|it| it.text.as_str()).collect();
    assert_eq!(
        said,
        [
            "`home` did not serve.",
            "Not `away`: Too little left.",
            "None gave an answer."
        ]
    );
}

#[test]
fn what_was_slow_or_dear_says_so() {
    let summary = |change: fn(&mut UsageRecord)| {
        let mut usage = usage();
        change(&mut usage);
        Explanation::of(None, Some(usage)).unwrap().summary
    };
    assert_eq!(
        summary(|it| it.first_byte_ms = Some(6_276)),
        "It was answered as asked, but slowly: `home` gave its first byte after 6,276 ms."
    );
    assert_eq!(
        summary(|it| it.took_ms = 45_000),
        "It was answered as asked, but slowly: `home` took 45,000 ms for it."
    );
    assert_eq!(
        summary(|it| it.completion_tokens = 5_000),
        "It was answered as asked; it was dear: 6,200 tokens, for 0.000015 USD."
    );
    assert_eq!(
        summary(|it| it.cost = Some(MicroDollars(20_000))),
        "It was answered as asked; it was dear: 1,202 tokens, for 0.02 USD."
    );
}

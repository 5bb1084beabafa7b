use std::collections::BTreeMap;

use serde_json::{Value, json};
use sn1_actors::domain::Hotkey;
use sn1_actors::reward_scorer::closing::ClosingRules;
use sn1_actors::weight_setter::averages::take_step;

use super::*;
use crate::journal::read::JournalReader;

const ALPHA: f64 = 0.3;

fn key(n: usize) -> Hotkey {
    let letter = ["a", "b", "c", "d"][n];
    Hotkey::parse(&format!("5{}", letter.repeat(47))).unwrap()
}

fn rules() -> Value {
    let closing = serde_json::to_value(ClosingRules::default()).unwrap();
    let qa = json!({"rewards": [], "penalties": []});
    json!({"tasks": {"qa": qa}, "closing": closing, "moving_average_alpha": ALPHA, "embedder": "e"})
}

fn neurons(hotkeys: &[usize]) -> Value {
    let neuron = |(uid, n): (usize, &usize)| {
        json!({
            "uid": uid, "hotkey": key(*n), "coldkey": key(*n), "stake": 0.0, "axon": null,
            "validator_permit": false, "last_update": 0, "incentive": 0.0,
        })
    };
    let all: Vec<Value> = hotkeys.iter().enumerate().map(neuron).collect();
    json!({"netuid": 1, "block": 9, "neurons": all})
}

/// A journal in the making, and the validator that it is of.
#[derive(Default)]
struct Script {
    run: &'static str,
    seq: u64,
    lines: String,
    steps: u64,
    averages: BTreeMap<Hotkey, Score>,
}

impl Script {
    fn write(&mut self, event: &str, fields: Value) {
        let mut line = json!({
            "run_id": self.run, "seq": self.seq, "schema_version": 1, "time": 1.0, "event": event,
        });
        let fields = fields.as_object().unwrap().clone();
        line.as_object_mut().unwrap().extend(fields);
        self.lines += &format!("{line}\n");
        self.seq += 1;
    }

    fn begin(&mut self, run: &'static str) {
        (self.run, self.seq) = (run, 0);
        let (steps, averages) = (self.steps, self.averages.clone());
        self.write(
            "scoring_began",
            json!({"rules": rules(), "steps": steps, "averages": averages}),
        );
    }

    /// Every answer says what it is measured to be worth.
    fn score(&mut self, conversation: u64, rewards: &[(usize, f64)]) {
        let list = |of: fn(&(usize, f64)) -> Value| rewards.iter().map(of).collect::<Vec<_>>();
        let fields = json!({
            "conversation": conversation, "turn": 0, "task": "qa", "reference": "r",
            "static_reference": false, "challenge": "c", "uids": list(|(n, _)| json!(n)),
            "hotkeys": list(|(n, _)| json!(key(*n))),
            "completions": list(|(_, reward)| json!(reward.to_string())),
            "timings": list(|_| json!(0.5)), "arrivals": list(|_| json!(0.5)),
            "status_codes": list(|_| json!(200)), "rewards": list(|(_, reward)| json!(reward)),
        });
        self.write("step", fields);
    }

    fn move_averages(&mut self, conversation: u64, rewards: &[(usize, f64)]) {
        let rewards = rewards.iter().map(|(n, reward)| (key(*n), Score::new(*reward)));
        let averages = take_step(&mut self.averages, rewards, ALPHA);
        self.steps += 1;
        let fields = json!({
            "conversation": conversation, "turn": 0, "steps": self.steps, "averages": averages,
        });
        self.write("averages_moved", fields);
    }

    fn step(&mut self, conversation: u64, rewards: &[(usize, f64)]) {
        self.score(conversation, rewards);
        self.move_averages(conversation, rewards);
    }

    /// Weights of the averages so far.
    fn plan(&mut self, hotkeys: &[usize], weights: &[(usize, u16)]) {
        let list = |of: fn(&(usize, u16)) -> Value| weights.iter().map(of).collect::<Vec<_>>();
        let fields = json!({
            "metagraph": neurons(hotkeys),
            "uids": list(|(uid, _)| json!(uid)), "weights": list(|(_, weight)| json!(weight)),
            "rules": {
                "tempo": 9, "weights_rate_limit": 0, "min_allowed_weights": 1,
                "max_weight_limit": 65535, "weights_version": 0,
            },
        });
        self.write("weights_planned", fields);
    }

    fn set(&mut self, block: Option<u64>) {
        self.write(
            "weights_set",
            json!({"block": block, "uids": [], "weights": [], "error": null}),
        );
    }

    /// Replays it, with every reward multiplied by `factor` if there is one.
    fn replay(&self, factor: Option<f64>) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, &self.lines).unwrap();
        let mut reader = JournalReader::open(&path).unwrap();
        let mut replay = Replay::new(factor.is_some());
        let mut rules = None;
        while let Some(line) = reader.next_line().unwrap() {
            let mut totals = None;
            match &line {
                JournalLine::Event { event: Recorded::ScoringBegan(began), .. } => {
                    rules = Some(Arc::new(began.rules.clone()));
                }
                JournalLine::Event { event: Recorded::Step(step), .. } => {
                    let answers = step.answers().unwrap_or_default();
                    let answers = if step.texts_withheld { Vec::new() } else { answers };
                    let worth = |text: &str| text.parse::<f64>().unwrap() * factor.unwrap_or(1.0);
                    let all = answers.iter().map(|a| Score::new(worth(&a.reply.completion)));
                    totals = Some(all.collect::<Vec<_>>());
                }
                _ => {}
            }
            replay.take(line, rules.as_ref(), totals.as_deref());
        }
        replay.report()
    }
}

#[test]
fn what_was_recorded_comes_out_again() {
    let mut script = Script::default();
    script.begin("a");
    // Scored in one order, taken into the averages in another.
    script.score(0, &[(0, 0.1), (1, 0.7)]);
    script.score(1, &[(0, 0.9), (2, 0.3)]);
    script.move_averages(1, &[(0, 0.9), (2, 0.3)]);
    script.move_averages(0, &[(0, 0.1), (1, 0.7)]);
    let report = script.replay(None);
    let run = &report.runs[0];
    assert!(report.equal && run.state == RunState::Replayed, "{report:?}");
    assert_eq!((run.steps, run.answers, run.rewards.compared, run.averages.compared), (2, 4, 4, 2));
    assert_eq!(run.first_difference, None);
}

#[test]
fn what_a_user_s_answers_earned_is_taken_as_recorded_where_there_are_no_texts() {
    let mut script = Script::default();
    script.begin("a");
    script.step(0, &[(0, 0.1)]);
    let before = script.lines.len();
    script.step(1 << 48, &[(0, 0.9), (1, 0.3)]);
    let users = script.lines.split_off(before);
    let withheld = users.replace("\"0.9\",\"0.3\"", "\"\",\"\"").replace(
        "\"event\":\"step\"",
        "\"event\":\"step\",\"organic\":true,\"texts_withheld\":true",
    );
    script.lines += &withheld;
    script.step(1, &[(0, 0.2)]);
    let report = script.replay(None);
    let run = &report.runs[0];
    assert!(report.equal, "{report:?}");
    assert_eq!((run.steps, run.withheld, run.answers), (3, 1, 4));
    assert_eq!((run.rewards.compared, run.averages.compared), (2, 3));
    // By other rules they stay what they are, and count in the averages that the others move.
    let report = script.replay(Some(0.5));
    assert_eq!((report.runs[0].rewards.differ, report.runs[0].withheld), (2, 1));
    script.lines = script.lines.replace("[0.9,0.3]", "[9.0,0.3]");
    assert!(!script.replay(None).equal, "nothing earns so much");
}

#[test]
fn weights_come_of_the_averages_that_they_were_planned_from() {
    let mut script = Script::default();
    script.begin("a");
    script.step(0, &[(0, 0.5)]);
    script.plan(&[0, 1], &[(0, 65_535)]);
    script.step(1, &[(1, 1.0)]);
    script.plan(&[0, 1], &[(0, 32_768), (1, 65_535)]);
    let report = script.replay(None);
    assert_eq!(report.runs[0].weights, Compared { compared: 2, differ: 0 }, "{report:?}");
    let shares: Vec<f64> =
        report.runs[0].miners.iter().map(|m| m.weight.unwrap().replayed).collect();
    assert!((shares[1] - 2.0 / 3.0).abs() < 1e-4, "{shares:?}");
    script.plan(&[0, 1], &[(0, 32_767), (1, 65_535)]);
    let report = script.replay(None);
    let weight = Beside { recorded: 32_767, replayed: 32_768 };
    let (_, first) = report.first_difference().unwrap();
    assert!(matches!(first, Difference::Weight { weight: w, .. } if *w == weight), "{first:?}");
    assert_eq!((report.equal, report.runs[0].weights.differ), (false, 1));
}

#[test]
fn who_lost_its_slot_starts_from_nothing_once_weights_are_on_chain() {
    let story = |sent: &dyn Fn(&mut Script)| {
        let mut script = Script::default();
        script.begin("a");
        script.step(0, &[(0, 0.5), (1, 0.5)]);
        script.plan(&[0, 1], &[(0, 65_535), (1, 65_535)]);
        script.set(Some(10));
        // The other slot is a third one's now.
        script.step(1, &[(0, 0.5)]);
        script.plan(&[0, 2], &[(0, 65_535)]);
        sent(&mut script);
        script
    };
    let forgets = |script: &mut Script| {
        script.averages.remove(&key(1));
    };
    let mut forgotten = story(&|script| script.set(Some(11)));
    forgets(&mut forgotten);
    forgotten.step(2, &[(1, 0.5)]);
    assert!(forgotten.replay(None).equal);
    // Not on chain, and what was sent again after a crash: WeightSetter forgets nobody then.
    for sent in [
        (&|script: &mut Script| script.set(None)) as &dyn Fn(&mut Script),
        &|script| {
            script.set(None);
            script.set(Some(12));
        },
        &|script| {
            script.write("actor_crashed", json!({"actor": "weight_setter", "cause": ""}));
            script.set(Some(12));
        },
    ] {
        let mut kept = story(sent);
        kept.step(2, &[(1, 0.5)]);
        assert!(kept.replay(None).equal);
    }
}

#[test]
fn a_reward_that_differs_in_its_last_bit_is_found() {
    let mut script = Script::default();
    script.begin("a");
    script.step(0, &[(0, 0.1), (1, 0.7)]);
    let altered = f64::from_bits(0.7_f64.to_bits() + 1);
    let text = script.lines.replace("0.7]", &format!("{altered}]"));
    assert_ne!(text, script.lines);
    let report = Script { lines: text, ..script }.replay(None);
    let (run, first) = report.first_difference().unwrap();
    let Difference::Reward { conversation, uid, reward, .. } = first else { panic!("{first}") };
    assert_eq!((run, conversation.0, uid.0), ("a", 0, 1));
    assert_eq!(*reward, Beside { recorded: altered, replayed: 0.7 });
    assert!(first.to_string().contains("recorded 0.7000000000000001, replayed 0.7"), "{first}");
    assert_eq!((report.runs[0].rewards.differ, report.runs[0].averages.differ), (1, 0));
}

#[test]
fn by_other_rules_a_run_goes_on_from_what_the_run_before_it_would_have_left() {
    let steps: Vec<[(usize, f64); 2]> =
        (0..6_u8).map(|n| [(0, 0.1 * f64::from(n)), (1, 0.4)]).collect();
    let mut whole = Script::default();
    let mut parted = Script::default();
    whole.begin("a");
    parted.begin("a");
    for (at, rewards) in (0..).zip(&steps) {
        if at == 3 {
            parted.begin("b");
        }
        whole.step(at, rewards);
        parted.step(at, rewards);
    }
    let averages = |report: &Report| {
        let last = report.runs.last().unwrap();
        let mut all: Vec<_> = last.miners.iter().map(|m| (m.uid, m.average)).collect();
        all.sort_by_key(|(uid, _)| *uid);
        all
    };
    assert!(parted.replay(None).equal);
    let (whole, parted) = (whole.replay(Some(0.5)), parted.replay(Some(0.5)));
    assert_eq!(averages(&whole), averages(&parted));
    assert_eq!(parted.runs[1].continues.as_deref(), Some("a"));
    assert!(!whole.equal && whole.runs[0].averages.differ == 6);
    let Beside { recorded, replayed } = whole.runs[0].mean_reward.unwrap();
    assert!((recorded - 0.325).abs() < 1e-9 && (replayed - 0.1625).abs() < 1e-9);
}

#[test]
fn a_run_that_cannot_be_replayed_says_why() {
    let mut script = Script { run: "a", ..Script::default() };
    script.step(0, &[(0, 0.5)]);
    script.run = "b";
    script.write("served", json!({}));
    script.run = "c";
    script.write("scoring_began", json!({"rules": {}, "steps": 0, "averages": {}}));
    script.step(0, &[(0, 0.5)]);
    let report = script.replay(None);
    let states: Vec<&RunState> = report.runs.iter().map(|run| &run.state).collect();
    assert_eq!(states[..2], [&RunState::RulesMissing, &RunState::NothingScored]);
    assert!(matches!(states[2], RunState::RulesUnknown(cause) if cause.contains("tasks")));
    assert!(!report.is_replayed());
}

#[test]
fn a_turn_that_is_not_whole_or_went_nowhere_is_a_difference() {
    let story = |alter: &dyn Fn(&mut Script)| {
        let mut script = Script::default();
        script.begin("a");
        script.step(0, &[(0, 0.5)]);
        alter(&mut script);
        script.step(2, &[(0, 0.5)]);
        let report = script.replay(None);
        assert!(!report.equal, "{report:?}");
        report.first_difference().unwrap().1.to_string()
    };
    let told = story(&|script| script.move_averages(1, &[(0, 0.5)]));
    assert!(told.contains("conversation 1") && told.contains("not scored before"), "{told}");
    let told = story(&|script| {
        script.steps += 1;
        script.seq += 2;
    });
    assert!(told.contains("conversation 2") && told.contains("step 2 is missing"), "{told}");
    let told = story(&|script| script.write("step", json!({"conversation": 1})));
    assert!(told.contains("line 4") && told.contains("missing field"), "{told}");
    let told = story(&|script| {
        script.score(1, &[(0, 0.5)]);
        let cut = script.lines.replace(
            "\"arrivals\":[0.5],\"challenge\":\"c\",\"completions\":[\"0.5\"],\"conversation\":1",
            "\"arrivals\":[],\"challenge\":\"c\",\"completions\":[\"0.5\"],\"conversation\":1",
        );
        assert_ne!(cut, script.lines);
        script.lines = cut;
    });
    assert!(told.contains("conversation 1") && told.contains("not whole"), "{told}");
}

#[test]
fn events_that_were_never_written_are_a_gap_and_no_difference() {
    let all = |script: &mut Script| {
        script.begin("a");
        script.step(0, &[(0, 0.5), (1, 0.4)]);
        // Two lines of the first and one of the second are not written.
        let written = script.lines.len();
        script.step(1, &[(0, 0.9), (1, 0.3)]);
        script.score(2, &[(1, 0.8)]);
        script.lines.truncate(written);
        script.write("events_missing", json!({"missing": 3, "seconds": 9.5, "cause": "no room"}));
        // Whose averages these are is not there any more, so nobody's are known.
        script.move_averages(2, &[(1, 0.8)]);
        script.plan(&[0, 1], &[(0, 65_535), (1, 40_000)]);
        script.step(3, &[(0, 0.1)]);
        script.step(4, &[(0, 0.0), (1, 0.0)]);
    };
    let mut script = Script::default();
    all(&mut script);
    let report = script.replay(None);
    let run = &report.runs[0];
    assert!(report.equal, "{report:?}");
    assert_eq!((run.missing_lines, run.unwritten), (0, 3));
    assert_eq!(run.unwritten_cause.as_deref(), Some("no room"));
    // The moves of 2, 3 and 4, and the weights.
    assert_eq!((run.not_compared, run.averages.compared, run.weights.compared), (4, 1, 0));

    // From there on everything is compared again.
    let mut after = Script::default();
    all(&mut after);
    after.step(5, &[(0, 0.6), (1, 0.2)]);
    let report = after.replay(None);
    let run = &report.runs[0];
    assert!(report.equal, "{report:?}");
    assert_eq!((run.not_compared, run.averages.compared), (4, 2));
    // A second gap makes them unknown again.
    let written = after.lines.len();
    after.step(6, &[(0, 0.9)]);
    after.lines.truncate(written);
    after.write("events_missing", json!({"missing": 2, "seconds": 1.0, "cause": "no room"}));
    after.step(7, &[(0, 0.6), (1, 0.2)]);
    let report = after.replay(None);
    assert!(report.equal, "{report:?}");
    assert_eq!((report.runs[0].unwritten, report.runs[0].not_compared), (5, 5));
    after.averages.insert(key(1), Score::new(0.9));
    after.step(8, &[(0, 0.6), (1, 0.2)]);
    after.plan(&[0, 1], &[(0, 65_535)]);
    let report = after.replay(None);
    assert!(!report.equal && report.runs[0].averages.differ == 1, "{report:?}");
    assert_eq!(report.runs[0].weights, Compared { compared: 1, differ: 1 });

    let silent = script.lines.replace("events_missing", "anything_else");
    assert!(!Script { lines: silent, ..script }.replay(None).equal, "lines are missing");
}

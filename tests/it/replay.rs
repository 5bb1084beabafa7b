//! `sn1 replay`: a run's scores and weights, again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::Place;

/// Short blocks and epochs, so that weights are set while steps are scored.
const RUN: &str = "localnet --model fake --localnet.block_time 0.2 --localnet.tempo 9 \
                   --neuron.timeout 2";

fn write(place: &Place, name: &str, lines: &[Value]) {
    let text = lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    });
    place.write(name, &text);
}

fn of<'a>(journal: &'a [Value], event: &str) -> Vec<&'a Value> {
    journal.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn a_run_of_40_steps_with_8_in_flight_comes_out_again_to_the_last_bit() {
    let place = Place::new();
    place.run(&format!("{RUN} --steps 40 --in-flight 8 --seed 7 --journal j.jsonl")).expect(0);
    let journal = place.lines("j.jsonl");

    let report = place.run("replay j.jsonl --json").json();
    assert_eq!((&report["equal"], &report["torn"]), (&json!(true), &json!(false)), "{report}");
    let run = &report["runs"][0];
    assert_eq!((&run["run_id"], &run["state"]), (&journal[0]["run_id"], &json!("replayed")));
    assert_eq!((&run["steps"], &run["averages"]["compared"]), (&json!(40), &json!(40)), "{run}");
    let plans = of(&journal, "weights_planned").len();
    assert!(plans > 2 && run["weights"]["compared"] == plans, "{plans} plans: {run}");
    let earned: f64 = run["mean_reward"]["replayed"].as_f64().unwrap();
    assert!(earned > 0.0, "{run}");
    for compared in ["rewards", "averages", "weights"] {
        assert_eq!(run[compared]["differ"], 0, "{run}");
    }
    let shown = place.run("replay j.jsonl").expect(0).out;
    assert!(shown.contains("40 steps") && shown.contains("all equal"), "{shown}");

    one_bit_of_a_reward_is_noticed(&place, journal.clone());
    what_is_cut_off_is_left_out(&place);
    other_rules_show_what_would_have_been(&place);
    a_moved_file_is_read_first(&place, &journal);
}

fn one_bit_of_a_reward_is_noticed(place: &Place, mut journal: Vec<Value>) {
    let paid = |step: &Value| {
        let mut rewards = step["rewards"].as_array().into_iter().flatten();
        rewards.position(|reward| reward.as_f64().unwrap() > 0.0)
    };
    let mut steps = journal.iter_mut().filter(|line| line["event"] == "step");
    let step = steps.rfind(|step| paid(step).is_some()).unwrap();
    let at = paid(step).unwrap();
    let rewards = step["rewards"].as_array_mut().unwrap();
    let reward = rewards[at].as_f64().unwrap();
    let altered = f64::from_bits(reward.to_bits() - 1);
    rewards[at] = json!(altered);
    let (conversation, turn) = (&step["conversation"], &step["turn"]);
    let told = format!(
        "the reward of uid {} in turn {turn} of conversation {conversation}: recorded {altered}, \
         replayed {reward}",
        step["uids"][at]
    );
    write(place, "altered.jsonl", &journal);
    let ended = place.run("replay altered.jsonl --json");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let run = &report["runs"][0];
    assert_eq!((&report["equal"], &run["rewards"]["differ"]), (&json!(false), &json!(1)), "{run}");
    assert_eq!(run["first_difference"]["recorded"], altered, "{run}");
    ended.refused(8, &[&told]);
}

fn what_is_cut_off_is_left_out(place: &Place) {
    let text = std::fs::read_to_string(place.path("j.jsonl")).unwrap();
    place.write("torn.jsonl", text.get(..text.len() - 9).unwrap());
    let report = place.run("replay torn.jsonl --json").json();
    assert_eq!((&report["equal"], &report["torn"]), (&json!(true), &json!(true)), "{report}");
    assert_eq!(report["runs"][0]["steps"], 40);
}

fn other_rules_show_what_would_have_been(place: &Place) {
    let mix = "[neuron]\nmoving_average_alpha = 0.5\n[rewards]\ncopies = \"off\"\n\
               [[tasks.math.rewards]]\nname = \"exact\"\nweight = 1.0\n\
               [[tasks.qa.rewards]]\nname = \"rouge_l\"\nweight = 1.0\n";
    place.write("mix.toml", mix);
    let report = place.run("replay j.jsonl --config mix.toml --json").json();
    let changed =
        ["neuron.moving_average_alpha", "rewards.copies", "tasks.math.rewards", "tasks.qa.rewards"];
    assert_eq!(
        (&report["equal"], &report["changed"]),
        (&json!(false), &json!(changed)),
        "{report}"
    );
    let run = &report["runs"][0];
    assert!(run["rewards"]["differ"].as_u64().unwrap() > 0, "{run}");
    assert!(run["averages"]["differ"].as_u64().unwrap() > 0, "{run}");
    let mean = &run["mean_reward"];
    assert_ne!(mean["recorded"], mean["replayed"], "{run}");
    let weight = |of: &str| {
        let miners = run["miners"].as_array().unwrap().iter();
        miners.map(|miner| miner["weight"][of].as_f64().unwrap()).sum::<f64>()
    };
    assert!((weight("recorded") - 1.0).abs() < 1e-9 && (weight("replayed") - 1.0).abs() < 1e-9);
    let shown = place.run("replay j.jsonl --config mix.toml").expect(0).out;
    assert!(shown.contains("changed  neuron.moving") && shown.contains("replayed"), "{shown}");
    // What does not bear on scoring changes nothing.
    place.write("other.toml", "[neuron]\nsample_size = 3\n");
    let report = place.run("replay j.jsonl --config other.toml --json").json();
    assert_eq!((&report["equal"], &report["changed"]), (&json!(true), &json!([])), "{report}");
}

fn a_moved_file_is_read_first(place: &Place, journal: &[Value]) {
    let (older, newer) = journal.split_at(journal.len() / 2);
    write(place, "moved.jsonl.1", older);
    write(place, "moved.jsonl", newer);
    let report = place.run("replay moved.jsonl --json").json();
    assert_eq!((&report["equal"], &report["runs"][0]["steps"]), (&json!(true), &json!(40)));
    write(place, "alone.jsonl", newer);
    let ended = place.run("replay alone.jsonl");
    assert!(
        ended.out.contains("its beginning, with its rules and averages, is in"),
        "{}",
        ended.out
    );
    ended.refused(4, &["no run of the journal `alone.jsonl` can be replayed"]);
}

#[test]
fn the_runs_of_one_journal_are_replayed_each_from_the_averages_that_it_found() {
    let place = Place::new();
    for seed in [7, 8] {
        place
            .run(&format!(
                "{RUN} --steps 4 --seed {seed} --localnet.miners agent,echo,phrase \
                            --journal j.jsonl"
            ))
            .expect(0);
    }
    let report = place.run("replay j.jsonl --json").json();
    let steps: Vec<_> =
        report["runs"].as_array().unwrap().iter().map(|run| &run["steps"]).collect();
    assert_eq!((&report["equal"], steps), (&json!(true), vec![&json!(4), &json!(4)]), "{report}");

    // The second run as if it had kept the state of the first: as a validator that is started again.
    let place = Place::new();
    place.run(&format!("{RUN} --steps 6 --in-flight 1 --seed 7 --journal whole.jsonl")).expect(0);
    let whole = place.lines("whole.jsonl");
    write(&place, "parted.jsonl", &started_again_after(3, &whole));
    let report = place.run("replay parted.jsonl --json").json();
    assert_eq!(
        (&report["equal"], &report["runs"][1]["steps"]),
        (&json!(true), &json!(3)),
        "{report}"
    );
    place.write("alpha.toml", "[neuron]\nmoving_average_alpha = 0.5\n");
    let last_averages = |journal: &str| {
        let report = place.run(&format!("replay {journal} --config alpha.toml --json")).json();
        let miners = report["runs"].as_array().unwrap().last().unwrap()["miners"].clone();
        let average = |miner: &Value| (miner["uid"].as_u64(), miner["average"].clone());
        miners.as_array().unwrap().iter().map(average).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(last_averages("whole.jsonl"), last_averages("parted.jsonl"));
}

/// A run as two, of which the second begins after so many steps with what the first left.
fn started_again_after(steps: u64, whole: &[Value]) -> Vec<Value> {
    let mut averages = BTreeMap::new();
    let (mut parted, mut hotkeys, mut seq) = (Vec::new(), Value::Null, None::<u64>);
    for line in whole {
        let mut line = line.clone();
        if let Some(seq) = &mut seq {
            *seq += 1;
            (line["run_id"], line["seq"]) = (json!("again"), json!(*seq));
        }
        if line["event"] == "step" {
            hotkeys = line["hotkeys"].clone();
        }
        let ends = line["event"] == "averages_moved" && line["steps"] == steps;
        if line["event"] == "averages_moved" {
            let moved =
                hotkeys.as_array().unwrap().iter().zip(line["averages"].as_array().unwrap());
            averages.extend(
                moved.map(|(key, average)| (key.as_str().unwrap().to_owned(), average.clone())),
            );
        }
        parted.push(line);
        if ends {
            let mut began = of(whole, "scoring_began")[0].clone();
            (began["run_id"], began["seq"], seq) = (json!("again"), json!(0), Some(0));
            (began["steps"], began["averages"]) = (json!(steps), json!(averages));
            parted.push(began);
        }
    }
    parted
}

#[test]
fn what_is_no_journal_is_refused() {
    let place = Place::new();
    place.run("replay none.jsonl").refused(4, &["none.jsonl", "there is no such file"]);
    place.write("empty.jsonl", "");
    place.run("replay empty.jsonl").refused(4, &["no run of the journal `empty.jsonl`"]);
    place.write("other.txt", "a\nb\n");
    let ended = place.run("replay other.txt");
    assert!(ended.out.contains("2 lines are none of a journal"), "{}", ended.out);
    ended.refused(4, &["can be replayed"]);
}

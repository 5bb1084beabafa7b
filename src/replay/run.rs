//! One run of a journal: what was recorded, and what the replay comes to beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sn1_actors::domain::{ConversationId, Hotkey, Hyperparameters, Metagraph, Score, Turn, Uid};
use sn1_actors::reward_scorer::closing::{self, Candidate};
use sn1_actors::reward_scorer::rules::ScoringRules;
use sn1_actors::text::shown::shown;
use sn1_actors::weight_setter::emit::mend::mended;
use sn1_actors::weight_setter::emit::{Emission, emission};

use super::report::{Beside, Compared, Difference, MinerReport, RunReport, RunState};
use super::standing::Standing;
use crate::journal::read::LinePlace;
use crate::journal::recorded::{
    Answered, AveragesMoved, EventsMissing, Recorded, ScoringBegan, Step, WeightsPlanned,
};

/// Scored turns that may wait to be taken into the averages.
const MOST_WAITING: usize = 65_536;
/// The actor that sets weights, as the journal names it.
const WEIGHT_SETTER: &str = "weight_setter";

/// What an answer earned, by the journal and by the replay.
struct Earned {
    uid: Uid,
    hotkey: Hotkey,
    recorded: f64,
    replayed: Score,
}

impl Earned {
    fn beside(&self) -> Beside<f64> {
        Beside { recorded: self.recorded, replayed: self.replayed.get() }
    }
}

/// A miner's rewards so far.
struct Tally {
    uid: Uid,
    asked: u64,
    sums: Beside<f64>,
}

/// Events that were never written, and what is known again after them.
#[derive(Default)]
struct Gap {
    events: u64,
    cause: String,
    /// Whose averages were told after it. What happened in it to anybody else's nobody knows.
    known: BTreeSet<Hotkey>,
    /// Steps may have been taken in it into the averages: the next number of a step may be any.
    recent: bool,
}

/// The weights that were planned last, by hotkey.
type Weights = BTreeMap<Hotkey, Beside<u16>>;

/// A run while it is replayed.
pub(super) struct Run {
    id: String,
    rules: Option<Arc<ScoringRules>>,
    /// Why its rules cannot be read.
    unknown: Option<String>,
    continues: Option<String>,
    next_seq: u64,
    missing: u64,
    gap: Option<Gap>,
    not_compared: u64,
    recorded: Standing,
    replayed: Standing,
    waiting: BTreeMap<(ConversationId, Turn), Vec<Earned>>,
    /// Who was on the subnet when weights were worked out that have not been sent.
    planned: Option<Metagraph>,
    steps: u64,
    /// Steps without their texts.
    withheld: u64,
    rewards: Compared,
    largest: f64,
    moves: Compared,
    settings: Compared,
    /// Turns that could not be scored, or moved no average that is known.
    lost: u64,
    first: Option<Difference>,
    miners: BTreeMap<Hotkey, Tally>,
    weights: Option<Weights>,
}

impl Run {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            rules: None,
            unknown: None,
            continues: None,
            next_seq: 0,
            missing: 0,
            gap: None,
            not_compared: 0,
            recorded: Standing::default(),
            replayed: Standing::default(),
            waiting: BTreeMap::new(),
            planned: None,
            steps: 0,
            withheld: 0,
            rewards: Compared::default(),
            largest: 0.0,
            moves: Compared::default(),
            settings: Compared::default(),
            lost: 0,
            first: None,
            miners: BTreeMap::new(),
            weights: None,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Notes the number of its next line.
    pub(super) fn count(&mut self, seq: u64) {
        self.missing = self.missing.saturating_add(seq.saturating_sub(self.next_seq));
        self.next_seq = seq.saturating_add(1);
    }

    /// Its name and what the replay left, if that is what another run found by the journal.
    pub(super) fn left(&self, found: &ScoringBegan) -> Option<(String, BTreeMap<Hotkey, Score>)> {
        let same = self.recorded.steps == found.steps && self.recorded.averages == found.averages;
        (same && found.steps > 0).then(|| (self.id.clone(), self.replayed.averages.clone()))
    }

    /// Starts from the averages that it found, or from those that a run before it left.
    pub(super) fn begin(
        &mut self,
        began: &ScoringBegan,
        rules: Arc<ScoringRules>,
        taken_up: Option<(String, BTreeMap<Hotkey, Score>)>,
    ) {
        let found = began.averages.clone();
        self.recorded = Standing::of(found.clone(), began.steps);
        let (continues, averages) = taken_up.map_or((None, found), |(id, left)| (Some(id), left));
        self.replayed = Standing::of(averages, began.steps);
        self.continues = continues;
        self.rules = Some(rules);
    }

    pub(super) fn apply(&mut self, event: Recorded, totals: Option<&[Score]>) {
        match event {
            Recorded::Step(step) => self.step(&step, totals),
            Recorded::AveragesMoved(moved) => self.averages_moved(&moved),
            Recorded::WeightsPlanned(plan) => self.weights_planned(*plan),
            // Only what was sent for the first time is known to be on chain as it was planned.
            Recorded::WeightsSet(set) => {
                if let Some(metagraph) = self.planned.take().filter(|_| set.block.is_some()) {
                    self.recorded.forget_the_replaced(&metagraph);
                    self.replayed.forget_the_replaced(&metagraph);
                }
            }
            Recorded::ActorCrashed(crashed) if crashed.actor == WEIGHT_SETTER => {
                self.planned = None;
            }
            Recorded::EventsMissing(missing) => self.events_missing(&missing),
            Recorded::ScoringBegan(_) | Recorded::ActorCrashed(_) | Recorded::Other => {}
        }
    }

    /// So many events before this one are not there, and it is known why: what they did is taken as
    /// the lines after them tell.
    fn events_missing(&mut self, missing: &EventsMissing) {
        self.missing = self.missing.saturating_sub(missing.missing);
        self.planned = None;
        let gap = self.gap.get_or_insert_default();
        gap.events = gap.events.saturating_add(missing.missing);
        gap.cause = shown(&missing.cause);
        gap.known.clear();
        gap.recent = true;
    }

    /// An event of it cannot be read.
    pub(super) fn apply_malformed(&mut self, event: &str, place: &LinePlace, cause: String) {
        if event == "scoring_began" {
            self.unknown = Some(cause);
            return;
        }
        self.steps += u64::from(event == "step");
        let LinePlace { file, number } = place;
        let cause = format!("line {number} of {}, `{event}`: {cause}", file.display());
        self.lose(None, cause);
    }

    fn step(&mut self, step: &Step, totals: Option<&[Score]>) {
        self.steps += 1;
        let Some(rules) = self.rules.clone() else { return };
        let at = (step.conversation, step.turn);
        let Some((answers, rewards)) = rewards(&rules, step, totals) else {
            let cause = "its answers are not whole, or its run has no rules for its task";
            return self.lose(Some(at), cause.to_owned());
        };
        self.withheld += u64::from(step.texts_withheld);
        let mut all = Vec::with_capacity(answers.len());
        for (answer, replayed) in answers.into_iter().zip(rewards) {
            let Answered { uid, hotkey, reward: recorded, .. } = answer;
            let earned = Earned { uid, hotkey, recorded, replayed };
            // What cannot be measured again differs only if it is no reward at all.
            if !step.texts_withheld || !same_bits(earned.beside()) {
                self.compare(at, &earned);
            }
            self.count_reward(&earned);
            all.push(earned);
        }
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_first();
        }
        self.waiting.insert(at, all);
    }

    fn compare(&mut self, (conversation, turn): (ConversationId, Turn), earned: &Earned) {
        let (uid, reward) = (earned.uid, earned.beside());
        let differs = !same_bits(reward);
        self.rewards.add(differs);
        self.largest = self.largest.max(reward.distance());
        if differs {
            self.first.get_or_insert(Difference::Reward { conversation, turn, uid, reward });
        }
    }

    fn count_reward(&mut self, earned: &Earned) {
        let (uid, reward) = (earned.uid, earned.beside());
        let none = Beside { recorded: 0.0, replayed: 0.0 };
        let tally = self.miners.entry(earned.hotkey.clone());
        let tally = tally.or_insert(Tally { uid, asked: 0, sums: none });
        tally.uid = uid;
        tally.asked += 1;
        tally.sums.recorded += reward.recorded;
        tally.sums.replayed += reward.replayed;
    }

    fn averages_moved(&mut self, moved: &AveragesMoved) {
        let Some(rules) = self.rules.clone() else { return };
        let (conversation, turn) = (moved.conversation, moved.turn);
        let at = Some((conversation, turn));
        let after_gap = self.gap.as_mut().is_some_and(|gap| std::mem::take(&mut gap.recent));
        let Some(earned) = self.waiting.remove(&(conversation, turn)) else {
            let Some(gap) = &mut self.gap else {
                return self.lose(at, "it moved averages, and was not scored before".to_owned());
            };
            // Its step is in the gap, and so is whose averages these are.
            gap.known.clear();
            self.not_compared += 1;
            (self.recorded.steps, self.replayed.steps) = (moved.steps, moved.steps);
            return;
        };
        if !after_gap && self.replayed.steps.saturating_add(1) != moved.steps {
            self.lose(at, format!("step {} is missing before it", moved.steps.saturating_sub(1)));
        }
        let recorded = moved.averages.iter().map(|average| Score::new(*average));
        let hotkeys = earned.iter().map(|earned| earned.hotkey.clone());
        self.recorded.adopt(moved.steps, hotkeys.zip(recorded));
        let rewards = earned.iter().map(|earned| (earned.hotkey.clone(), earned.replayed));
        let alpha = rules.moving_average_alpha;
        let averages = self.replayed.take(moved.steps, rewards, alpha);
        self.compare_averages(moved, &averages, &earned);
    }

    fn compare_averages(&mut self, moved: &AveragesMoved, averages: &[Score], earned: &[Earned]) {
        let (conversation, turn) = (moved.conversation, moved.turn);
        let is_known = |hotkey| self.gap.as_ref().is_none_or(|gap| gap.known.contains(hotkey));
        let pairs = moved.averages.iter().zip(averages);
        let pairs = pairs.map(|(a, b)| Beside { recorded: *a, replayed: b.get() });
        let mut known = pairs.zip(earned).filter(|(_, earned)| is_known(&earned.hotkey));
        let differing = known.find(|(average, _)| !same_bits(*average));
        let differs = differing.is_some() || averages.len() != moved.averages.len();
        let all_known = earned.iter().all(|earned| is_known(&earned.hotkey));
        if differs || all_known {
            self.moves.add(differs);
        } else {
            self.not_compared += 1;
        }
        if averages.len() != moved.averages.len() {
            let cause = "it moved another number of averages".to_owned();
            self.first.get_or_insert(Difference::Step {
                conversation: Some(conversation),
                turn: Some(turn),
                cause,
            });
        }
        if let Some((average, earned)) = differing {
            let uid = earned.uid;
            self.first.get_or_insert(Difference::Average { conversation, turn, uid, average });
        }
        let Some(gap) = &mut self.gap else { return };
        for (earned, average) in earned.iter().zip(&moved.averages) {
            if gap.known.insert(earned.hotkey.clone()) {
                self.replayed.averages.insert(earned.hotkey.clone(), Score::new(*average));
            }
        }
    }

    fn weights_planned(&mut self, plan: WeightsPlanned) {
        if self.rules.is_none() {
            return;
        }
        let WeightsPlanned { metagraph, rules, uids, weights } = plan;
        let (new_uids, new_weights) = as_sent(&self.replayed.averages, &metagraph, &rules);
        let differs = (&uids, &weights) != (&new_uids, &new_weights);
        let recorded: BTreeMap<Uid, u16> = uids.into_iter().zip(weights).collect();
        let replayed: BTreeMap<Uid, u16> = new_uids.into_iter().zip(new_weights).collect();
        if !self.knows_all(&metagraph, &recorded) {
            self.not_compared += 1;
            self.planned = Some(metagraph);
            return;
        }
        self.settings.add(differs);
        let mut all = Weights::new();
        for neuron in &metagraph.neurons {
            let weight = |of: &BTreeMap<Uid, u16>| of.get(&neuron.uid).copied().unwrap_or(0);
            let weight = Beside { recorded: weight(&recorded), replayed: weight(&replayed) };
            if weight.recorded != weight.replayed {
                let (block, uid) = (metagraph.block, neuron.uid);
                self.first.get_or_insert(Difference::Weight { block, uid, weight });
            }
            all.insert(neuron.hotkey.clone(), weight);
        }
        self.weights = Some(all);
        self.planned = Some(metagraph);
    }

    /// Whether the averages of everyone who has one, or got a weight, are known again after a gap.
    fn knows_all(&self, metagraph: &Metagraph, weights: &BTreeMap<Uid, u16>) -> bool {
        let Some(gap) = &self.gap else { return true };
        let counts = |uid: &Uid, hotkey: &Hotkey| {
            weights.get(uid).is_some_and(|weight| *weight > 0)
                || self.replayed.averages.get(hotkey).is_some_and(|average| average.get() > 0.0)
        };
        let mut counting = metagraph.neurons.iter().filter(|one| counts(&one.uid, &one.hotkey));
        counting.all(|neuron| gap.known.contains(&neuron.hotkey))
    }

    fn lose(&mut self, at: Option<(ConversationId, Turn)>, cause: String) {
        if self.rules.is_none() {
            return;
        }
        self.lost += 1;
        let (conversation, turn) = at.unzip();
        self.first.get_or_insert(Difference::Step { conversation, turn, cause });
    }

    /// Whether all of it that was replayed is as it was recorded.
    pub(super) fn is_equal(&self) -> bool {
        let compared = [self.rewards, self.moves, self.settings];
        // Of a run that cannot be replayed nothing is said.
        let whole = self.missing == 0 || self.rules.is_none();
        whole && self.lost == 0 && compared.iter().all(|compared| compared.differ == 0)
    }

    fn state(&self) -> RunState {
        match (&self.rules, &self.unknown) {
            (Some(_), _) => RunState::Replayed,
            (None, Some(cause)) => RunState::RulesUnknown(cause.clone()),
            (None, None) if self.steps == 0 => RunState::NothingScored,
            (None, None) => RunState::RulesMissing,
        }
    }

    pub(super) fn report(self) -> RunReport {
        let mut miners: Vec<MinerReport> =
            self.miners.iter().map(|(hotkey, tally)| self.miner(hotkey, tally)).collect();
        miners.sort_by(|a, b| {
            let (a_change, b_change) = (a.change(), b.change());
            let largest_first = b_change.partial_cmp(&a_change);
            largest_first.unwrap_or(std::cmp::Ordering::Equal).then(a.uid.cmp(&b.uid))
        });
        let asked: u64 = self.miners.values().map(|tally| tally.asked).sum();
        let sum = |of: fn(&Beside<f64>) -> f64| -> f64 {
            self.miners.values().map(|tally| of(&tally.sums)).sum()
        };
        let sums = Beside { recorded: sum(|s| s.recorded), replayed: sum(|s| s.replayed) };
        RunReport {
            state: self.state(),
            run_id: self.id,
            continues: self.continues,
            steps: self.steps,
            withheld: self.withheld,
            answers: asked,
            missing_lines: self.missing,
            unwritten: self.gap.as_ref().map_or(0, |gap| gap.events),
            unwritten_cause: self.gap.map(|gap| gap.cause),
            not_compared: self.not_compared,
            rewards: self.rewards,
            largest_difference: self.largest,
            averages: self.moves,
            weights: self.settings,
            mean_reward: (asked > 0).then(|| mean(sums, asked)),
            first_difference: self.first,
            miners,
        }
    }

    fn miner(&self, hotkey: &Hotkey, tally: &Tally) -> MinerReport {
        let average = |of: &Standing| of.averages.get(hotkey).map(|average| average.get());
        MinerReport {
            uid: tally.uid,
            hotkey: hotkey.clone(),
            asked: tally.asked,
            mean_reward: mean(tally.sums, tally.asked),
            average: Beside {
                recorded: average(&self.recorded),
                replayed: average(&self.replayed),
            },
            weight: self.weights.as_ref().map(|weights| share(weights, hotkey)),
        }
    }
}

/// The answers of a step with what each earns by the rules, or what it was recorded to earn where
/// there are no texts to measure; none if its answers are not whole or there is no rule for it.
fn rewards(
    rules: &ScoringRules,
    step: &Step,
    totals: Option<&[Score]>,
) -> Option<(Vec<Answered>, Vec<Score>)> {
    let answers = step.answers()?;
    let rewards = if step.texts_withheld {
        answers.iter().map(|answer| Score::new(answer.reward)).collect()
    } else {
        let (totals, measures) = (totals?, rules.tasks.get(&step.task)?);
        let candidates: Vec<Candidate<'_>> =
            answers.iter().zip(totals).map(|(answer, total)| candidate(answer, *total)).collect();
        let verdicts = closing::close(&rules.closing, measures, &candidates);
        verdicts.into_iter().map(|verdict| verdict.reward).collect()
    };
    Some((answers, rewards))
}

fn candidate(answered: &Answered, total: Score) -> Candidate<'_> {
    Candidate {
        uid: answered.uid,
        completion: &answered.reply.completion,
        total,
        elapsed: answered.reply.elapsed,
        arrived: answered.arrived,
    }
}

fn same_bits(numbers: Beside<f64>) -> bool {
    numbers.recorded.to_bits() == numbers.replayed.to_bits()
}

/// The weights that averages come to, as WeightSetter works them out; none of nothing earned.
fn as_sent(
    averages: &BTreeMap<Hotkey, Score>,
    metagraph: &Metagraph,
    rules: &Hyperparameters,
) -> (Vec<Uid>, Vec<u16>) {
    let earned = emission(averages, metagraph, rules);
    match mended(earned, averages, metagraph, rules) {
        Emission::Weights { uids, values } => (uids, values),
        Emission::NothingEarned => (Vec::new(), Vec::new()),
    }
}

fn mean(sums: Beside<f64>, count: u64) -> Beside<f64> {
    let count = count.max(1) as f64;
    Beside { recorded: sums.recorded / count, replayed: sums.replayed / count }
}

/// A hotkey's part of all weights.
fn share(weights: &Weights, hotkey: &Hotkey) -> Beside<f64> {
    let part = |of: fn(&Beside<u16>) -> u16| {
        let sum: u64 = weights.values().map(|weight| u64::from(of(weight))).sum();
        let own = weights.get(hotkey).map_or(0, of);
        f64::from(own) / (sum.max(1) as f64)
    };
    Beside { recorded: part(|weight| weight.recorded), replayed: part(|weight| weight.replayed) }
}

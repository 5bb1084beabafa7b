//! Assistant through its port, on virtual time: what each kind answers, in pieces and in time.

#![expect(clippy::expect_used, reason = "test code outside of a test function")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, pending};
use rand_chacha::ChaCha8Rng;
use sn1_actors::assistant::RespondError;
use sn1_actors::assistant::{Assistant, AssistantConfig, AssistantDeps, Kind, Respond};
use sn1_actors::domain::{
    Context, ContextBody, FinishReason, Generation, Query, Role, Sampling, Section, SourceKind,
};
use sn1_actors::model_worker::TextSource;
use sn1_actors::model_worker::scheduler::SchedulerConfig;
use sn1_actors::model_worker::stand_in::{ServiceRate, StandInDevice};
use sn1_actors::ports::{Piece, TextBackend, TextError, TextRequest, Tool, ToolError, Want};
use sn1_actors::runtime::{Inbox, Port, RestartPolicy, Topology};
use sn1_actors::testkit::{Stage, context};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::{ModelParts, ToolParts, start_shared};
use tokio::sync::mpsc;

const TIMEOUT: Duration = Duration::from_secs(20);
const REEF: &str = "A reef is built by small animals in warm water. It shelters a quarter of all \
                    species of the sea. The reef was declared a park on 20 October 1975.";

const SOUND: &str = "def mean(values):\n    if not values:\n        return 0\n    total = \
                     sum(values)\n    return total / len(values)\n";

/// Writes what it is made of, or `all` that it was told; nothing, and never, if that is empty.
struct Writer(&'static str);

impl TextBackend for Writer {
    fn generate(
        &self,
        request: TextRequest,
        _: Option<mpsc::Sender<Piece>>,
    ) -> BoxFuture<'static, Result<Generation, TextError>> {
        let all: Vec<String> = request.messages.into_iter().map(|one| one.content).collect();
        let text = if self.0 == "all" { all.join("|") } else { self.0.to_owned() };
        Box::pin(async move {
            match text.as_str() {
                "" => pending().await,
                "dead" => Err(TextError::Unavailable("refused".into())),
                _ => Ok(Generation {
                    text,
                    prompt_ids: Vec::new(),
                    generated_ids: Vec::new(),
                    billed_tokens: None,
                    finish_reason: FinishReason::Stop,
                    queued: Duration::ZERO,
                    prefill: Duration::ZERO,
                    decode: Duration::ZERO,
                }),
            }
        })
    }

    fn capacity(&self) -> usize {
        8
    }
}

/// Has one context of each kind, if it is there at all; and if it is not, takes for ever to say so.
struct Shelf(bool);

impl Tool for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }

    fn is_slow(&self) -> bool {
        false
    }

    fn offers(&self, _: SourceKind) -> bool {
        true
    }

    fn fetch(&self, want: Want, _: ChaCha8Rng) -> BoxFuture<'static, Result<Context, ToolError>> {
        let (title, body) = match want {
            Want::Search(SourceKind::Code, _) => {
                let (language, text) = ("Python".into(), SOUND.into());
                ("mean.py", ContextBody::Code { language, text })
            }
            Want::Search(SourceKind::DatedFact, _) => {
                let (date, section) = ("1903-12-17".into(), "Events".into());
                let text = "Two brothers fly near Kitty Hawk.".into();
                ("Wright brothers", ContextBody::DatedFact { date, section, text })
            }
            Want::Search(SourceKind::Question, _) => {
                let question = "I expect a new one each time.".into();
                let answer = "It is not a bug. Use None.".into();
                let title = "Why does a default list keep its contents between calls?";
                (title, ContextBody::Question { question, answer })
            }
            _ => {
                let sections = vec![Section { heading: None, text: REEF.into() }];
                ("Reef", ContextBody::Article { sections })
            }
        };
        let found = context(title, title, "Tests", body);
        let there = self.0;
        Box::pin(async move { if there { Ok(found) } else { pending().await } })
    }
}

fn assistant(stage: &Stage, kind: Kind, writer: Writer, shelf: Shelf) -> Port<Respond> {
    let rate = ServiceRate { per_step: Duration::from_millis(1), per_row: Duration::ZERO };
    let model = ModelParts {
        text: TextSource::Remote(Arc::new(writer)),
        device: Arc::new(StandInDevice::new(Arc::clone(&stage.clock), rate)),
        scheduler: SchedulerConfig::default(),
    };
    let tools: Arc<[Arc<dyn Tool>]> = Arc::new([Arc::new(shelf) as Arc<dyn Tool>]);
    let tools = ToolParts { tools, patience: Duration::from_secs(60), prefetch: Prefetch::NONE };
    let shared = start_shared(&stage.overseer, model, tools, 8, &stage.failpoints);
    let inbox = Inbox::<Assistant>::open("assistant", Arc::clone(&stage.clock));
    let mut topology = Topology::default();
    let port = topology.ask("test", &inbox.port(8));
    let config = AssistantConfig {
        kind,
        system_prompt: "You are helpful.".into(),
        sampling: Sampling::ORIGINAL,
        delay: Duration::ZERO,
    };
    let deps = AssistantDeps {
        config,
        model_worker: topology.ask("assistant", &shared.generate),
        tool_fetcher: topology.ask("assistant", &shared.fetch),
        board: None,
        clock: Arc::clone(&stage.clock),
        tasks: stage.overseer.tasks().clone(),
        failpoints: stage.failpoints.clone(),
    };
    stage.overseer.supervise(inbox, RestartPolicy::PATIENT, Assistant::new(deps));
    port
}

/// The answer to the last of a user's messages.
async fn converse(port: &Port<Respond>, first: &str, then: &str) -> String {
    let query = Query {
        roles: vec![Role::User, Role::Assistant, Role::User],
        messages: [first, "Well.", then].map(str::to_owned).to_vec(),
    };
    let deadline = port.within(TIMEOUT);
    let respond = Respond { query, pieces: None, deadline };
    port.ask(respond, deadline).await.expect("it answers in time").expect("it has an answer")
}

async fn ask(
    port: &Port<Respond>,
    text: &str,
    pieces: Option<mpsc::Sender<Piece>>,
) -> Result<String, RespondError> {
    let deadline = port.within(TIMEOUT);
    let respond = Respond { query: Query::from_user(text), pieces, deadline };
    port.ask(respond, deadline).await.expect("it answers within the caller's time")
}

#[test]
fn an_agent_solves_what_it_can_without_model_and_tools() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer(""), Shelf(false));
        let answer = ask(&port, "Please help! What is 283 times 60?", None).await;
        assert_eq!(answer.unwrap(), "The answer is 16980.");
        assert_eq!(stage.clock.now().0, Duration::ZERO);
    });
}

#[test]
fn an_agent_lets_the_model_answer_from_what_it_looked_up() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer("all"), Shelf(true));
        let question = "How many species does a reef shelter?";
        for asks in [question, "hey, could you give me a summary of Reef?", "facts about the reef?"]
        {
            let told = ask(&port, asks, None).await.unwrap();
            assert!(told.starts_with("You are helpful.|Text about Reef:\nA reef is"), "{told}");
        }
        let told = ask(&port, question, None).await.unwrap();
        assert!(told.contains(&format!("Question: {question}")), "{told}");
        let port = assistant(&stage, Kind::Agent, Writer("A quarter. A quarter. Or"), Shelf(true));
        assert_eq!(ask(&port, question, None).await.unwrap(), "A quarter.");
    });
}

#[test]
fn an_agent_whose_model_takes_nothing_from_what_it_read_answers_with_the_passage() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer("I do not know."), Shelf(true));
        let answer = ask(&port, "How many species does a reef shelter?", None).await.unwrap();
        assert!(answer.contains("It shelters a quarter of all species of the sea."), "{answer}");
        let summary = ask(&port, "what should I know about the reef?", None).await;
        assert_eq!(summary.unwrap(), REEF);
    });
}

#[test]
fn an_agent_tells_the_date_of_what_it_looked_up() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer(""), Shelf(true));
        let park = "On what exact date was the reef declared a park?";
        assert_eq!(ask(&port, park, None).await.unwrap(), "It was on October 20, 1975.");
        let flight = "hey, on what exact date did this happen: two brothers fly near Kitty Hawk?";
        assert_eq!(ask(&port, flight, None).await.unwrap(), "It was on December 17, 1903.");
        let again = converse(&port, flight, "ugh, can you do it again, more carefully?").await;
        assert_eq!(again, "It was on December 17, 1903.");
    });
}

#[test]
fn an_agent_gives_back_code_that_was_pasted_with_faults() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer("Well, no."), Shelf(true));
        let broken = SOUND.replace("sum(values)", "sum(value)");
        let pasted = format!("hey, can you fix it?\n\n```python\n{broken}```\n\nAll of it.");
        let answer = ask(&port, &pasted, None).await.unwrap();
        assert!(answer.ends_with(&format!("```python\n{SOUND}```")), "{answer}");
        let again = "don't waste my time: can you do it again, more carefully?";
        assert_eq!(converse(&port, &pasted, again).await, answer);
        let sound = pasted.replace(&broken, SOUND);
        assert_eq!(ask(&port, &sound, None).await.unwrap(), "Well, no.");
    });
}

#[test]
fn an_agent_knows_the_answer_to_a_question_that_comes_with_code() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer("dead"), Shelf(true));
        let asked = "Hi!\n\nWhy does a default list keep its contents between all calls?\n\n\
                     ```python\ndef f(x=[]):\n    x.append(1)\n```\n\nIs this a fault?";
        assert_eq!(ask(&port, asked, None).await.unwrap(), "It is not a bug. Use None.");
        assert_eq!(converse(&port, asked, "are you sure?").await, "It is not a bug. Use None.");
    });
}

#[test]
fn an_agent_whose_tools_know_nothing_writes_by_instructions_of_its_own() {
    Stage::play(async |stage: Stage| {
        let told = async |kind| {
            let port = assistant(&stage, kind, Writer("all"), Shelf(true));
            ask(&port, "Write a poem on ice!", None).await.unwrap()
        };
        assert_eq!(told(Kind::Model).await, "You are helpful.|Write a poem on ice!");
        let agent = told(Kind::Agent).await;
        assert!(agent.starts_with("You are helpful.\n\n"), "{agent}");
        assert!(agent.ends_with("|Write a poem on ice!") && agent.len() > 80, "{agent}");
    });
}

#[test]
fn an_agent_leaves_to_the_model_what_it_finds_about_something_that_nobody_named() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer("Some of them."), Shelf(true));
        for question in
            ["How many species does it shelter?", "A reef is nearby. What is an island?"]
        {
            assert_eq!(ask(&port, question, None).await.unwrap(), "Some of them.", "{question}");
        }
    });
}

#[test]
fn an_agent_understands_a_question_by_what_was_asked_before() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer("dead"), Shelf(true));
        for (first, then, expected) in [
            ("What is a reef?", "How many species does it shelter?", "a quarter of all species"),
            ("Sum up the reef.", "Can you go through it once more?", "built by small animals"),
            ("What is 283 times 60?", "are you sure?", "16980"),
        ] {
            let answer = converse(&port, first, then).await;
            assert!(answer.contains(expected), "{then}: {answer}");
        }
    });
}

#[test]
fn an_agent_whose_model_is_late_or_dead_answers_with_the_passage_in_time() {
    for writer in ["", "dead"] {
        Stage::play(async |stage: Stage| {
            let port = assistant(&stage, Kind::Agent, Writer(writer), Shelf(true));
            let answer = ask(&port, "How many species does a reef shelter?", None).await.unwrap();
            assert!(answer.contains("shelters a quarter of all species"), "{answer}");
        });
    }
}

#[test]
fn an_agent_whose_source_hangs_lets_the_model_answer_in_time() {
    Stage::play(async |stage: Stage| {
        let port = assistant(&stage, Kind::Agent, Writer("A quarter."), Shelf(false));
        let answer = ask(&port, "How many species does it shelter?", None).await;
        assert_eq!(answer.unwrap(), "A quarter.");
    });
}

#[test]
fn a_mock_is_late_fails_as_told_and_answers_the_same_question_the_same_way() {
    Stage::play(async |stage: Stage| {
        let kind = Kind::Mock { delay: Duration::from_secs(1), failures: 0.5 };
        let port = assistant(&stage, kind, Writer(""), Shelf(false));
        let mut failed = 0;
        for n in 0..40 {
            let question = format!("question {n}");
            let answers = [ask(&port, &question, None).await, ask(&port, &question, None).await];
            assert_eq!(answers[0], answers[1]);
            match &answers[0] {
                Ok(answer) => assert_eq!(*answer, format!("Mock reply to: {question}")),
                Err(_) => failed += 1,
            }
        }
        assert!((10..=30).contains(&failed), "{failed}");
        let mean = stage.clock.now().0.as_secs_f64() / 80.0;
        assert!((0.5..1.6).contains(&mean), "{mean}");
    });
}

#[test]
fn whoever_streams_gets_pieces_of_every_kind_of_known_answer() {
    let mock = Kind::Mock { delay: Duration::ZERO, failures: 0.0 };
    let phrase =
        Kind::Phrase("Could you please repeat that? I was not listening to you. ".repeat(2));
    for kind in [Kind::Echo, phrase, mock, Kind::Agent] {
        Stage::play(async |stage: Stage| {
            let port = assistant(&stage, kind.clone(), Writer("dead"), Shelf(true));
            let (sender, mut reader) = mpsc::channel(64);
            let collect = async {
                let mut pieces = Vec::new();
                while let Some(piece) = reader.recv().await {
                    pieces.push(piece);
                }
                pieces
            };
            let question = "How many of the species of the sea does a reef shelter in warm water?";
            let (answer, pieces) = tokio::join!(ask(&port, question, Some(sender)), collect);
            assert!(pieces.len() > 1, "{kind:?}: {pieces:?}");
            assert_eq!(answer.unwrap(), pieces.concat(), "{kind:?}");
        });
    }
}

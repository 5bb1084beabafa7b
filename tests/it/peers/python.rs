//! The Python SDK's own axons and dendrites, in processes of their own (`tests/peers`).

#![expect(clippy::print_stdout, reason = "what is skipped is said")]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{Ended, Place, Running, free_port};

/// Whose axons and dendrites.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sdk {
    /// 10.5.0, the last one that has them.
    New,
    /// 6.6.0, which SN1 pinned.
    Old,
}

/// Those that have to understand us.
pub(super) const BOTH: [Sdk; 2] = [Sdk::New, Sdk::Old];

pub(super) const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
pub(super) const CHARLIE: &str = "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y";

/// A Python that has an SDK, and a folder to run it in.
pub(super) struct Python {
    pub(super) place: Place,
    program: PathBuf,
}

/// What a Python dendrite made of a reply.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    pub(super) status: Option<u16>,
    pub(super) message: Option<String>,
    pub(super) completion: Option<String>,
    pub(super) process_time: Option<f64>,
    pub(super) is_success: bool,
    pub(super) is_timeout: bool,
    pub(super) is_blacklist: bool,
    pub(super) failed_verification: bool,
    pub(super) chunks: Vec<String>,
}

/// Python axons that answer, each in a way of its own.
pub(super) struct Axons {
    _running: Running,
    ports: Vec<(&'static str, u16)>,
}

impl Python {
    /// The one that `scripts/test.sh` made, if it could.
    pub(super) fn with(sdk: Sdk) -> Option<Self> {
        let variable = match sdk {
            Sdk::New => "SN1_SDK10_PYTHON",
            Sdk::Old => "SN1_SDK6_PYTHON",
        };
        let Some(program) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
            println!("skipped: {variable} names no Python that has that SDK");
            return None;
        };
        let mut place = Place::new().with("PYTHONDONTWRITEBYTECODE", "1");
        if matches!(sdk, Sdk::Old) {
            place = place.with("PYTHONPATH", scripts().join("stand_ins"));
        }
        Some(Self { place, program: program.into() })
    }

    /// Runs a script to its end, with a file of the place on its standard input.
    pub(super) fn run_fed(&self, script: &str, name: &str) -> Ended {
        self.place.run_other_fed(&self.program, &[scripts().join(script)], name).expect(0)
    }

    /// Starts axons of //Alice, one for each mode.
    pub(super) fn axons(&self, modes: &[&'static str]) -> Axons {
        let ports: Vec<_> = modes.iter().map(|mode| (*mode, free_port())).collect();
        let mut arguments = vec![scripts().join("axon.py"), "//Alice".into()];
        arguments.extend(ports.iter().map(|(mode, port)| format!("{mode}={port}").into()));
        let mut running = self.place.start_other(&self.program, &arguments);
        running.until_printed(&format!("serving {ALICE}\n"));
        Axons { _running: running, ports }
    }

    /// What a dendrite of //Bob makes of the replies to all that it is to ask.
    pub(super) fn ask(&self, all: &[Value]) -> Vec<Told> {
        let path = self.place.write("asked.json", &json!(all).to_string());
        let arguments = [scripts().join("dendrite.py"), "//Bob".into(), path];
        let ended = self.place.start_other(&self.program, &arguments).wait().expect(0);
        let told: Vec<Told> =
            ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(told.len(), all.len(), "{}", ended.out);
        told
    }
}

impl Axons {
    pub(super) fn port(&self, mode: &str) -> u16 {
        self.ports.iter().find(|(name, _)| *name == mode).unwrap().1
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// A question of a class, with a message for an axon of //Alice.
pub(super) fn question(class: &str, port: u16, message: &str) -> Value {
    json!({
        "class": class, "hotkey": ALICE, "port": port, "timeout": 10.0,
        "roles": ["user"], "messages": [message],
    })
}

/// The same question with another value in a field.
pub(super) fn but(mut question: Value, field: &str, value: impl Into<Value>) -> Value {
    question[field] = value.into();
    question
}

//! A real llama.cpp server, which speaks the OpenAI protocol, where there is a Python that has it
//! (`SN1_TEST_PYTHON`; `scripts/test.sh` makes one) and the model was pulled.

#![expect(clippy::print_stdout, reason = "what is skipped is said")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Place, Running};
use crate::real_model;

/// A Python that has llama.cpp, and the model's file.
pub(crate) fn peer() -> Option<(PathBuf, PathBuf)> {
    let Some(python) = std::env::var_os("SN1_TEST_PYTHON").filter(|path| !path.is_empty()) else {
        println!("skipped: SN1_TEST_PYTHON names no Python that has xllamacpp");
        return None;
    };
    let mut import = Command::new(&python);
    import.args(["-c", "import xllamacpp"]).stdin(Stdio::null());
    if !import.output().is_ok_and(|run| run.status.success()) {
        println!("skipped: {} has no xllamacpp", Path::new(&python).display());
        return None;
    }
    let Some(models) = real_model::models() else {
        println!("skipped: the models are not in the cache; `sn1 models pull` gets them");
        return None;
    };
    let gguf = models.join("smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
    Some((python.into(), gguf))
}

/// A server on a port of its own, and its address.
pub(crate) fn serve(place: &Place, python: &Path, gguf: &Path) -> (Running, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/peers/llama_server.py");
    let mut server = place.start_other(python, &[&script, Path::new("0"), gguf]);
    let printed = server.until_printed("\n");
    let url = printed.trim().strip_prefix("listening on ").unwrap().to_owned();
    (server, url)
}

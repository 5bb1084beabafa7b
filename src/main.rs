//! The program `sn1`: parses the command line, runs the subcommand, and ends with its exit code.

use std::io::Write;
use std::process::ExitCode;

use sn1::exit::{Ended, Exit};
use sn1::{cli, telemetry};
use tikv_jemallocator::Jemalloc;

/// It gives back what bursts of answers took; glibc's keeps the most that there ever was, and more with
/// each burst.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    // clap prints help, versions and mistakes itself, with suggestions, and ends with 0 or 2.
    let matches = cli::command().get_matches();
    let logs = telemetry::start(cli::log_options(&matches));
    let ended = logs.map_err(|error| Ended::new(Exit::File, error).into()).and_then(|logs| {
        let system = actix_rt::System::new();
        let ended = system.block_on(Box::pin(cli::run(&matches, &logs)));
        // What is still under way ends first.
        drop(system);
        logs.close();
        ended
    });
    let exit = match ended {
        Ok(exit) => exit,
        Err(error) => {
            let exit = error.downcast_ref::<Ended>().map_or(Exit::Failed, |ended| ended.exit);
            // Standard error may be gone; the exit code says it too.
            let _ = writeln!(std::io::stderr(), "sn1: {error:#}");
            exit
        }
    };
    ExitCode::from(exit.code())
}

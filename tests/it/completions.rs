//! What `sn1 completions` prints, tried by those who read it.

use std::path::Path;

use crate::harness::Place;

/// Runs a line of bash over the script of completions; gives what it prints.
fn bash(place: &Place, line: &str) -> String {
    let script = place.run("completions bash").expect(0).out;
    place.write("sn1.bash", &script);
    let line = format!("source ./sn1.bash\n{line}");
    place.start_other(Path::new("bash"), &["-c", &line]).wait().expect(0).out
}

#[test]
fn bash_completes_subcommands_and_flags() {
    let place = Place::new();
    assert!(bash(&place, "complete -p sn1").contains("_sn1"));
    let complete = |words: &str, at: usize| {
        let line = format!(
            "COMP_WORDS=({words}); COMP_CWORD={at}; _sn1 sn1 \"${{COMP_WORDS[{at}]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        bash(&place, &line).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("sn1 valid", 1), ["validator"]);
    assert_eq!(complete("sn1 config ch", 2), ["check"]);
    assert_eq!(complete("sn1 miner --miner.ki", 2), ["--miner.kind"]);
}

#[test]
fn every_shell_has_its_script_and_no_other() {
    let place = Place::new();
    for (shell, holds) in [
        ("zsh", "#compdef sn1"),
        ("fish", "complete -c sn1"),
        ("elvish", "edit:completion:arg-completer[sn1]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = place.run(&format!("completions {shell}")).expect(0).out;
        assert!(script.contains(holds) && script.contains("validator"), "{shell}");
    }
    place.run("completions csh").expect(2);
}

#[test]
fn the_manual_page_can_be_read_and_names_every_subcommand_and_key() {
    let place = Place::new();
    let page = place.run("completions man").expect(0).out;
    assert!(page.contains(".TH sn1 1"), "{}", &page[..200]);
    place.write("sn1.1", &page);
    let groff = Path::new("/usr/bin/groff");
    if !groff.exists() {
        eprintln!("skipped: no groff to read the manual page");
        return;
    }
    let read = ["-K", "utf8", "-man", "-Tutf8", "-P-cbou", "sn1.1"];
    let read = place.start_other(groff, &read).wait().expect(0);
    assert_eq!(read.err, "");
    for text in
        ["sn1 wallet new", "neuron.moving_average_alpha", "sn1 localnet --steps 20", "--json"]
    {
        assert!(read.out.contains(text), "{text}");
    }
}

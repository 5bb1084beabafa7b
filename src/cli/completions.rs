//! `sn1 completions`: what a shell needs to complete command lines, and the manual page.

use std::io::{self, Write};

use clap::{Arg, ArgMatches, Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::output;
use crate::config::{KEYS, Key, Meaning};
use crate::exit::Exit;

/// What is printed for `man`.
const MAN: &str = "man";

pub(super) fn command() -> Command {
    let shells = Shell::value_variants().iter().map(ToString::to_string);
    let names: Vec<String> = shells.chain([MAN.to_owned()]).collect();
    let what = Arg::new("what")
        .value_name("SHELL")
        .required(true)
        .value_parser(names)
        .help("the shell, or `man` for the manual page");
    Command::new("completions")
        .about("Print what a shell completes command lines by, or the manual page")
        .after_help(
            "Examples:\n  sn1 completions bash > ~/.local/share/bash-completion/completions/sn1\n  \
             sn1 completions zsh > ~/.zfunc/_sn1\n  \
             sn1 completions fish > ~/.config/fish/completions/sn1.fish\n  \
             sn1 completions man > ~/.local/share/man/man1/sn1.1",
        )
        .arg(what)
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let what = matches.get_one::<String>("what").map_or(MAN, String::as_str);
    let mut command = super::command();
    let mut text = Vec::new();
    match Shell::from_str(what, false) {
        Ok(shell) => clap_complete::generate(shell, &mut command, "sn1", &mut text),
        Err(_) => man(command, &mut text)?,
    }
    output::delivered(String::from_utf8_lossy(&text).trim_end())?;
    Ok(Exit::Done)
}

/// One page for all: what each subcommand is for and its flags, and once the keys of the
/// configuration, which many of them take as flags.
fn man(command: Command, page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = without_keys(command.disable_help_subcommand(true));
    command.build();
    let whole = Man::new(command.clone()).section("1");
    whole.render_title(page)?;
    // Command lines are neither hyphenated nor spread.
    page.write_all(b".nh\n.ad l\n")?;
    whole.render_name_section(page)?;
    whole.render_synopsis_section(page)?;
    let mut parts = Vec::new();
    parts_of(&command, &mut parts);
    for part in parts {
        let name = part.get_bin_name().unwrap_or_else(|| part.get_name());
        let mut heading = Roff::new();
        heading.control("SH", [name]);
        heading.to_writer(page)?;
        let (man, mut text) = (Man::new(part.clone()), Vec::new());
        man.render_description_section(&mut text)?;
        if part.get_arguments().any(|arg| !arg.is_hide_set()) {
            man.render_options_section(&mut text)?;
        }
        man.render_extra_section(&mut text)?;
        // What is a section of a page of its own is here a part of the subcommand's.
        let text = String::from_utf8_lossy(&text).replace(".SH EXTRA", ".SH EXAMPLES");
        let text = text.replace("\n.SH ", "\n.SS ");
        let text = text.strip_prefix(".SH ").map(|rest| format!(".SS {rest}")).unwrap_or(text);
        page.write_all(text.as_bytes())?;
    }
    keys().to_writer(page)
}

/// Every subcommand that does something, in the order of the help.
fn parts_of<'a>(command: &'a Command, parts: &mut Vec<&'a Command>) {
    for part in command.get_subcommands().filter(|part| !part.is_hide_set()) {
        parts.push(part);
        parts_of(part, parts);
    }
}

fn without_keys(command: Command) -> Command {
    let names: Vec<String> =
        command.get_subcommands().map(|part| part.get_name().to_owned()).collect();
    let command = command.mut_args(|arg| {
        let is_key = Key::find(arg.get_id().as_str()).is_some();
        if is_key { arg.hide(true) } else { arg }
    });
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, without_keys))
}

fn keys() -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["CONFIGURATION"]);
    page.text([roman(
        "Each key is a flag (--neuron.timeout 12), a line of a TOML file ([neuron] timeout = 12) and \
         a variable of the environment (SN1_NEURON__TIMEOUT=12). The values in effect are printed by \
         `sn1 config show`.",
    )]);
    for key in KEYS.iter().filter(|key| key.meaning == Meaning::Used) {
        page.control("TP", []);
        page.text([bold(key.name)]);
        page.text([roman(key.help)]);
    }
    page
}

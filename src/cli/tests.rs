use super::*;

/// The command lines of a text that begin with `sn1`, over several lines or after a pipe too.
fn command_lines(text: &str) -> Vec<String> {
    let whole = text.replace("\\\n", " ");
    let lines = whole.lines().map(|line| line.trim().trim_start_matches("$ "));
    let lines = lines.map(|line| line.rsplit("| ").next().unwrap_or(line).trim());
    lines.filter(|line| line.starts_with("sn1 ")).map(str::to_owned).collect()
}

/// The words of a command line, as a shell parts them, without what it reads from a file or writes to one. What
/// follows two blanks and is no flag is said about the command.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for (at, c) in line.char_indices() {
        let rest = line[at..].trim_start();
        match c {
            '\'' => quoted = !quoted,
            '#' | '<' | '>' if !quoted && word.is_empty() => break,
            ' ' if !quoted && line[at..].starts_with("  ") && !rest.starts_with('-') => break,
            ' ' if !quoted => {
                words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty()))
            }
            _ => word.push(c),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let deeper = command.get_subcommands().flat_map(examples);
    command_lines(&help).into_iter().chain(deeper).collect()
}

#[test]
fn the_command_lines_of_every_help_and_of_the_documents_are_taken() {
    let of_help = examples(&command());
    let documents = [
        include_str!("../../README.md"),
        include_str!("../../config/OPERATING.md"),
        include_str!("../../config/MINING.md"),
    ];
    let told: Vec<String> = documents.into_iter().flat_map(command_lines).collect();
    assert!(of_help.len() > 30 && told.len() > 16, "{} {}", of_help.len(), told.len());
    for line in of_help.iter().chain(&told) {
        let taken = command().try_get_matches_from(words(line));
        assert!(taken.is_ok(), "{line}\n{}", taken.unwrap_err());
    }
}

#[test]
fn every_subcommand_that_does_something_has_examples_in_its_help() {
    fn without(command: &Command, path: &str) -> Vec<String> {
        let path = format!("{path} {}", command.get_name());
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let does_something = !command.is_subcommand_required_set();
        let lacks = does_something && !help.contains("Example") && !command.is_hide_set();
        let deeper = command.get_subcommands().flat_map(|part| without(part, &path));
        lacks.then(|| path.clone()).into_iter().chain(deeper).collect()
    }
    assert_eq!(without(&command(), ""), Vec::<String>::new());
}

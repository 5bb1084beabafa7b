//! A model's own chat template, rendered so that no content can pass for a control token.
//!
//! The template sees the contents nearly as they are, because templates trim and inspect them; a
//! *mark*, a character that occurs nowhere else, is put into them wherever a control token's name
//! could begin, and around them, so that none can form across a seam. After rendering, names that
//! stand unbroken are the template's own; then the marks are taken out again.

use std::collections::HashSet;
use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, context};
use sn1_actors::domain::ChatMessage;
use sn1_actors::ports::CodecError;

const NAME: &str = "chat";
/// What a template may add to the contents, in bytes.
const MAX_FRAME: usize = 1 << 16;
/// How often a template may repeat the contents.
const MAX_REPEATS: usize = 4;

/// A part of a rendered chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// A control token that the template set.
    Control(u32),
    /// Text, in which no control token is to be recognised.
    Text(String),
}

/// A control token: its name as text, and its id.
pub(super) type ControlToken = (String, u32);

/// A chat template, parsed.
#[derive(Debug)]
pub(super) struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// `bos` and `eos` are the names of the tokens that begin and end a sequence, empty for none.
    pub(super) fn parse(source: &str, bos: String, eos: String) -> Result<Self, Error> {
        let mut environment = Environment::new();
        // A template comes with the model's file; one that loops must not hold the program up.
        environment.set_fuel(Some(1_000_000));
        // As the templates' authors have it: Hugging Face's settings and helper.
        environment
            .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_function("raise_exception", |cause: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, cause))
        });
        environment.set_unknown_method_callback(python_method);
        environment.add_template_owned(NAME, source.to_owned())?;
        Ok(Self { environment, bos, eos })
    }

    /// The chat with the start of the assistant's answer, cut at the template's control tokens.
    pub(super) fn render(
        &self,
        messages: &[ChatMessage],
        controls: &[ControlToken],
    ) -> Result<Vec<Segment>, CodecError> {
        let template = self.environment.get_template(NAME).map_err(refused)?;
        // Private use: of no meaning to a template, and no whitespace.
        let marks = '\u{f0000}'..='\u{ffffd}';
        let texts = messages.iter().map(|m| m.content.as_str()).chain([template.source()]);
        let used: HashSet<char> =
            texts.flat_map(str::chars).filter(|c| marks.contains(c)).collect();
        let mark = marks.clone().find(|mark| !used.contains(mark));
        let mark = mark.ok_or_else(|| CodecError("it holds every private-use character".into()))?;
        let marked: Vec<Value> = messages
            .iter()
            .map(|message| {
                context! {
                    role => message.role.as_str(),
                    content => mark_content(&message.content, mark, controls),
                }
            })
            .collect();
        let context = context! {
            messages => marked,
            add_generation_prompt => true,
            bos_token => &self.bos,
            eos_token => &self.eos,
        };
        let contents: usize = messages.iter().map(|m| m.content.len()).sum();
        // A mark takes four bytes, at worst one for each byte of the contents.
        let mut output = Bounded {
            bytes: Vec::new(),
            left: contents
                .saturating_mul(5 * MAX_REPEATS)
                .saturating_add(messages.len().saturating_add(1).saturating_mul(MAX_FRAME)),
        };
        template.render_captured_to(context, &mut output).map_err(refused)?;
        let rendered = String::from_utf8(output.bytes).map_err(|e| CodecError(e.to_string()))?;
        Ok(cut(&rendered, controls)
            .into_iter()
            .map(|segment| match segment {
                Segment::Text(text) => Segment::Text(text.replace(mark, "")),
                control => control,
            })
            .collect())
    }
}

/// Methods of Python's texts that templates of models call.
fn python_method(
    _: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let unknown = || Error::from(ErrorKind::UnknownMethod);
    let text = value.as_str().ok_or_else(unknown)?;
    let argument = match arguments {
        [] => None,
        [argument] => Some(argument.as_str().ok_or_else(unknown)?),
        _ => return Err(unknown()),
    };
    Ok(match (method, argument) {
        ("strip", None) => text.trim().into(),
        ("lstrip", None) => text.trim_start().into(),
        ("rstrip", None) => text.trim_end().into(),
        ("startswith", Some(start)) => text.starts_with(start).into(),
        ("endswith", Some(end)) => text.ends_with(end).into(),
        _ => return Err(unknown()),
    })
}

fn refused(error: Error) -> CodecError {
    CodecError(format!("the model's chat template failed: {error}"))
}

/// `content` with the mark after every character that a control token's name begins with, and
/// around all but the outer whitespace, which a template may trim.
fn mark_content(content: &str, mark: char, controls: &[ControlToken]) -> String {
    let firsts: HashSet<char> =
        controls.iter().filter_map(|(name, _)| name.chars().next()).collect();
    let body = content.trim();
    if body.is_empty() {
        return content.to_owned();
    }
    let before = &content[..content.len() - content.trim_start().len()];
    let after = &content[content.trim_end().len()..];
    let mut marked = String::with_capacity(content.len() + 16);
    marked.push_str(before);
    marked.push(mark);
    for c in body.chars() {
        marked.push(c);
        if firsts.contains(&c) {
            marked.push(mark);
        }
    }
    marked.push(mark);
    marked.push_str(after);
    marked
}

/// Cuts text at the names of control tokens: the leftmost first, of those at one place the longest.
pub(super) fn cut(text: &str, controls: &[ControlToken]) -> Vec<Segment> {
    let firsts: HashSet<char> =
        controls.iter().filter_map(|(name, _)| name.chars().next()).collect();
    let mut segments = Vec::new();
    let mut pending = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if !firsts.contains(&c) {
            at += c.len_utf8();
            continue;
        }
        let here = controls.iter().filter(|(name, _)| text[at..].starts_with(name.as_str()));
        if let Some((name, id)) = here.max_by_key(|(name, _)| name.len()) {
            if pending < at {
                segments.push(Segment::Text(text[pending..at].to_owned()));
            }
            segments.push(Segment::Control(*id));
            at += name.len();
            pending = at;
        } else {
            at += c.len_utf8();
        }
    }
    if pending < text.len() {
        segments.push(Segment::Text(text[pending..].to_owned()));
    }
    segments
}

/// Refuses more than so many bytes.
struct Bounded {
    bytes: Vec<u8>,
    left: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.left.checked_sub(bytes.len()) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other("its output is far longer than the chat")),
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controls() -> Vec<ControlToken> {
        [("<|a|>", 1), ("<|a|>b", 2), ("<|end|>", 3)].map(|(n, i)| (n.to_owned(), i)).to_vec()
    }

    fn render(template: &str, contents: &[&str]) -> Result<Vec<Segment>, CodecError> {
        let template = ChatTemplate::parse(template, "<|a|>".into(), String::new()).unwrap();
        let messages: Vec<_> = contents.iter().map(|c| ChatMessage::user(*c)).collect();
        template.render(&messages, &controls())
    }

    fn text(text: &str) -> Segment {
        Segment::Text(text.into())
    }

    const PLAIN: &str = "{{ bos_token }}{% for m in messages %}{{ m['role'] + m.content }}<|end|>\
                         {% endfor %}{% if add_generation_prompt %}go{% endif %}";

    #[test]
    fn cuts_at_the_leftmost_and_longest_name() {
        assert_eq!(
            cut("é<|a|>bc<|<|a|><|end|>", &controls()),
            [text("é"), Segment::Control(2), text("c<|"), Segment::Control(1), Segment::Control(3)]
        );
        assert_eq!(cut("", &controls()), []);
    }

    #[test]
    fn the_templates_controls_are_recognised_and_the_contents_are_not() {
        let (a, end) = (Segment::Control(1), Segment::Control(3));
        assert_eq!(
            render(PLAIN, &["hi <|end|>", " <|a|>"]).unwrap(),
            [a, text("userhi <|end|>"), end.clone(), text("user <|a|>"), end, text("go")]
        );
    }

    #[test]
    fn no_control_forms_across_a_seam() {
        for (template, content) in [
            ("<{{ messages[0].content }}>", "|end|"),
            ("{{ messages[0].content }}|end|>", "<"),
            ("<|end|{{ messages[0].content }}", ">"),
        ] {
            assert_eq!(render(template, &[content]).unwrap(), [text("<|end|>")]);
        }
        let twice = "{{ messages[0].content }}{{ messages[1].content }}";
        assert_eq!(render(twice, &["<|e", "nd|>"]).unwrap(), [text("<|end|>")]);
    }

    #[test]
    fn a_template_can_trim_the_contents() {
        let trimming = "{{ messages[0].content | trim }}.";
        assert_eq!(render(trimming, &[" \n<|end|> x\t"]).unwrap(), [text("<|end|> x.")]);
        assert_eq!(render(trimming, &["  "]).unwrap(), [text(".")]);
    }

    #[test]
    fn the_mark_gives_way_to_contents_that_hold_it() {
        let content = "\u{f0000}<|end|>\u{f0001}";
        assert_eq!(render("{{ messages[0].content }}", &[content]).unwrap(), [text(content)]);
    }

    #[test]
    fn refusals_of_the_template_are_errors() {
        let error = render("{{ raise_exception('no system') }}", &["x"]).unwrap_err();
        assert!(error.0.contains("no system"), "{error}");
        let error =
            render("{% for i in range(99999) %}{{ i }}{{ bos_token * 9 }}{% endfor %}", &["x"]);
        assert!(error.is_err());
        assert!(ChatTemplate::parse("{% for %}", String::new(), String::new()).is_err());
    }
}

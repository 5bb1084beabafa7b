//! Which tags begin and end what.

use std::cell::{Cell, RefCell};

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use super::writer::{Gap, Part, Writer};

/// A page's own address is no longer.
const LONGEST_ADDRESS: usize = 2_000;

/// What is left out of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drops {
    /// What is no text: scripts, styles, controls, menus.
    Code,
    /// Also what surrounds the prose of an encyclopedia's page.
    Furniture,
}

const NO_TEXT: [&str; 17] = [
    "annotation",
    "audio",
    "button",
    "canvas",
    "iframe",
    "nav",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "video",
];
const FURNITURE: [&str; 5] = ["aside", "figure", "footer", "math", "table"];
/// By the classes and identifiers that MediaWiki and its templates give it.
const FURNITURE_NAMES: [&str; 31] = [
    "ambox",
    "catlinks",
    "dablink",
    "dmbox",
    "gallery",
    "hatnote",
    "infobox",
    "jump-to-nav",
    "metadata",
    "mw-cite-backlink",
    "mw-editsection",
    "mw-empty-elt",
    "mw-jump-link",
    "mw-navigation",
    "mwe-math-element",
    "navbox",
    "navigation-not-searchable",
    "noprint",
    "portalbox",
    "reference",
    "references",
    "reflist",
    "rellink",
    "shortdescription",
    "side-box",
    "sidebar",
    "siteSub",
    "sistersitebox",
    "thumb",
    "toc",
    "vertical-navbox",
];
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Their end may go without saying, so they can't be dropped up to it.
const END_UNSAID: [&str; 9] = ["dd", "dt", "html", "body", "li", "p", "td", "th", "tr"];

/// An element that is being left out, and how many of its name are open.
struct Dropped {
    name: String,
    open: usize,
}

/// Turns tokens into parts of text.
pub(super) struct TextSink {
    drops: Drops,
    tokens: Cell<usize>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    writer: Writer,
    dropped: Option<Dropped>,
    canonical: Option<String>,
}

impl TextSink {
    pub(super) fn new(drops: Drops) -> Self {
        Self { drops, tokens: Cell::new(0), state: RefCell::default() }
    }

    /// How many tokens came so far.
    pub(super) fn tokens(&self) -> usize {
        self.tokens.get()
    }

    /// The text, cut at every heading, and the page's own address.
    pub(super) fn finish(self) -> (Vec<Part>, Option<String>) {
        let State { writer, canonical, .. } = self.state.into_inner();
        (writer.finish(), canonical)
    }

    fn drops(&self, tag: &Tag) -> bool {
        let name: &str = &tag.name;
        if NO_TEXT.contains(&name) {
            return true;
        }
        if self.drops == Drops::Code || VOID.contains(&name) || END_UNSAID.contains(&name) {
            return false;
        }
        let names = ["class", "id"].into_iter().filter_map(|key| attribute(tag, key));
        FURNITURE.contains(&name)
            || names
                .flat_map(str::split_ascii_whitespace)
                .any(|word| FURNITURE_NAMES.contains(&word))
            || attribute(tag, "role") == Some("navigation")
    }
}

impl TokenSink for TextSink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        self.tokens.set(self.tokens.get() + 1);
        let mut state = self.state.borrow_mut();
        match token {
            Token::CharacterTokens(text) if state.dropped.is_none() => state.writer.write(&text),
            Token::TagToken(tag) => {
                match (tag.kind, &mut state.dropped) {
                    (TagKind::StartTag, Some(dropped)) if dropped.name == *tag.name => {
                        dropped.open += 1;
                    }
                    (TagKind::EndTag, Some(dropped)) if dropped.name == *tag.name => {
                        dropped.open -= 1;
                        if dropped.open == 0 {
                            state.dropped = None;
                        }
                    }
                    (_, Some(_)) => {}
                    (TagKind::StartTag, None) if self.drops(&tag) => {
                        state.dropped = Some(Dropped { name: tag.name.to_string(), open: 1 });
                    }
                    (TagKind::StartTag, None) => state.start(&tag),
                    (TagKind::EndTag, None) => state.end(&tag.name),
                }
                if tag.kind == TagKind::StartTag {
                    return content(&tag.name);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn start(&mut self, tag: &Tag) {
        let writer = &mut self.writer;
        match &*tag.name {
            "br" => writer.line_break(),
            "pre" => writer.begin_block_of_code(),
            "code" | "kbd" | "samp" | "tt" => writer.begin_code(),
            "ul" | "menu" => writer.begin_list(None),
            "ol" => {
                let first = attribute(tag, "start").and_then(|start| start.parse().ok());
                writer.begin_list(Some(first.unwrap_or(1)));
            }
            "li" => writer.item(),
            "td" | "th" => writer.cell(),
            "dt" | "dd" | "tr" => writer.gap(Gap::Line),
            "sup" => writer.raise(),
            "title" => writer.begin_heading(1),
            "link" if attribute(tag, "rel") == Some("canonical") => {
                self.canonical =
                    attribute(tag, "href").filter(|href| is_address(href)).map(str::to_owned);
            }
            name => {
                if let Some(level) = heading(name) {
                    writer.begin_heading(level);
                } else if is_block(name) {
                    writer.gap(Gap::Paragraph);
                }
            }
        }
    }

    fn end(&mut self, name: &str) {
        let writer = &mut self.writer;
        match name {
            "pre" => writer.end_block_of_code(),
            "code" | "kbd" | "samp" | "tt" => writer.end_code(),
            "ul" | "menu" | "ol" => writer.end_list(),
            "li" | "dt" | "dd" | "tr" => writer.gap(Gap::Line),
            "sup" => writer.lower(),
            "title" => writer.end_heading(),
            _ if heading(name).is_some() => writer.end_heading(),
            _ if is_block(name) => writer.gap(Gap::Paragraph),
            _ => {}
        }
    }
}

/// How the tokenizer has to read what follows a start tag.
fn content(name: &str) -> TokenSinkResult<()> {
    match name {
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "style" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
        "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}

fn heading(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

fn is_block(name: &str) -> bool {
    const BLOCKS: [&str; 17] = [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "details",
        "div",
        "dl",
        "fieldset",
        "figure",
        "form",
        "header",
        "hr",
        "main",
        "p",
        "section",
        "table",
    ];
    BLOCKS.contains(&name)
}

fn attribute<'t>(tag: &'t Tag, key: &str) -> Option<&'t str> {
    tag.attrs.iter().find(|attribute| *attribute.name.local == *key).map(|found| &*found.value)
}

fn is_address(text: &str) -> bool {
    text.len() <= LONGEST_ADDRESS
        && (text.starts_with("https://") || text.starts_with("http://"))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

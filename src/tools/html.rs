//! HTML to plain text: what a reader of the page would read, code kept as it is.
//!
//! Built on the tokens of an HTML5 tokenizer and not on a document tree. A tree of hostile HTML
//! grows with the square of its length (30 kB became six million nodes, since every paragraph
//! repeats all formatting that is open), tokens don't, and nothing here recurses. The price: an
//! element that is dropped and never closed takes the rest of the page with it. Images, formulas
//! and the targets of links are left out.

mod token_sink;
mod writer;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tokenizer, TokenizerOpts};
use sn1_actors::domain::Section;
use sn1_actors::text::boundary::floor;

use token_sink::{Drops, TextSink};

/// What lies behind is not read; the longest pages of encyclopedias have about so much.
const MOST_BYTES: usize = 2 << 20;
/// The tokenizer gets so much at a time.
const STEP: usize = 4 << 10;
/// A page is left where one tag or comment is longer: the tokenizer compares each attribute of a
/// tag with all before it, so a tag has to end soon.
const LONGEST_TOKEN: usize = 64 << 10;

/// A page cut at its headings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The lead first, then one for each `h2` and `h3`, empty ones too; deeper headings are lines of
    /// the text.
    pub(super) sections: Vec<Section>,
    /// The address that the page calls its own.
    pub(super) canonical: Option<String>,
}

/// The text of a post, in reading order: paragraphs and headings between empty lines, list items
/// and table rows as lines, `<pre>` as fenced blocks, `<code>` in backticks.
pub(super) fn text(html: &str) -> String {
    let mut text = String::new();
    for part in read(html, Drops::Code).0 {
        let heading = part.heading.map(|heading| heading.text).unwrap_or_default();
        for block in [heading, part.text] {
            append(&mut text, &block);
        }
    }
    text
}

/// The sections of an encyclopedia's page, without what surrounds the prose: tables, boxes,
/// contents, reference marks, hatnotes, pictures, the page's title.
pub(super) fn page(html: &str) -> Page {
    let (parts, canonical) = read(html, Drops::Furniture);
    let mut sections = vec![Section { heading: None, text: String::new() }];
    for writer::Part { heading, text } in parts {
        match heading {
            Some(heading) if matches!(heading.level, 2 | 3) => {
                sections.push(Section { heading: Some(heading.text), text });
            }
            deeper_or_none => {
                let Some(section) = sections.last_mut() else { continue };
                if let Some(heading) = deeper_or_none.filter(|heading| heading.level > 3) {
                    append(&mut section.text, &heading.text);
                }
                append(&mut section.text, &text);
            }
        }
    }
    Page { sections, canonical }
}

/// Appends a block after an empty line.
fn append(text: &mut String, block: &str) {
    if !text.is_empty() && !block.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(block);
}

fn read(html: &str, drops: Drops) -> (Vec<writer::Part>, Option<String>) {
    let tokenizer = Tokenizer::new(TextSink::new(drops), TokenizerOpts::default());
    let queue = BufferQueue::default();
    let (mut rest, _) = cut(html, MOST_BYTES);
    let (mut tokens, mut silent) = (0, 0);
    while !rest.is_empty() && silent < LONGEST_TOKEN {
        let (step, after) = cut(rest, STEP);
        rest = after;
        queue.push_back(StrTendril::from_slice(step));
        // Only a sink that asks for it is given back control before all is consumed; ours doesn't.
        let _ = tokenizer.feed(&queue);
        let so_far = tokenizer.sink.tokens();
        silent = if so_far == tokens { silent + step.len() } else { 0 };
        tokens = so_far;
    }
    tokenizer.sink.finish()
}

/// Cuts a text in two, the first so many bytes long at most.
fn cut(text: &str, most: usize) -> (&str, &str) {
    text.split_at(floor(text, most))
}

#[cfg(test)]
mod tests;

use super::*;

fn section(heading: Option<&str>, text: &str) -> Section {
    Section { heading: heading.map(str::to_owned), text: text.to_owned() }
}

#[test]
fn paragraphs_lists_headings_and_rows_become_lines() {
    let html = "<h1>Tea</h1><p>Brewed\n from <b>leaves</b>.<p>Two<br>lines<ul><li>green<li><p>black\
        <ol start=3><li>Assam</li><li>Keemun</li></ol></ul>After.\
        <table><tr><th>name<th>year</tr><tr><td>Oolong<td>1855</table>";
    let text = text(html);
    assert_eq!(
        text,
        "Tea\n\nBrewed from leaves.\n\nTwo\nlines\n\n- green\n\n- black\n  3. Assam\n  4. Keemun\n\n\
         After.\n\nname | year\nOolong | 1855"
    );
}

#[test]
fn code_is_kept_as_it_stands() {
    let html = "<p>Use <code>a &lt; b</code>, not <code>x`y</code>.</p>\n\
        <pre class=\"lang-rust\"><code>fn main() {\n    let x = 1 &amp;&amp; 2;\n\n\tgo();\n}\n</code></pre>\n\
        <p>Done</p><pre>```\nfence\n```</pre>";
    assert_eq!(
        text(html),
        "Use `a < b`, not `` x`y ``.\n\n\
         ```\nfn main() {\n    let x = 1 && 2;\n\n\tgo();\n}\n```\n\n\
         Done\n\n````\n```\nfence\n```\n````"
    );
    assert_eq!(
        text("<pre><code>    first\n  second\n</code></pre>"),
        "```\n    first\n  second\n```"
    );
}

#[test]
fn what_is_no_text_is_dropped_and_entities_are_decoded() {
    let html = "<title>t</title><style>p { x: '<p>no' }</style><script>if (a<b) { '</p>' }</script>\
        <nav><ul><li>menu</ul></nav><!-- no --><svg><title>s</title><text>no</text></svg>\
        <p>Caf&eacute; &amp; cr&#232;me&nbsp;&mdash; 2<sup>10</sup>, the 1<sup>st</sup>&shy;</p>";
    assert_eq!(text(html), "t\n\nCafé & crème — 2^10, the 1st");
}

#[test]
fn an_encyclopedias_page_becomes_its_sections() {
    let html = r#"<head><title>Tea</title><link rel="canonical" href="https://example.org/wiki/Tea">
        </head><body><h1>Tea</h1><div class="hatnote">For others see <a>Tea (other)</a>.</div>
        <table class="infobox"><tr><td>box<table><tr><td>in a box</table></table>
        <p class="mw-empty-elt"></p><p><b>Tea</b> is a drink.<sup class="reference">[1]</sup></p>
        <div id="toc"><div><h2>Contents</h2></div><ul><li>History</ul></div>
        <div class="mw-heading"><h2 id="History">History</h2><span class="mw-editsection">[edit]</span></div>
        <h3>Origin</h3><p>In China.</p><h4>Legend</h4><p>Leaves fell.</p>
        <h2><span class="mw-headline">Uses &amp; kinds</span></h2><ul><li>hot</li><li>cold</li></ul>"#;
    assert_eq!(
        page(html),
        Page {
            sections: vec![
                section(None, "Tea is a drink."),
                section(Some("History"), ""),
                section(Some("Origin"), "In China.\n\nLegend\n\nLeaves fell."),
                section(Some("Uses & kinds"), "- hot\n- cold"),
            ],
            canonical: Some("https://example.org/wiki/Tea".into()),
        }
    );
}

#[test]
fn only_a_web_address_counts_as_a_pages_own() {
    for href in ["javascript:x", "/wiki/Tea", "https://a b", ""] {
        assert_eq!(
            page(&format!("<link rel=canonical href=\"{href}\">")).canonical,
            None,
            "{href}"
        );
    }
}

#[test]
fn text_in_no_element_and_unclosed_elements_are_read() {
    assert_eq!(text("plain &lt;text"), "plain <text");
    assert_eq!(text("<p>a <code>b<p>c</code> d"), "a `b`\n\nc d");
    assert_eq!(text("<pre>x\n  y"), "```\nx\n  y\n```");
    assert_eq!(text("</p></ul></pre></h2>x"), "x");
    assert_eq!(text("<p>cut <a href=\"x"), "cut");
    assert_eq!(text(""), "");
}

/// In a document tree each of these would be as deep, or as large, as the square of its length.
#[test]
fn hostile_nesting_is_only_long() {
    for piece in ["<div>", "<ul><li>x", "<b>", "<table><tr><td>", "<pre>", "<code>", "<h2>", "<p>x"]
    {
        let html = format!("{}end", piece.repeat(50_000));
        assert!(text(&html).contains("end"), "{piece}");
    }
    let formatting: String = (0..50_000).map(|n| format!("<b a={n}>")).collect();
    assert!(text(&format!("{formatting}{}end", "<p>x".repeat(50_000))).ends_with("end"));
}

#[test]
fn a_page_ends_at_its_bound_and_at_a_tag_that_does_not_end() {
    let long = "<p>\u{e9}".repeat(MOST_BYTES);
    assert!(text(&long).len() <= MOST_BYTES);
    let attributes: String = (0..1_000_000).map(|n| format!(" a{n}")).collect();
    assert_eq!(text(&format!("before<p{attributes}>behind")), "before");
}

//! Which pages of an encyclopedia can ground a task; the original's rules.

use sn1_actors::domain::Section;

/// An article drawn at random has so many words, at least.
pub(super) const LEAST_WORDS: usize = 250;

/// Sections that tell of the article and not of its subject.
const FURNITURE: [&str; 11] = [
    "bibliography",
    "citations",
    "external links",
    "footnotes",
    "further reading",
    "gallery",
    "notes",
    "notes and references",
    "references",
    "see also",
    "sources",
];
const LISTS: [&str; 6] =
    ["index of ", "list of ", "lists of ", "outline of ", "glossary of ", "timeline of "];
/// How a disambiguation page goes on after its title.
const AMBIGUOUS: [&str; 5] = [
    "can refer to",
    "commonly refers to",
    "may also refer to",
    "may refer to",
    "usually refers to",
];

/// Whether the title is that of a list or a disambiguation page, or of a page about the
/// encyclopedia itself.
pub(super) fn is_no_subject(title: &str) -> bool {
    let title = title.to_lowercase();
    LISTS.iter().any(|list| title.starts_with(list)) || title.ends_with("(disambiguation)")
}

/// Whether a page whose text begins so lists the meanings of its title.
pub(super) fn is_ambiguous(lead: &str) -> bool {
    let first = lead.lines().next().unwrap_or_default().trim_end().trim_end_matches(':');
    AMBIGUOUS.iter().any(|ending| first.ends_with(ending))
}

/// Whether a section of that heading tells of the article and not of its subject.
pub(super) fn is_furniture(heading: &str) -> bool {
    FURNITURE.contains(&heading.trim().to_lowercase().as_str())
}

/// Without empty sections and those that tell of the article only; the lead stays.
pub(super) fn prose(sections: Vec<Section>) -> Vec<Section> {
    let is_prose = |Section { heading, text }: &Section| match heading {
        Some(heading) => !text.is_empty() && !is_furniture(heading),
        None => true,
    };
    sections.into_iter().filter(is_prose).collect()
}

/// Words with a letter or digit.
pub(super) fn words(sections: &[Section]) -> usize {
    let words = sections.iter().flat_map(|section| section.text.split_whitespace());
    words.filter(|word| word.contains(char::is_alphanumeric)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_disambiguation_pages_are_no_articles() {
        for title in
            ["List of rivers", "Lists of lakes", "Mercury (disambiguation)", "Outline of tea"]
        {
            assert!(is_no_subject(title), "{title}");
        }
        for title in ["Listing", "Disambiguation", "Timeline", "A list of one's own"] {
            assert!(!is_no_subject(title), "{title}");
        }
        assert!(is_ambiguous("Mercury may refer to:\n\n- Mercury (planet)"));
        assert!(is_ambiguous("Mercury most commonly refers to:"));
        assert!(!is_ambiguous("Mercury is a planet. The name may refer to: a god."));
        assert!(!is_ambiguous(""));
    }

    #[test]
    fn prose_is_what_tells_of_the_subject() {
        let section = |heading: Option<&str>, text: &str| Section {
            heading: heading.map(str::to_owned),
            text: text.to_owned(),
        };
        let sections = vec![
            section(None, ""),
            section(Some("History"), "Long - ago."),
            section(Some("Uses"), ""),
            section(Some("See also"), "Silk"),
            section(Some("External links"), "A page"),
        ];
        let prose = prose(sections);
        assert_eq!(prose, [section(None, ""), section(Some("History"), "Long - ago.")]);
        assert_eq!(words(&prose), 2);
    }
}

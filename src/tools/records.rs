//! The file formats of the corpus: one parser for each kind of record.
//!
//! A file that breaks its format is refused whole and by name; nothing is guessed or left out.

use serde::Deserialize;
use sn1_actors::domain::{Context, ContextBody, Date, Section};

/// `Context::source` of every record.
pub(super) const SOURCE: &str = "builtin";

/// A file of the corpus that cannot be used; the program was built from broken data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("corpus file `{file}` cannot be used: {cause}; correct it and build again")]
pub struct CorpusError {
    /// Its path inside the corpus.
    pub file: String,
    /// What is wrong with it.
    pub cause: String,
}

impl CorpusError {
    pub(super) fn new(file: &str, cause: impl ToString) -> Self {
        Self { file: file.to_owned(), cause: cause.to_string() }
    }
}

/// An article: front matter in TOML between lines `+++`, then the lead, then sections that each
/// begin with a line `== Heading ==`.
pub(super) fn article(file: &str, text: &str) -> Result<Context, CorpusError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct FrontMatter {
        title: String,
        categories: Vec<String>,
        links: Vec<String>,
    }
    let bad = |cause: &str| CorpusError::new(file, cause);

    let (front, body) = text
        .strip_prefix("+++\n")
        .and_then(|rest| rest.split_once("\n+++\n"))
        .ok_or_else(|| bad("its front matter is not between two lines `+++`"))?;
    let FrontMatter { title, categories, links } =
        toml::from_str(front).map_err(|error| CorpusError::new(file, error))?;
    let subtopic = categories.first().ok_or_else(|| bad("it has no category"))?.clone();
    let sections = sections(body);
    if sections.iter().any(|section| section.text.is_empty()) {
        return Err(bad("its lead or one of its sections is empty"));
    }
    Ok(Context {
        source: SOURCE.to_owned(),
        topic: title.clone(),
        title,
        subtopic,
        tags: categories.into_iter().chain(links).collect(),
        origin: None,
        body: ContextBody::Article { sections },
    })
}

/// The lead comes first, even if it is empty.
fn sections(body: &str) -> Vec<Section> {
    let mut done = Vec::new();
    let mut heading = None;
    let mut text = String::new();
    let mut close = |heading: Option<String>, text: &str| {
        done.push(Section { heading, text: text.trim().to_owned() });
    };
    for line in body.lines() {
        if let Some(next) = line.strip_prefix("== ").and_then(|rest| rest.strip_suffix(" ==")) {
            close(heading.replace(next.trim().to_owned()), &text);
            text.clear();
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    close(heading, &text);
    done
}

/// A TOML file of `[[fact]]` tables.
pub(super) fn facts(file: &str, text: &str) -> Result<Vec<Context>, CorpusError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        fact: Vec<Fact>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fact {
        date: String,
        section: String,
        subject: String,
        text: String,
    }
    let File { fact } = toml::from_str(text).map_err(|error| CorpusError::new(file, error))?;
    fact.into_iter()
        .map(|Fact { date, section, subject, text }| {
            if Date::parse(&date).is_none() {
                return Err(CorpusError::new(file, format!("`{date}` is no date YYYY-MM-DD")));
            }
            if !["Events", "Births", "Deaths"].contains(&section.as_str()) {
                return Err(CorpusError::new(
                    file,
                    format!("section `{section}` is not Events, Births or Deaths"),
                ));
            }
            Ok(Context {
                source: SOURCE.to_owned(),
                title: subject.clone(),
                topic: subject.clone(),
                subtopic: section.clone(),
                tags: vec![section.clone(), subject],
                origin: None,
                body: ContextBody::DatedFact { date, section, text },
            })
        })
        .collect()
}

/// A source file; the ending of its name tells the language.
pub(super) fn code(file: &str, text: &str) -> Result<Context, CorpusError> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let language = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("cpp") => "C++",
        Some("css") => "CSS",
        Some("dockerfile") => "Dockerfile",
        Some("html") => "HTML",
        Some("java") => "Java",
        Some("js") => "JavaScript",
        Some("py") => "Python",
        Some("sh") => "Shell",
        Some("sql") => "SQL",
        _ => return Err(CorpusError::new(file, "its name does not end as a known language's do")),
    };
    if text.trim().is_empty() {
        return Err(CorpusError::new(file, "it is empty"));
    }
    Ok(Context {
        source: SOURCE.to_owned(),
        title: name.to_owned(),
        topic: language.to_owned(),
        subtopic: name.to_owned(),
        tags: vec![language.to_owned()],
        origin: None,
        body: ContextBody::Code { language: language.to_owned(), text: text.to_owned() },
    })
}

/// A TOML file of `[[question]]` tables.
pub(super) fn questions(file: &str, text: &str) -> Result<Vec<Context>, CorpusError> {
    #[derive(Deserialize)]
    struct File {
        question: Vec<Question>,
    }
    #[derive(Deserialize)]
    struct Question {
        title: String,
        body: String,
        answer: String,
        tags: Vec<String>,
    }
    let File { question } = toml::from_str(text).map_err(|error| CorpusError::new(file, error))?;
    question
        .into_iter()
        .map(|Question { title, body, answer, tags }| {
            let subtopic = tags.first().cloned().ok_or_else(|| {
                CorpusError::new(file, format!("the question `{title}` has no tag"))
            })?;
            Ok(Context {
                source: SOURCE.to_owned(),
                topic: title.clone(),
                subtopic,
                tags,
                origin: None,
                body: ContextBody::Question {
                    question: format!("{title}\n\n{}", body.trim()),
                    answer: answer.trim().to_owned(),
                },
                title,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARTICLE: &str = "+++\ntitle = \"Tea\"\ncategories = [\"Drinks\", \"Plants\"]\n\
        links = [\"Silk Road\"]\n+++\nA drink.\n\nFrom leaves.\n\n== History ==\nOld.\n";

    #[test]
    fn reads_an_article_with_its_lead_sections_and_tags() {
        let context = article("articles/tea.md", ARTICLE).unwrap();
        assert_eq!((context.title.as_str(), context.topic.as_str()), ("Tea", "Tea"));
        assert_eq!(context.subtopic, "Drinks");
        assert_eq!(context.tags, ["Drinks", "Plants", "Silk Road"]);
        let section = |heading: Option<&str>, text: &str| Section {
            heading: heading.map(str::to_owned),
            text: text.to_owned(),
        };
        let sections =
            vec![section(None, "A drink.\n\nFrom leaves."), section(Some("History"), "Old.")];
        assert_eq!(context.body, ContextBody::Article { sections });
    }

    #[test]
    fn refuses_broken_articles_and_names_the_file() {
        for (wrong, cause) in [
            (ARTICLE.replace("+++", "---"), "front matter"),
            (ARTICLE.replace("title", "tilte"), "tilte"),
            (ARTICLE.replace("\"Drinks\", \"Plants\"", ""), "no category"),
            (ARTICLE.replace("Old.", ""), "empty"),
            (ARTICLE.replace("A drink.\n\nFrom leaves.", ""), "empty"),
        ] {
            let error = article("articles/tea.md", &wrong).unwrap_err();
            assert_eq!(error.file, "articles/tea.md");
            assert!(error.cause.contains(cause), "{error}");
        }
    }

    #[test]
    fn refuses_facts_with_wrong_dates_and_sections() {
        let fact = |date: &str, section: &str| {
            format!(
                "[[fact]]\ndate = \"{date}\"\nsection = \"{section}\"\nsubject = \"s\"\ntext = \"t\"\n"
            )
        };
        assert_eq!(facts("facts.toml", &fact("1969-07-20", "Events")).unwrap().len(), 1);
        let cause = |text: &str| facts("facts.toml", text).unwrap_err().cause;
        assert!(cause(&fact("1969-07-32", "Events")).contains("1969-07-32"));
        assert!(cause(&fact("1969-07-20", "Weddings")).contains("Weddings"));
        assert!(cause("[[fact]]\ndate = \"1969-07-20\"\n").contains("section"));
    }

    #[test]
    fn tells_the_language_by_the_ending_and_refuses_others() {
        let context = code("code/matrix.cpp", "int main() {}").unwrap();
        assert_eq!((context.title.as_str(), context.topic.as_str()), ("matrix.cpp", "C++"));
        assert!(code("code/matrix.f90", "end").is_err());
        assert!(code("code/matrix.cpp", " \n").is_err());
    }

    #[test]
    fn puts_a_questions_title_before_its_text() {
        let text = "[[question]]\ntitle = \"Why?\"\nbody = '''\nIt is so.\n'''\nanswer = \"Thus.\"\n\
            tags = [\"rust\"]\nscore = 3\n";
        let context = &questions("questions.toml", text).unwrap()[0];
        assert_eq!(
            context.body,
            ContextBody::Question { question: "Why?\n\nIt is so.".into(), answer: "Thus.".into() }
        );
        assert_eq!(context.subtopic, "rust");
        assert!(questions("questions.toml", &text.replace("\"rust\"", "")).is_err());
    }
}

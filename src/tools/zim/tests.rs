//! Files that no present writer makes: the old scheme, and broken ones. What `zimwriterfs` makes is
//! read in `tests/it/zim.rs`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rand_chacha::rand_core::SeedableRng as _;
use sn1_actors::domain::{ContextBody, SourceKind};
use tempfile::TempDir;

use super::*;

enum Body {
    Html(String),
    Picture,
    /// To the entry of that path.
    Redirect(&'static str),
}

struct Entry {
    namespace: u8,
    path: &'static str,
    title: &'static str,
    body: Body,
}

fn entry(path: &'static str, title: &'static str, body: Body) -> Entry {
    Entry { namespace: b'A', path, title, body }
}

fn article(lead: &str, words: usize) -> Body {
    let rest = "word ".repeat(words);
    Body::Html(format!("<p>{lead}</p><h2>History</h2><p>{rest}</p><h2>See also</h2><p>others</p>"))
}

/// As the format says, with one cluster that is not compressed.
fn bytes(minor: u16, mut entries: Vec<Entry>) -> Vec<u8> {
    entries.sort_by_key(|entry| (entry.namespace, entry.path));
    let mut file = vec![0; 80];
    file.extend_from_slice(b"text/html\0image/png\0\0");
    let mut blobs = Vec::new();
    let mut positions = Vec::new();
    for Entry { namespace, path, title, body } in &entries {
        positions.push(file.len() as u64);
        let mut put = |mime: u16, numbers: &[u32]| {
            file.extend_from_slice(&mime.to_le_bytes());
            file.extend_from_slice(&[0, *namespace, 0, 0, 0, 0]);
            numbers.iter().for_each(|number| file.extend_from_slice(&number.to_le_bytes()));
        };
        match body {
            Body::Html(html) => {
                put(0, &[0, blobs.len() as u32]);
                blobs.push(html.as_bytes());
            }
            Body::Picture => {
                put(1, &[0, blobs.len() as u32]);
                blobs.push(b"png");
            }
            Body::Redirect(to) => {
                let to = entries.iter().position(|entry| entry.path == *to).unwrap();
                put(0xffff, &[to as u32]);
            }
        }
        file.extend_from_slice(format!("{path}\0{title}\0").as_bytes());
    }
    let paths = file.len() as u64;
    positions.iter().for_each(|position| file.extend_from_slice(&position.to_le_bytes()));
    let titles = file.len() as u64;
    let mut by_title: Vec<usize> = (0..entries.len()).collect();
    by_title.sort_by_key(|at| {
        let Entry { namespace, path, title, .. } = &entries[*at];
        (*namespace, if title.is_empty() { *path } else { *title })
    });
    by_title.iter().for_each(|at| file.extend_from_slice(&(*at as u32).to_le_bytes()));
    let cluster = file.len() as u64;
    file.push(1);
    let mut offset = 4 * (blobs.len() as u32 + 1);
    for blob in &blobs {
        file.extend_from_slice(&offset.to_le_bytes());
        offset += blob.len() as u32;
    }
    file.extend_from_slice(&offset.to_le_bytes());
    blobs.iter().for_each(|blob| file.extend_from_slice(blob));
    let clusters = file.len() as u64;
    file.extend_from_slice(&cluster.to_le_bytes());
    let end = file.len() as u64;
    file.extend_from_slice(&[0; 16]);

    let mut header = Vec::new();
    header.extend_from_slice(&72_173_914_u32.to_le_bytes());
    [6, minor].iter().for_each(|version: &u16| header.extend_from_slice(&version.to_le_bytes()));
    header.extend_from_slice(&[0; 16]);
    [entries.len() as u32, 1].iter().for_each(|n| header.extend_from_slice(&n.to_le_bytes()));
    [paths, titles, clusters, 80].iter().for_each(|n| header.extend_from_slice(&n.to_le_bytes()));
    header.extend_from_slice(&[0xff; 8]);
    header.extend_from_slice(&end.to_le_bytes());
    file[..80].copy_from_slice(&header);
    file
}

fn encyclopedia() -> Vec<Entry> {
    let day = "<h2>Events</h2><h3>Pre-1600</h3><ul><li>AD 70 – A city is besieged.</li></ul>\
        <h3>1901–present</h3><ul><li><a>1969</a> – People walk on the Moon.</li></ul>\
        <h2>Births</h2><ul><li>1822 – Gregor Mendel, botanist (d. 1884)</li></ul>\
        <h2>Holidays</h2><ul><li>1900 – A holiday in a town.</li></ul>";
    vec![
        entry("Tea.html", "Tea", article("Tea is a drink.", 300)),
        entry("Chai", "Chai", Body::Redirect("Tea.html")),
        entry("New_York_City", "", article("New York City is a city.", 260)),
        entry("Stub", "Stub", article("A stub.", 100)),
        entry("List_of_teas", "List of teas", article("Teas.", 400)),
        entry("Mercury", "Mercury", article("Mercury may refer to:", 400)),
        entry("July_20", "July 20", Body::Html(day.into())),
        entry("Loop", "Loop", Body::Redirect("Pool")),
        entry("Pool", "Pool", Body::Redirect("Loop")),
        Entry { namespace: b'I', path: "tea.png", title: "", body: Body::Picture },
    ]
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn with(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.zim"), bytes).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("x.zim")
    }

    fn open(&self) -> Result<ZimFile, ZimError> {
        ZimFile::open(&self.path())
    }
}

async fn fetch(file: &ZimFile, want: Want, seed: u64) -> Result<Context, ToolError> {
    file.fetch(want, ChaCha8Rng::seed_from_u64(seed)).await
}

async fn titles_drawn(file: &ZimFile) -> BTreeSet<String> {
    let mut titles = BTreeSet::new();
    for seed in 0..60 {
        titles.insert(fetch(file, Want::Random(SourceKind::Article), seed).await.unwrap().title);
    }
    titles
}

#[tokio::test]
async fn the_old_scheme_is_read_and_only_articles_are_drawn() {
    let file = Place::with(&bytes(0, encyclopedia())).open().unwrap();
    assert_eq!(titles_drawn(&file).await, ["New York City", "Tea"].map(str::to_owned).into());

    let tea = fetch(&file, Want::Title("tea".into()), 0).await.unwrap();
    let ContextBody::Article { sections } = &tea.body else { panic!("{tea:?}") };
    let headings: Vec<_> = sections.iter().map(|section| section.heading.as_deref()).collect();
    assert_eq!(headings, [None, Some("History")]);
    assert_eq!((tea.subtopic.as_str(), tea.source.as_str()), ("History", "zim"));
    assert_eq!(tea.origin.as_ref().unwrap().url, "zim:x.zim/Tea.html");
    assert_eq!(fetch(&file, Want::Title("Chai".into()), 0).await, Ok(tea));
}

#[tokio::test]
async fn without_a_list_by_title_the_paths_serve() {
    let mut bytes = bytes(0, encyclopedia());
    bytes[40..48].copy_from_slice(&[0xff; 8]);
    let file = Place::with(&bytes).open().unwrap();
    assert_eq!(titles_drawn(&file).await, ["New York City", "Tea"].map(str::to_owned).into());
    let found =
        fetch(&file, Want::Search(SourceKind::Article, "How large is new york city?".into()), 0)
            .await
            .unwrap();
    assert_eq!(found.title, "New York City");
}

#[tokio::test]
async fn a_search_finds_titles_in_questions() {
    let file = Place::with(&bytes(0, encyclopedia())).open().unwrap();
    for (question, title) in [
        ("Who drinks tea?", "Tea"),
        ("What do you know about new york city's history?", "New York City"),
        ("What is chai made of?", "Tea"),
        ("Who mentions teas?", "Tea"),
    ] {
        let found = fetch(&file, Want::Search(SourceKind::Article, question.into()), 0).await;
        assert_eq!(found.map(|context| context.title), Ok(title.into()), "{question}");
    }
    for question in ["What is a volcano?", "", "What is it about?", "Mercury", "\u{0}\u{ffff}"] {
        let found = fetch(&file, Want::Search(SourceKind::Article, question.into()), 0).await;
        assert_eq!(found, Err(ToolError::Nothing { tool: "zim" }), "{question}");
    }
}

#[tokio::test]
async fn days_give_facts_where_the_file_has_them() {
    let file = Place::with(&bytes(0, encyclopedia())).open().unwrap();
    assert!(file.offers(SourceKind::DatedFact));
    let mut dates = BTreeSet::new();
    for seed in 0..40 {
        let fact = fetch(&file, Want::Random(SourceKind::DatedFact), seed).await.unwrap();
        let ContextBody::DatedFact { date, .. } = fact.body else { panic!("{fact:?}") };
        dates.insert(date);
    }
    assert_eq!(dates, ["0070-07-20", "1822-07-20", "1969-07-20"].map(str::to_owned).into());

    let without = encyclopedia().into_iter().filter(|entry| entry.path != "July_20").collect();
    let file = Place::with(&bytes(0, without)).open().unwrap();
    assert!(file.offers(SourceKind::Article) && !file.offers(SourceKind::DatedFact));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_broken_are_told_apart() {
    let file = Place::with(&bytes(0, encyclopedia())).open().unwrap();
    let nothing = Err(ToolError::Nothing { tool: "zim" });
    let long = "x".repeat(100_000);
    for title in ["Coffee", "", "Mercury", "List of teas", "tea.png", long.as_str()] {
        assert_eq!(fetch(&file, Want::Title(title.into()), 0).await, nothing, "{title}");
    }
    assert_eq!(fetch(&file, Want::Random(SourceKind::Code), 0).await, nothing);
    let Err(ToolError::Failed { cause, .. }) = fetch(&file, Want::Title("Loop".into()), 0).await
    else {
        panic!("a loop of redirects ends nowhere")
    };
    assert!(cause.contains("redirect") && cause.contains("zimcheck"), "{cause}");
    assert!(cause.contains(".zim: "), "it does not say which file: {cause}");
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_cause_and_remedy() {
    let whole = bytes(0, encyclopedia());
    let refused = |bytes: &[u8]| {
        let place = Place::with(bytes);
        let error = place.open().err().expect("it is refused");
        assert_eq!(error.path, place.path());
        assert!(error.to_string().contains(&place.path().display().to_string()), "{error}");
        error
    };
    for length in [0, 1, 79, 80, 200, whole.len() - 17, whole.len() - 1] {
        assert!(refused(&whole[..length]).remedy.contains("download"), "{length}");
    }
    assert!(refused(b"<html>not found</html>").remedy.contains("download"));
    let pictures = vec![Entry { namespace: b'A', path: "a.png", title: "", body: Body::Picture }];
    assert!(refused(&bytes(0, pictures)).cause.contains("no articles"));
    // A new file without a list, and without anything where articles would be.
    assert!(refused(&bytes(1, encyclopedia())).cause.contains("no articles"));

    let missing = ZimFile::open(Path::new("/no/such.zim")).err().unwrap();
    assert!(missing.to_string().contains("/no/such.zim") && missing.remedy.contains("path"));
}

#[tokio::test]
async fn a_huge_cluster_is_not_unpacked() {
    let mut entries = encyclopedia();
    entries.push(entry("Huge", "Huge", Body::Html("x".repeat(17 << 20))));
    let file = Place::with(&bytes(0, entries)).open().unwrap();
    let Err(ToolError::Failed { cause, .. }) = fetch(&file, Want::Title("Tea".into()), 0).await
    else {
        panic!("the cluster is too large")
    };
    assert!(cause.contains("a cluster of 17"), "{cause}");
}

/// What is read from a damaged file may be nonsense, but it is read or refused.
#[tokio::test]
async fn no_damage_makes_the_reader_panic_or_hang() {
    let whole = bytes(0, encyclopedia());
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let mut opened = 0;
    for round in 0..600 {
        let mut damaged = whole.clone();
        // Numbers are at the beginning and in the lists; prose is most of the rest.
        for _ in 0..random.random_range(1..4) {
            let at = if random.random() { 80 } else { damaged.len() };
            let at = random.random_range(0..at);
            damaged[at] = [0, 1, 0x7f, 0xff, random.random()][random.random_range(0..5)];
        }
        let Ok(file) = Place::with(&damaged).open() else { continue };
        opened += 1;
        for want in [
            Want::Random(SourceKind::Article),
            Want::Random(SourceKind::DatedFact),
            Want::Title("Chai".into()),
            Want::Search(SourceKind::Article, "tea in new york city".into()),
        ] {
            if let Err(ToolError::Failed { cause, .. }) = fetch(&file, want, round).await {
                assert!(!cause.contains("panic"), "round {round}: {cause}");
            }
        }
    }
    assert!(opened > 100, "{opened}");
}

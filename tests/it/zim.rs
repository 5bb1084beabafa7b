//! The ZIM tool on a file that the reference writer makes in the test run, where there is one
//! (`SN1_ZIMWRITERFS`; `scripts/test.sh` installs it).

#![expect(clippy::print_stdout, reason = "what is skipped is said")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sn1::tools::ZimFile;
use sn1_actors::domain::{Context, ContextBody, SourceKind};
use sn1_actors::ports::{Tool as _, ToolError, Want};

use crate::harness::Place;

/// A picture of 48 by 48 white pixels, which the writer wants for the file's cover.
const COVER: &str = "\
    89504e470d0a1a0a0000000d4948445200000030000000300802000000d8606ed00000004549444154789ced\
    cea10100200cc0b0fdff34f8994810cd0599f399791dd80a4921292485a49014924252480a4921292485a490\
    14924252480a4921292485a49014924272018062e687b924235a0000000049454e44ae426082";

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{title}</title>\
         <link rel=\"canonical\" href=\"https://example.org/wiki/{title}\">\
         <style>p {{ margin: 0 }}</style></head><body><h1>{title}</h1>{body}</body></html>"
    )
}

fn prose(subject: &str, words: usize) -> String {
    let words: String = (0..words).map(|n| format!("{subject} has a side {n}. ")).collect();
    format!(
        "<table class=\"infobox\"><tr><td>box</td></tr></table><p><b>{subject}</b> is known &amp; \
         liked.</p><div id=\"toc\"><h2>Contents</h2></div><h2>History</h2><p>{words}</p>\
         <h2>References</h2><ol><li>A book</li></ol>"
    )
}

/// The file, if there is a writer.
fn made(place: &Place) -> Option<PathBuf> {
    let Some(writer) = std::env::var_os("SN1_ZIMWRITERFS").filter(|path| !path.is_empty()) else {
        println!("skipped: SN1_ZIMWRITERFS names no zimwriterfs (Debian package zim-tools)");
        return None;
    };
    let day = "<h2>Events</h2><ul><li>1969 – People walk on the Moon.</li></ul><h2>Deaths</h2>\
        <ul><li>1937 – Guglielmo Marconi, inventor (b. 1874)</li></ul>";
    let refresh = "<html><head><title>Chai</title><meta http-equiv=\"refresh\" \
        content=\"0;url=Tea.html\"></head><body></body></html>";
    for (name, html) in [
        ("index.html", page("Main page", "<p>Welcome.</p>")),
        ("Tea.html", page("Tea", &prose("Tea", 60))),
        ("Zürich.html", page("Zürich", &prose("Zürich", 60))),
        ("New_York.html", page("New York", &prose("New York", 60))),
        ("Stub.html", page("Stub", &prose("Stub", 5))),
        ("List_of_teas.html", page("List of teas", &prose("A list", 60))),
        ("July_20.html", page("July 20", day)),
        ("Chai.html", refresh.to_owned()),
        ("code.css", "p { color: red }".to_owned()),
    ] {
        place.write(&format!("html/{name}"), &html);
    }
    std::fs::write(place.path("html/cover.png"), hex::decode(COVER).unwrap()).unwrap();
    let mut write = Command::new(writer);
    for (key, value) in [
        ("welcome", "index.html"),
        ("illustration", "cover.png"),
        ("language", "eng"),
        ("title", "Test"),
        ("description", "Some pages"),
        ("creator", "sn1"),
        ("publisher", "sn1"),
        ("name", "test"),
    ] {
        write.arg(format!("--{key}={value}"));
    }
    let path = place.path("test.zim");
    let run =
        write.arg(place.path("html")).arg(&path).current_dir(place.path(".")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(path)
}

async fn fetch(file: &ZimFile, want: Want, seed: u64) -> Result<Context, ToolError> {
    file.fetch(want, ChaCha8Rng::seed_from_u64(seed)).await
}

#[tokio::test]
async fn a_file_of_the_reference_writer_is_read() {
    let place = Place::new();
    let Some(path) = made(&place) else { return };
    let file = ZimFile::open(&path).unwrap();
    assert!(file.offers(SourceKind::Article) && file.offers(SourceKind::DatedFact));

    let mut drawn = BTreeSet::new();
    for seed in 0..60 {
        let article = fetch(&file, Want::Random(SourceKind::Article), seed).await.unwrap();
        assert_eq!(fetch(&file, Want::Random(SourceKind::Article), seed).await.unwrap(), article);
        drawn.insert(article.title);
    }
    assert_eq!(drawn, ["New York", "Tea", "Zürich"].map(str::to_owned).into());

    for title in ["Zürich", "zürich"] {
        let article = fetch(&file, Want::Title(title.into()), 0).await.unwrap();
        assert_eq!(article.origin.as_ref().unwrap().url, "https://example.org/wiki/Zürich");
        let ContextBody::Article { sections } = article.body else { panic!("no article") };
        assert_eq!(sections[0].text, "Zürich is known & liked.");
        assert_eq!(sections[1].heading.as_deref(), Some("History"));
        assert_eq!(sections.len(), 2);
    }
    for (want, title) in [
        (Want::Title("Chai".into()), "Tea"),
        (Want::Search(SourceKind::Article, "What is there to see in New York?".into()), "New York"),
    ] {
        assert_eq!(fetch(&file, want, 0).await.unwrap().title, title);
    }
    let missing = fetch(&file, Want::Title("Coffee".into()), 0).await;
    assert_eq!(missing, Err(ToolError::Nothing { tool: "zim" }));

    let fact = fetch(&file, Want::Random(SourceKind::DatedFact), 1).await.unwrap();
    let ContextBody::DatedFact { date, .. } = fact.body else { panic!("no fact") };
    assert!(date.ends_with("-07-20"), "{date}");
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused_by_name() {
    let place = Place::new();
    let Some(path) = made(&place) else { return };
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 40, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = ZimFile::open(&path).err().unwrap().to_string();
        assert!(error.contains("test.zim") && error.contains("download the file again"), "{error}");
    }
    let error = ZimFile::open(Path::new("missing.zim")).err().unwrap().to_string();
    assert!(error.contains("missing.zim"), "{error}");
}

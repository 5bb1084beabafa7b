//! A source of code, always the same file.

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use sn1_actors::domain::{Context, ContextBody, SourceKind};
use sn1_actors::ports::{Tool, ToolError, Want};

/// The code of every file.
pub(crate) const CODE: &str = "\
def mean(values):
    total = 0
    for value in values:
        total += value
    return total / len(values)

def spread(values):
    middle = mean(values)
    total = 0
    for value in values:
        total += (value - middle) ** 2
    return total / (len(values) - 1)
";

/// Offers one source file, again and again.
pub(crate) struct OneFile;

impl Tool for OneFile {
    fn name(&self) -> &'static str {
        "one_file"
    }

    fn is_slow(&self) -> bool {
        false
    }

    fn offers(&self, kind: SourceKind) -> bool {
        kind == SourceKind::Code
    }

    fn fetch(&self, _: Want, _: ChaCha8Rng) -> BoxFuture<'static, Result<Context, ToolError>> {
        let context = Context {
            source: self.name().into(),
            title: "spread.py".into(),
            topic: "statistics".into(),
            subtopic: "Python".into(),
            tags: Vec::new(),
            origin: None,
            body: ContextBody::Code { language: "Python".into(), text: CODE.into() },
        };
        Box::pin(std::future::ready(Ok(context)))
    }
}

//! The description of the gateway for programs and people, which is where what is not carried to
//! the miners is documented.

/// The document, in JSON.
pub(super) const DOCUMENT: &str = include_str!("openapi.json");

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::messages::MAX_MESSAGES;
    use super::super::request::MAX_STOPS;
    use super::*;

    #[test]
    fn the_document_says_what_the_gateway_does() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
        let served = [
            "/health",
            "/openapi.json",
            "/v1/chat/completions",
            "/v1/models",
            "/v1/models/{model}",
        ];
        assert_eq!(paths, served);
        let request = &document["components"]["schemas"]["ChatRequest"]["properties"];
        assert_eq!(request["messages"]["maxItems"], MAX_MESSAGES);
        assert_eq!(request["stop"]["oneOf"][1]["maxItems"], MAX_STOPS);
        for taste in ["temperature", "top_p", "seed", "frequency_penalty", "presence_penalty"] {
            let said = request[taste]["description"].as_str().unwrap();
            assert!(said.contains("no effect"), "{taste}: {said}");
        }
        let replies = document["paths"]["/v1/chat/completions"]["post"]["responses"].as_object();
        let statuses: Vec<_> = replies.unwrap().keys().collect();
        let expected =
            ["200", "400", "401", "404", "405", "408", "413", "415", "429", "502", "503", "504"];
        assert_eq!(statuses, expected);
    }

    /// Every `$ref` of a part of the document.
    fn references<'a>(part: &'a Value, found: &mut Vec<&'a str>) {
        match part {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn whatever_the_document_refers_to_is_in_it() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let place = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(place).is_some(), "{reference}");
        }
    }
}

//! Which of the models that a server lists is the one that is wanted. Pure.

use sn1_actors::text::shown::shown;

use super::protocol::Listed;

/// The name that means: the only model that the server has.
pub(super) const AUTO: &str = "auto";
/// So many models are named in an error.
const MAX_NAMED: usize = 8;

/// The name to ask with, or what is wrong with the server.
pub(super) fn choose(wanted: &str, listed: &[Listed]) -> Result<String, String> {
    if wanted.is_empty() || wanted == AUTO {
        return match listed {
            [only] => Ok(only.id.clone()),
            [] => Err("has no model".into()),
            _ => Err(format!(
                "has several models ({}): engine.server_model says which to use",
                names(listed)
            )),
        };
    }
    let has =
        |model: &Listed| model.id == wanted || model.aliases.iter().any(|name| name == wanted);
    if listed.iter().any(has) {
        return Ok(wanted.to_owned());
    }
    let has = if listed.is_empty() { "no model".into() } else { names(listed) };
    Err(format!("has not the model {} but {has}", shown(wanted)))
}

fn names(listed: &[Listed]) -> String {
    let mut names: Vec<String> = listed.iter().take(MAX_NAMED).map(|m| shown(&m.id)).collect();
    if listed.len() > MAX_NAMED {
        names.push(format!("{} more", listed.len() - MAX_NAMED));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[&str]) -> Vec<Listed> {
        let listed = |name: &&str| Listed { id: (*name).to_owned(), aliases: vec!["other".into()] };
        names.iter().map(listed).collect()
    }

    #[test]
    fn takes_the_only_model_whatever_its_name_when_none_is_wanted() {
        for wanted in ["", "auto"] {
            assert_eq!(choose(wanted, &listed(&["/m/a.gguf"])).unwrap(), "/m/a.gguf");
            assert_eq!(choose(wanted, &listed(&[])).unwrap_err(), "has no model");
            let several = choose(wanted, &listed(&["a", "b"])).unwrap_err();
            assert!(several.contains("(a, b)") && several.contains("server_model"), "{several}");
        }
    }

    #[test]
    fn takes_a_wanted_model_by_either_name_and_says_what_is_there_instead() {
        assert_eq!(choose("b", &listed(&["a", "b"])).unwrap(), "b");
        assert_eq!(choose("other", &listed(&["a"])).unwrap(), "other");
        let wrong = choose("c", &listed(&["a", "b"])).unwrap_err();
        assert_eq!(wrong, "has not the model c but a, b");
        let many: Vec<&str> = vec!["m"; 30];
        let wrong = choose("c", &listed(&many)).unwrap_err();
        assert!(wrong.ends_with("m, m, 22 more"), "{wrong}");
    }
}

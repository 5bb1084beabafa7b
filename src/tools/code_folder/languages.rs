//! Which language a file is written in, by its name.
//!
//! Endings that several languages share are left out, and so is what is data or prose.

/// Whole names, in lower case.
const NAMES: [(&str, &str); 5] = [
    ("cmakelists.txt", "CMake"),
    ("dockerfile", "Dockerfile"),
    ("gnumakefile", "Makefile"),
    ("makefile", "Makefile"),
    ("rakefile", "Ruby"),
];

/// Endings in lower case, without their dot.
const ENDINGS: [(&str, &str); 79] = [
    ("adb", "Ada"),
    ("asm", "Assembly"),
    ("awk", "AWK"),
    ("bash", "Shell"),
    ("bat", "Batch"),
    ("c", "C"),
    ("cc", "C++"),
    ("clj", "Clojure"),
    ("cljs", "ClojureScript"),
    ("cmake", "CMake"),
    ("coffee", "CoffeeScript"),
    ("cpp", "C++"),
    ("cr", "Crystal"),
    ("cs", "C#"),
    ("css", "CSS"),
    ("cu", "CUDA"),
    ("cxx", "C++"),
    ("dart", "Dart"),
    ("dockerfile", "Dockerfile"),
    ("el", "Emacs Lisp"),
    ("elm", "Elm"),
    ("erl", "Erlang"),
    ("ex", "Elixir"),
    ("exs", "Elixir"),
    ("f90", "Fortran"),
    ("f95", "Fortran"),
    ("fs", "F#"),
    ("glsl", "GLSL"),
    ("go", "Go"),
    ("gradle", "Gradle"),
    ("groovy", "Groovy"),
    ("h", "C"),
    ("hh", "C++"),
    ("hpp", "C++"),
    ("hs", "Haskell"),
    ("htm", "HTML"),
    ("html", "HTML"),
    ("java", "Java"),
    ("jl", "Julia"),
    ("js", "JavaScript"),
    ("jsx", "JavaScript"),
    ("kt", "Kotlin"),
    ("kts", "Kotlin"),
    ("less", "Less"),
    ("lisp", "Common Lisp"),
    ("lua", "Lua"),
    ("mjs", "JavaScript"),
    ("mk", "Makefile"),
    ("ml", "OCaml"),
    ("mli", "OCaml"),
    ("mm", "Objective-C++"),
    ("nim", "Nim"),
    ("nix", "Nix"),
    ("pas", "Pascal"),
    ("php", "PHP"),
    ("pl", "Perl"),
    ("pm", "Perl"),
    ("proto", "Protocol Buffers"),
    ("ps1", "PowerShell"),
    ("py", "Python"),
    ("pyx", "Cython"),
    ("r", "R"),
    ("rb", "Ruby"),
    ("rkt", "Racket"),
    ("rs", "Rust"),
    ("sass", "Sass"),
    ("scala", "Scala"),
    ("scm", "Scheme"),
    ("scss", "SCSS"),
    ("sh", "Shell"),
    ("sol", "Solidity"),
    ("sql", "SQL"),
    ("swift", "Swift"),
    ("tcl", "Tcl"),
    ("tf", "Terraform"),
    ("tsx", "TypeScript"),
    ("ts", "TypeScript"),
    ("vue", "Vue"),
    ("zig", "Zig"),
];

/// The language's usual name; none for what is no source file.
pub(super) fn language(file_name: &str) -> Option<&'static str> {
    let name = file_name.to_lowercase();
    let among = |table: &[(&str, &'static str)], key: &str| {
        table.iter().find(|(known, _)| *known == key).map(|(_, language)| *language)
    };
    let ending = || name.rsplit_once('.').and_then(|(_, ending)| among(&ENDINGS, ending));
    among(&NAMES, &name).or_else(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_languages() {
        for (name, expected) in [
            ("main.rs", Some("Rust")),
            ("Main.JAVA", Some("Java")),
            ("Dockerfile", Some("Dockerfile")),
            ("web.dockerfile", Some("Dockerfile")),
            ("CMakeLists.txt", Some("CMake")),
            ("notes.txt", None),
            ("data.json", None),
            ("rs", None),
            ("", None),
        ] {
            assert_eq!(language(name), expected, "{name}");
        }
    }
}

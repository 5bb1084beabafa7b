//! References, completions that state them, and completions that do not.

use proptest::prelude::*;

use super::tokens::MOST_WORK;
use super::*;

fn exact_form(reference: &str, completion: &str) -> Score {
    super::exact_form(reference, completion, &Effort::default())
}

fn right(reference: &str, completions: &[&str]) {
    for completion in completions {
        assert_eq!(exact_form(reference, completion), Score::ONE, "{reference:?}: {completion:?}");
    }
}

fn wrong(reference: &str, completions: &[&str]) {
    for completion in completions {
        assert_eq!(exact_form(reference, completion), Score::ZERO, "{reference:?}: {completion:?}");
    }
}

#[test]
fn fractions_count_by_their_value() {
    right(
        "1/2",
        &[
            "1/2",
            "The answer is 2/4.",
            "0.5",
            r"$\frac{1}{2}$",
            r"\[ \boxed{\dfrac{3}{6}} \]",
            "1/4 + 1/4 = 1/2",
            "It is **1/2**, which took 3 steps and is more than 1/3.",
            "The answer is x = 1/2. For comparison, 2/3 is larger.",
        ],
    );
    right("-3/4", &["−3/4", r"x = -\frac{3}{4}", "-0.75", r"\frac{-3}{4}"]);
    right("1/3", &["0.3333333333"]);
    wrong(
        "1/2",
        &[
            "",
            "one half",
            "1/4 + 1/4",
            "-1/2",
            "1/3, 1/4, 1/5, 1/2, 2/3",
            "The answer is 3, though 1/2 was close.",
            "1 / 0",
            r"\frac{1}{0}",
            "1/2/3 * 2",
        ],
    );
    wrong("1/3", &["0.33"]);
}

#[test]
fn lists_keep_their_order_and_sets_do_not() {
    right(
        "2, 2, 3",
        &[
            "2, 2, 3",
            "The prime factors of 12 are 2, 2, and 3.",
            "[2, 2, 3]",
            "$2$, $2$, $3$",
            "12 = 2 * 6 = 2 * 2 * 3, so:\n\n```\n2, 2, 3\n```",
            "**Answer:** 2,2,3 (not 2, 3 as one may think)",
        ],
    );
    wrong("2, 2, 3", &["2, 3", "3, 2, 2", "2, 2, 3, 3", "2 2 3", "2, 2, 3\n1, 2, 3, 4"]);
    right("2, 31", &["2 and 31", "They are 2, 31."]);
    right("0, 1, 1, 2", &["0, 1, 1, 2, ..."]);
    right("{1, 4}", &["{4, 1}", r"\{1, 4\}", "A ∪ B = {1, 4}", "The union is 1, 4."]);
    wrong("{1, 4}", &["{1, 4, 5}", "{1}", "A = {1, 4}, B = {5, 6}", "14"]);
    right("{3}", &["{3}", "[3]"]);
    wrong("{3}", &["3 {4}"]);
}

#[test]
fn tuples_may_name_their_entries() {
    right(
        "(3, -1)",
        &[
            "(3, -1)",
            "(3,−1)",
            r"$\left( 3, -1 \right)$",
            "x = 3, y = -1",
            "Adding both equations gives $x = 3$ and $y = -1$.",
            "(x, y) = (3, -1)",
            r"\begin{pmatrix} 3 \\ -1 \end{pmatrix}",
            "⟨3, -1⟩",
            "(3, 1) was wrong; the answer is (x, y) = (3, -1), not (1, 3).",
            "x = 3\ny = -1",
        ],
    );
    wrong(
        "(3, -1)",
        &["(-1, 3)", "(3, 1)", "y = -1, x = 3, z = 2", "(3, -1, 0)", "3", "(3, -1) * (1, 2)"],
    );
    right("(-0.62, -4.35)", &["(-0.62, -4.35)", "(-0.6221, -4.3493)"]);
    wrong("(-0.62, -4.35)", &["(-0.6, -4.4)", "(-0.63, -4.35)"]);
    right("(360/71, 62/71)", &[r"\left(\frac{360}{71}, \frac{62}{71}\right)"]);
}

#[test]
fn matrices_are_read_from_latex_and_python() {
    right(
        "[[1, -2], [3, 4]]",
        &[
            "[[1, -2], [3, 4]]",
            "array([[1, -2],\n       [3,  4]])",
            "[[ 1 -2]\n [ 3  4]]",
            r"\begin{bmatrix} 1 & -2 \\ 3 & 4 \\ \end{bmatrix}",
            r"$A \cdot B = \left[\begin{array}{cc} 1 & -2 \\ 3 & 4 \end{array}\right]$",
            "[[1, 0], [0, 1]] * [[1, -2], [3, 4]] = [[1, -2], [3, 4]].",
        ],
    );
    wrong(
        "[[1, -2], [3, 4]]",
        &[
            "[[1, 2], [3, 4]]",
            "[[1, -2, 3, 4]]",
            "[[1, -2], [3, 4], [5, 6]]",
            "[[1, -2], [3, 4]",
            "[[1, -2], [3, 4]] * [[1, 0], [0, 1]]",
        ],
    );
}

#[test]
fn sums_may_be_written_in_any_order_and_notation() {
    right(
        "3x^2 - 2x + 5",
        &[
            "3x^2 - 2x + 5",
            "f(x) = 5 - 2x + 3x²",
            "3*x**2 - 2*x + 5",
            r"$3x^{2} - 2x + 5$",
            r"3 \cdot x^2-2 \cdot x+5",
            "The result is **3x^2 - 2x + 5** where x is any number, as in x + 1.",
            "Answer: 3x^2 - 2x + 5.\nCheck: x^2 - 1 has other zeros.",
        ],
    );
    wrong(
        "3x^2 - 2x + 5",
        &[
            "3x^2 + 2x + 5",
            "3x^2 - 2x",
            "x^2 + 2x^2 - 2x + 5",
            "(3x^2 - 2x + 5)(x + 1) gives x + 1",
            "3y^2 - 2y + 5",
            "3x^2 - 2x + 5, or 3x^2 - 2x - 5",
            "3x^2 - 2x + 5 + x^2",
        ],
    );
    right("12x^3", &["12x^3", "f'(x) = 12x³, for all x"]);
    right(
        "(5/4)x^4 - x + C",
        &[r"\frac{5}{4}x^4 - x + C", "5x^4/4 - x + C", r"\frac{5x^4}{4}-x+C"],
    );
    wrong("(5/4)x^4 - x + C", &["5x^4/4 - x"]);
    right("y = 2x - 1/2", &["y = 2x - 1/2", "y = 2x - 0.5", "f(x) = -0.5 + 2x"]);
    wrong("y = 2x - 1/2", &["y = 2x + 1/2"]);
}

#[test]
fn complex_numbers_are_sums_in_i() {
    right("3+4i", &["3 + 4i", "3+4j", r"3 + 4\mathrm{i}", "4i + 3", "(3+4i)", "I get 3+4i"]);
    wrong("3+4i", &["3-4i", "4+3i", "3+4", "(1+2i)(3+4i)", "7i"]);
    right("3-i", &["3 - i", "3 - 1i"]);
}

#[test]
fn products_may_have_their_factors_in_any_order() {
    right(
        "(x + 2)(x - 9)",
        &["(x+2)(x-9)", "(x - 9)*(x + 2)", r"\boxed{(x-9)(x+2)}", "(-x - 2)(9 - x)"],
    );
    wrong("(x + 2)(x - 9)", &["x^2 - 7x - 18", "(x-2)(x+9)", "1(x^2 - 7x - 18)", "-(x+2)(x-9)"]);
    right("(x + 3)(x + 3)", &["(x+3)^2", "(x + 3)²"]);
    right("2(x + 1)(x + 2)", &["(2x + 2)(x + 2)"]);
}

#[test]
fn labelled_values_may_be_sentences() {
    right(
        "mean 3.5, median 4",
        &[
            "mean 3.5, median 4",
            "The mean is 3.5 and the median is 4.",
            "**Median:** 4\n**Mean:** 21/6 = 3.5",
            "| mean | 3.5 |\n| median | 4 |",
        ],
    );
    wrong("mean 3.5, median 4", &["mean 4, median 3.5", "mean 3.5", "3.5, 4"]);
    right("3 hours, 25 minutes", &["3 hours and 25 minutes", "It is 3 hours 25 minutes."]);
    wrong("3 hours, 25 minutes", &["25 hours, 3 minutes", "205 minutes"]);
}

#[test]
fn digits_of_other_bases_need_no_prefix() {
    right("0b11100", &["11100", "28 in binary is 11100", "0b11100", "11100_2", "(11100)_{2}"]);
    right("0b11100", &["0001 1100", "**11100** because 28 = 16 + 8 + 4 and 10 is 2"]);
    wrong("0b11100", &["28", "11101", "0x11100", "11100_3", "11100, no: 11101"]);
    right("0b0101", &["0101", "The one's complement of 1010 is 0101."]);
    wrong("0b0101", &["101"]);
    right("0x1f", &["1F", "0x1f", "31 is 1F in base 16", "1f is right"]);
    wrong("0x1f", &["31", "face", "0b1f"]);
    right("6BC7_16", &["6BC7", r"6bc7_{16}", "6BC7₁₆", "0x6BC7"]);
}

#[test]
fn yes_and_no_are_read_from_the_last_sentence_that_says_one() {
    right("yes", &["yes", "Yes, 97 has no divisors.", "No doubt: the answer is yes", "**Yes**"]);
    right("yes", &["No. Wait, I erred. Yes."]);
    right("yes", &["Is 97 prime? Answer yes or no. Yes"]);
    right("no", &["No", "It is no prime.", r"\boxed{\text{No}}", "no, since 91 = 7 * 13"]);
    wrong("yes", &["", "No", "yes or no", "Yes/No", "Yes, no, yes", "Yesterday", "Yes. No."]);
    wrong("no", &["yes or no", "Nothing", "Answer yes or no.", "Yes. No. Yes."]);
}

#[test]
fn comparison_symbols_are_not_those_of_tags_and_calculations() {
    right("<", &["<", "2/9 < 3/4", r"\frac{2}{9} \lt \frac{3}{4}", "`<` because 2*4 = 8, 27 > 8"]);
    right("<", &["&lt;", "2/9 < 3/4, since 2*4 = 8", "2/9 is less than 3/4."]);
    right("=", &["1/2 = 2/4", "The answer is =, as 3 > 2 does not matter"]);
    wrong("<", &["", ">", "2/9 < 3/4 or 2/9 > 3/4", "<br>", "<=", "=> ->", "< > ="]);
    wrong(">", &["Which of < or > is it?", "<think>"]);
}

#[test]
fn roman_numerals_are_whole_words() {
    right("DLXX", &["DLXX", "570 is **DLXX**: D = 500, LXX = 70", "dlxx is the **dlxx**"]);
    wrong("DLXX", &["DLXXI", "570", "DLXXDLXX", "DLXX or DLXXI", "IIII"]);
    right("XIV", &["I think that I can mix X and IV: XIV"]);
}

#[test]
fn other_texts_are_compared_word_by_word() {
    right("-sin(x)", &["-sin(x)", r"The answer is $-\sin(x)$.", "d/dx cos(x) = -Sin(x)"]);
    right("-sqrt(3)/2", &[r"\boxed{-\frac{\sqrt{3}}{2}}", "sin(-60 degrees) = -sqrt(3)/2 ≈ -0.87"]);
    right("32^54", &["It is 32^{54}.\nAnswer: **32^54**", "(32^6)^9 = 32^{54}"]);
    wrong("32^54", &["(32^6)^9", "32^540", "32"]);
    wrong("-sin(x)", &["sin(x)", "-sin(x) + 1", "sin(x) or -sin(x) or cos(x)", ""]);
}

#[test]
fn hostile_texts_of_a_megabyte_are_measured() {
    let references = [
        "1/2",
        "2, 2, 3",
        "{1, 4}",
        "(3, -1)",
        "[[1, 2], [3, 4]]",
        "3x^2 - 2x + 5",
        "3+4i",
        "(x + 2)(x - 9)",
        "mean 3.5, median 4",
        "0b101",
        "yes",
        "<",
        "XIV",
        "-sin(x)",
    ];
    for piece in [
        "[",
        "[[1,",
        "(",
        "((x",
        "{",
        r"\frac{",
        r"\begin{pmatrix}",
        r"\boxed{",
        "answer is ",
        "1/",
        "1, ",
        "x + ",
        "x^",
        "(x+1)",
        "(1)^64",
        "(x)(1)^64",
        "yes no. ",
        "< ",
        "= ",
        "mean 1 ",
        "1010 ",
        "X",
        "\\",
        "**",
        "`",
        "²",
        "&",
        "x = 1, ",
        "9",
        "\u{0}",
        "🦀",
    ] {
        let text = piece.repeat(1_000_000 / piece.len());
        for reference in references {
            let _ = exact_form(reference, &text);
        }
        assert_eq!(exact_form(&text, "1/2"), Score::ZERO);
    }
}

/// The steps that a reference's reader takes.
fn work(reference: &str, text: &str) -> u64 {
    let effort = Effort::default();
    let text = Text::new(text, &effort);
    let before = effort.spent();
    Form::of(reference, &effort).is_stated(&text);
    effort.spent() - before
}

#[test]
fn texts_that_are_made_to_be_slow_take_a_bounded_number_of_steps() {
    let powers: String = (1..60).map(|power| format!("x^{power}+")).collect();
    let pieces = ["(1)^64", "(x)(1)^64", "(x)", "(x+1)", "(1)", "(1)^0", "x*", "1, ", "[[]", "[1 "];
    let mut slowest = (0, "");
    let bracketed = format!("({powers}1)");
    for piece in pieces.into_iter().chain([powers.as_str(), bracketed.as_str(), "x+1+"]) {
        let text = piece.repeat(10_000 / piece.len());
        for reference in
            ["(x + 2)(x + 9)", "3x^2 - 2x + 5", "2, 2, 3", "(3, -1)", "[[1, 2], [3, 4]]"]
        {
            slowest = slowest.max((work(reference, &text), piece));
        }
    }
    assert!(slowest.0 <= 2 * MOST_WORK, "{slowest:?}");
    // Each token is looked at, at the least.
    assert!(work("yes", &"yes no. ".repeat(1_000)) > 3_000);
    assert!(work("(x + 2)(x + 9)", &"(1)^64".repeat(2_000)) < 100_000);
    assert!(work("(x + 2)(x + 9)", &"So it is (x+2)(x+9). ".repeat(400)) < 100_000);
}

proptest! {
    #[test]
    fn any_two_texts_are_measured(reference in ".*", completion in "(?s).*") {
        let score = exact_form(&reference, &completion).get();
        prop_assert!(score == 0.0 || score == 1.0);
    }

    #[test]
    fn texts_of_mathematics_are_measured(
        reference in r"[x0-9 ,()\[\]{}<=>^*+/\\_&ij$.-]{0,30}",
        completion in r"[x0-9 ,()\[\]{}<=>^*+/\\_&ij$`\n.-]{0,80}",
    ) {
        let score = exact_form(&reference, &completion).get();
        prop_assert!(score == 0.0 || score == 1.0);
    }

    #[test]
    fn a_reference_states_itself(a in -99..99_i32, b in 2..99_i32, c in 1..99_i32) {
        for reference in [
            format!("{a}/{b}"),
            format!("{a}, {b}, {c}"),
            format!("{{{a}, {b}}}"),
            format!("({a}, -{b})"),
            format!("[[{a}, {b}], [{c}, 0]]"),
            format!("{b}x^{c} - {c}x + 1"),
            format!("{b}-{c}i"),
            format!("first {a}, second {b}"),
            format!("0x{b:x}"),
        ] {
            prop_assert_eq!(exact_form(&reference, &reference), Score::ONE, "{}", &reference);
            let sentence = format!("So the answer is {reference}.");
            prop_assert_eq!(exact_form(&reference, &sentence), Score::ONE, "{}", &sentence);
        }
    }
}

use super::*;

fn solved(text: &str) -> Option<String> {
    let found = solve(text)?;
    Some(found.strip_prefix("The answer is ")?.strip_suffix('.')?.to_owned())
}

/// What the maths tools of the program ask, and their solutions.
const POSED: &str = include_str!("posed.tsv");

#[test]
fn what_the_tools_pose_is_solved_as_they_solve_it_or_not_at_all() {
    let mut unsolved = Vec::new();
    let mut all = 0;
    for line in POSED.lines() {
        let (problem, solution) = line.split_once('\t').unwrap();
        all += 1;
        match solved(&format!("i have been at this for hours: {problem}")) {
            Some(found) => assert_eq!(found.to_lowercase(), solution.to_lowercase(), "{problem}"),
            None => unsolved.push(problem),
        }
    }
    assert!(unsolved.len() * 4 < all, "{} of {all}: {unsolved:#?}", unsolved.len());
}

#[test]
fn expressions_are_worked_out_exactly_in_signs_and_in_words() {
    for (text, expected) in [
        ("What is 2 + 3 * (4 - 1)?", "11"),
        ("calculate 2^10", "1024"),
        ("What is 5! / 3?", "40"),
        ("Hi! What is 7.5 percent of 200?", "15"),
        ("What is 0.1 plus 0.2?", "0.3"),
        ("What is -3 times -4?", "12"),
        ("What is 1/3 plus 1/6? Give it as a reduced fraction.", "1/2"),
        ("How much is 10 divided by 4?", "2.5"),
        ("Solve the equation 2x + 3 = 4x - 5 for x.", "4"),
        ("Solve the equation 3x = 1 for x.", "1/3"),
    ] {
        assert_eq!(solved(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_problem_has_no_solution() {
    let deep = format!("What is {}1?", "(".repeat(1_000));
    let long = format!("What is 1{}?", " + 1".repeat(500));
    for text in [
        "",
        "What is tea?",
        "What is 42?",
        "What is -42?",
        "What was the war of 1914 - 1918 about?",
        "What is the 100 metre dash?",
        "What is 1 / 0?",
        "What is 10^100?",
        "What is 2^3^2?",
        "What is 2 + ?",
        "What is -18446744073709551616 * 9223372036854775808?",
        "What is the sum of the first 999999999999999 terms of the arithmetic progression \
         -999999999999999, 999999999999999, 3 and so on?",
        "What is 99999999999999999999999999999999999999999999 + 1?",
        "What is 9/11?",
        "What's 24/7?",
        "What is 7-11?",
        "What is 9-1-1?",
        "Is 7 a good number of prime ministers?",
        "What is the square root of -4?",
        "Is the universe a prime number?",
        "Solve the equation 0x = 4 for x.",
        "Solve the equation of state for x.",
        "Given that it rains and snows, what is x?",
        &deep,
        &long,
    ] {
        assert_eq!(solve(text), None, "{text:.60}");
    }
}

#[test]
fn numbers_of_other_sentences_and_of_other_things_are_no_part_of_a_list() {
    for (text, expected) in [
        ("What is the median of 3, 5 and 9? I have 2 minutes.", Some("5")),
        ("What is the greatest common divisor of 12 and 18? It's for a class of 7.", Some("6")),
        ("What is the least common multiple of 4 and 6? I am 15.", Some("12")),
        ("Euclidean norm of the vector (3, 4)? By 5 pm.", Some("5")),
        ("What is the mean of -1.5 and 2.5. Thanks, from 3 of us.", Some("0.5")),
        ("What is the average of 10 students in 3 classes over 2 years?", None),
        ("What is the average of the primes between 1 and 10?", None),
        ("What is the mean of 1,000 and 2,000?", None),
        ("What is the mean of 3 and 5 squared?", None),
    ] {
        assert_eq!(solved(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn matrices_are_worked_out_exactly_and_only_where_they_are_such() {
    for (text, expected) in [
        ("What is the inverse of the matrix [[2, 1], [5, 3]]?", Some("[[3, -1], [-5, 2]]")),
        ("Hi from 2 of us! Find the inverse of [[2, 0], [0, 3]].", Some("[[1/2, 0], [0, 1/3]]")),
        (
            "What is the inverse of the matrix [[1, -2, 2], [-3, 7, -5], [3, -8, 5]]?",
            Some("[[-5, -6, -4], [0, -1, -1], [3, 2, 1]]"),
        ),
        (
            "What is the determinant of the matrix [[2,0,0],[0,3,0],[0,0,4]]? I have 1 h.",
            Some("24"),
        ),
        ("What is the matrix product of [[1, 2]] and [[3], [4]], in this order?", Some("[[11]]")),
        ("What is -3 times the matrix [[1, -2]]?", Some("[[-3, 6]]")),
        ("What is the cross product of the vectors (1, 0, 0) and (0, 1, 0)?", Some("(0, 0, 1)")),
        ("What is the inverse of the matrix [[1, 2], [2, 4]]?", None),
        ("What is the inverse of the matrix [[1, 2], [3]]?", None),
        ("What is the inverse of the matrix [[1, x], [3, 4]]?", None),
        ("What is the matrix product of [[1, 2]] and [[3, 4]]?", None),
        ("What is the determinant of the matrix [[1, 2, 3]]?", None),
        ("What is the inverse of a matrix?", None),
    ] {
        assert_eq!(solved(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn any_text_is_read_without_a_fall() {
    for line in POSED.lines() {
        for (at, _) in line.char_indices() {
            let _ = solve(&line[..at]);
            let _ = solve(&line[at..]);
        }
    }
}

//! Every command and experiment file of the tutorial, in the order of the page.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{stderr, stdout, video};

/// A piece of the page.
enum Step {
    /// An experiment file: its name and text.
    File(String, String),
    /// Commands, and whether they stand in a sentence and not in a block of their own.
    Run(Vec<String>, bool),
    /// What the commands before it print.
    Printed(String),
}

#[test]
fn the_tutorial_does_what_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/tutorial.md");
    let page = fs::read_to_string(page).expect("the tutorial");
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("clips")).expect("a folder");
    for index in 0..14 {
        video(&folder.path().join(format!("clips/{index}.mp4")), 40, 3 * index);
    }
    let (mut last, mut commands) = (String::new(), 0);
    for step in steps(&page) {
        match step {
            Step::File(name, text) => fs::write(folder.path().join(name), text).expect("a file"),
            Step::Run(lines, in_sentence) => {
                last.clear();
                for line in lines {
                    last += &run(&line, in_sentence, folder.path());
                    commands += 1;
                }
            }
            Step::Printed(text) => compare(&text, &last),
        }
    }
    assert!(commands >= 10, "{commands} commands");
    assert!(folder.path().join("runs/walks/report.html").exists());
    assert!(folder.path().join("runs/walks/videos/episode-000.mp4").exists());
}

/// Runs a command, and gives what it prints.
fn run(line: &str, in_sentence: bool, folder: &Path) -> String {
    let mut arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
    // Sentences name trainings and models that take long.
    if in_sentence && arguments[0] == "train" {
        if arguments[1] == "mine.toml" {
            arguments.extend(["--set", "model.encoder.depth=1", "--set", "model.predictor.depth=1"]);
        }
        arguments.extend(["--set", "train.steps=4"]);
    }
    let mut process = Command::new(env!("CARGO_BIN_EXE_prevision"));
    let output = process.args(&arguments).current_dir(folder).output().expect("the binary starts");
    assert!(output.status.success(), "{line}\n{}\n{}", stdout(&output), stderr(&output));
    stdout(&output)
}

/// Checks that every line of the page is printed: with the same words, and losses within 1 %; times and distances vary.
fn compare(page: &str, printed: &str) {
    let words = |line: &str| {
        let words = line.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    for line in page.lines() {
        let found = printed.lines().find(|other| words(other) == words(line));
        let found = found.unwrap_or_else(|| panic!("the tutorial prints `{line}`, the program\n{printed}"));
        let loss = |line: &str| {
            let [_, number] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
            number.parse::<f64>().ok()
        };
        if let (Some(expected), Some(number)) = (loss(line), loss(found)) {
            let near = (number - expected).abs() <= 0.01 * expected + 1e-4;
            assert!(near, "the tutorial prints `{line}`, the program `{found}`");
        }
    }
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut file = String::new();
    for (index, piece) in page.split("```").enumerate() {
        if index % 2 == 0 {
            let inline: Vec<&str> = piece.split('`').skip(1).step_by(2).collect();
            for code in inline {
                let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
                let toml = Path::new(&code).extension().is_some_and(|extension| extension == "toml");
                if toml && !code.contains(' ') {
                    file = code;
                } else if code.starts_with("prevision ")
                    && [".toml", "runs/", "clips"].iter().any(|name| code.contains(name))
                {
                    steps.push(Step::Run(vec![code], true));
                }
            }
            continue;
        }
        let (language, text) = piece.split_once('\n').expect("a language");
        match language {
            "toml" => steps.push(Step::File(file.clone(), text.to_owned())),
            "sh" => {
                let commands = text.lines().filter(|line| line.starts_with("prevision "));
                steps.push(Step::Run(commands.map(str::to_owned).collect(), false));
            }
            _ => steps.push(Step::Printed(text.to_owned())),
        }
    }
    steps
}

//! What the program gives a shell and a manual reader, judged by the shell and by groff.

use crate::sandbox::Sandbox;
use crate::tools;

/// What Bash offers for the last word of a line.
fn completed(sandbox: &Sandbox, words: &str) -> Vec<String> {
    let script = format!(
        ". ./douse.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
         _douse douse \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let output = sandbox
        .program("bash")
        .args(["-c", &script])
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let sandbox = Sandbox::new();
    let script = sandbox.douse(["completions", "bash"]).run().expect(0);
    sandbox.write("douse.bash", &script.stdout);
    assert_eq!(completed(&sandbox, "douse sc"), ["scan"]);
    assert_eq!(
        completed(&sandbox, "douse scan --write"),
        ["--write-baseline"]
    );
    assert_eq!(
        completed(&sandbox, "douse scan --format js"),
        ["json", "jsonl"]
    );
    assert!(completed(&sandbox, "douse revoke --").contains(&"--dry-run".to_owned()));
    // Nobody here runs these.
    for shell in ["elvish", "powershell"] {
        let script = sandbox.douse(["completions", shell]).run().expect(0).text();
        assert!(script.contains("write-baseline"), "{shell}");
    }
}

#[test]
fn fish_completes_and_zsh_understands() {
    let sandbox = Sandbox::new();
    for (shell, file, script, told) in [
        (
            "fish",
            "douse.fish",
            "source douse.fish; complete -C 'douse scan --write'",
            "--write-baseline",
        ),
        // It offers nothing without a terminal; but it loads the function, and tells mistakes.
        (
            "zsh",
            "_douse",
            "zsh -n _douse; fpath=(. $fpath); autoload -Uz +X _douse; whence -f _douse",
            "--write-baseline",
        ),
    ] {
        let script_of = sandbox.douse(["completions", shell]).run().expect(0);
        sandbox.write(file, &script_of.stdout);
        let program = tools::from_debian(shell, shell);
        let mut run = sandbox.program(program.to_str().unwrap());
        let output = run.args(["-c", script]).output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(told), "{shell}: {text}");
    }
}

#[test]
fn groff_finds_no_fault_with_the_manual() {
    let sandbox = Sandbox::new();
    let groff = tools::from_debian("groff", "groff-base");
    let help = sandbox.douse(["help"]).run().expect(0).text();
    let commands = help
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let commands = commands.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then_some(name)
    });
    let pages: Vec<_> = commands
        .map(|name| vec!["man", name])
        .chain([vec!["man"]])
        .collect();
    assert!(pages.len() >= 6, "{pages:?}");
    for arguments in pages {
        let page = sandbox.douse(&arguments).run().expect(0);
        let file = sandbox.write("page.1", &page.stdout);
        let output = sandbox
            .program(groff.to_str().unwrap())
            .args(["-man", "-ww", "-Tutf8"])
            .arg(file)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && told.is_empty(),
            "{arguments:?}: {told}"
        );
        let name = arguments.join("-").replacen("man", "douse", 1);
        let title = format!("{name}(1)");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(&title),
            "{title}"
        );
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(&name),
            "{name}"
        );
    }
    sandbox.douse(["man", "scam"]).run().expect(2);
}

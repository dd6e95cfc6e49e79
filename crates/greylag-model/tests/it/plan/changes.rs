use super::Case;
use greylag_model::custom::{Script, inputs, is_wanted};
use greylag_model::plan::{Detail, Plan};
use serde_json::{Value, json};

const ID: &str = "id: int64";

/// Two datasets, commands `count` (rows: integer) and `mark` (least: integer, note: text), and these changes.
fn case(steps: Value) -> Case {
    let commands = json!([
        {"name": "count", "run": ["python3", "./count.py"], "readOnly": true, "outputs": [{"name": "rows", "type": "integer"}]},
        {"name": "mark", "run": ["./mark.sh"], "undo": ["./mark.sh", "undo"], "writes": "./marks", "inputs": [
            {"name": "least", "type": "integer", "default": 1}, {"name": "note"}]},
    ]);
    let mut case =
        Case::new(&[("a", "b", ID), ("orders", "orders_v2", ID)], json!({"steps": steps, "commands": commands}));
    for (name, hash) in [("./count.py", "1f"), ("./mark.sh", "2e"), ("./marks", "")] {
        let script = Script { path: format!("/project/{}", &name[2..]), hash: hash.to_owned() };
        case.snapshot.scripts.insert(name.to_owned(), Ok(script));
    }
    case
}

fn steps(plan: &Plan, task: usize) -> String {
    let line = |step: &greylag_model::task::Step| {
        let inserted =
            step.inserted.as_ref().map(|inserted| serde_json::to_string(inserted).unwrap()).unwrap_or_default();
        format!("{:?} {} {inserted}", step.phase, step.uses).trim_end().to_owned() + "\n"
    };
    plan.tasks[task].steps.iter().map(line).collect()
}

#[test]
fn steps_are_inserted_replaced_and_dropped() {
    let case = case(json!([
        {"uses": "custom/count", "before": "data/publish"},
        {"uses": "data/verify", "name": "again", "after": "count", "if": "dataset.name == 'orders'"},
        {"uses": "custom/mark", "replace": "data/cutover", "with": {"note": "${{ dataset.name }}!", "least": "${{ steps.count.outputs.rows }}"},
         "if": "!steps.count.skipped", "retry": {"attempts": 7}, "timeout": "5m", "approval": true},
        {"drop": "catalog/cutover"},
    ]));
    let plan = case.plan();
    insta::assert_snapshot!(steps(&plan, 0), @r#"
    Expand data/expand
    Backfill data/backfill
    Verify data/verify
    Verify custom/count {"name":"count"}
    Verify data/verify {"name":"again","if":"false"}
    Publish data/publish
    Publish catalog/publish
    Cutover custom/mark {"name":"mark","if":"!steps.count.skipped","with":{"least":1,"note":"a!"},"computed":{"least":"${{ steps.count.outputs.rows }}"}}
    "#);
    insta::assert_snapshot!(steps(&plan, 1).lines().nth(4).unwrap(), @r#"Verify data/verify {"name":"again"}"#);
    let mark = &plan.tasks[0].steps[7];
    assert_eq!((mark.retry.attempts, mark.timeout_millis, mark.approval), (7, 300_000, true));
    assert_eq!(plan.header.custom.dropped, ["data/cutover", "catalog/cutover"]);
    assert_eq!(plan.header.custom.commands["mark"].writes.as_deref(), Some("/project/marks"));
    insta::assert_snapshot!(case.explain(Detail::Summary), @"
    ~ 2 datasets: no changes  2,000 rows, 100 kB
          1 column as it is
          undo cannot carry new rows back: both datasets are single files
          a → b, orders → orders_v2
    steps that differ from the built-in ones
        + count  custom/count, after data/verify
        + again  data/verify, after count
        + mark  custom/mark, after catalog/publish, if !steps.count.skipped, needs an approval, writes to /project/marks
        - data/cutover  left out
        - catalog/cutover  left out
          `again` is left out of 1 dataset by its condition
    needs up to 216 kB on `disk-1`, which has 1.0 GB free
    Plan p-05404811156a: 2 datasets to migrate; 2,000 rows, 100 kB, under 1 s; run greylag apply p-05404811156a
    ");
    // What is left to compute has its value from what the steps before have put out.
    let outputs = |rows: Value| move |name: &str| Ok::<_, String>((name == "count").then(|| rows.clone()));
    let task = &plan.tasks[0];
    let counted = outputs(json!({"outputs": {"rows": 12}}));
    assert_eq!(is_wanted(task, &plan.header.custom, 7, &counted), Ok(true));
    let with = inputs(task, &plan.header.custom, 7, &counted).unwrap();
    assert_eq!(serde_json::to_value(with).unwrap(), json!({"least": 12, "note": "a!"}));
    let skipped = outputs(json!({"skipped": true}));
    assert_eq!(is_wanted(task, &plan.header.custom, 7, &skipped), Ok(false));
    assert!(
        inputs(task, &plan.header.custom, 7, &skipped).unwrap_err().contains("asks for `rows`, which is not there")
    );
    let wrong = outputs(json!({"outputs": {"rows": "12"}}));
    assert!(inputs(task, &plan.header.custom, 7, &wrong).unwrap_err().contains("which is no whole number"));
}

#[test]
fn a_plan_without_changes_is_what_it_was() {
    let plain = Case::new(&[("a", "b", ID)], json!({})).plan();
    let text = serde_json::to_string(&plain).unwrap();
    assert!(!text.contains("custom") && !text.contains("inserted"), "{text}");
}

#[test]
fn safety_steps_stay() {
    for step in ["data/expand", "data/backfill", "data/verify", "data/publish", "catalog/publish"] {
        let told = case(json!([{"drop": step}])).reasons();
        assert!(
            told.starts_with(&format!("GL0418 at /spec/steps/0/drop: `{step}` cannot be left out: nothing is visible")),
            "{told}"
        );
        let told = case(json!([{"uses": "custom/count", "replace": step}])).reasons();
        assert!(told.starts_with(&format!("GL0418 at /spec/steps/0/replace: `{step}` cannot be replaced: ")), "{told}");
    }
    let mut drops = case(json!([{"drop": "data/retire"}]));
    drops.spec["through"] = json!("drop");
    insta::assert_snapshot!(drops.reasons(), @"
    GL0418 at /spec/steps/0/drop: `data/retire` cannot be left out: what is dropped is what was retired
        put a step around it: `before: data/retire` or `after: data/retire`
    ");
}

#[test]
fn wrong_changes_are_told_together() {
    insta::assert_snapshot!(case(json!([
        {"uses": "custom/cuont", "before": "data/publish"},
        {"uses": "custom/count", "before": "data/publsh"},
        {"uses": "custom/count"},
        {"uses": "custom/count", "after": "data/verify", "before": "data/publish"},
        {"drop": "data/cutover", "if": "true"},
        {"before": "data/publish"},
        {"uses": "data/publish", "name": "more", "after": "data/publish"},
        {"uses": "data/verify", "name": "more", "after": "data/publish"},
        {"uses": "data/verify", "after": "data/verify"},
        {"uses": "custom/mark", "after": "data/verify", "with": {"leest": 1}, "timeout": "5 m"},
    ])).reasons(), @"
    GL0418 at /spec/steps/0/uses: there is no command `cuont`
        did you mean `custom/count`?
    GL0418 at /spec/steps/1/before: there is no step `data/publsh` at this point
        did you mean `data/publish`?
    GL0418 at /spec/steps/2: a step has exactly one of `before`, `after` and `replace`
        say where it goes, e.g. `before: data/publish`
    GL0418 at /spec/steps/3: a step has exactly one of `before`, `after` and `replace`
        say where it goes, e.g. `before: data/publish`
    GL0418 at /spec/steps/4: a step is left out and something else is said of it
        `drop` stands alone
    GL0418 at /spec/steps/5: a change has exactly one of `uses` and `drop`
        say what is done (`uses: custom/NAME`), or what is left out (`drop: STEP`)
    GL0418 at /spec/steps/6/uses: `data/publish` is no step that can be inserted
        custom steps are `custom/NAME`; of the built-in ones `data/verify` may be done once more
    GL0418 at /spec/steps/7: there is nothing to verify at this place
        it goes between `data/backfill` and `data/publish`
    GL0418 at /spec/steps/8: there is a step `data/verify` already
        give one of them another `name`
    GL0418 at /spec/steps/9/with/leest: the command `mark` has no input `leest`
        did you mean `least`?
    GL0418 at /spec/steps/9: the command `mark` needs the input `note`
        add it: `with: {note: …}`
    ");
}

#[test]
fn wrong_commands_are_told_together() {
    let mut case = case(json!([]));
    case.snapshot.scripts.insert("./gone.sh".to_owned(), Err("is not there".to_owned()));
    case.spec["commands"] = json!([
        {"name": "silent", "run": ["true"]},
        {"name": "both", "run": ["true"], "undo": ["true"], "readOnly": true},
        {"name": "writer", "run": ["./gone.sh", "./unseen"], "readOnly": true, "writes": "./marks"},
        {"name": "sized", "run": ["true"], "readOnly": true, "limits": {"memory": "0KiB", "cpu": "0s"}},
        {"name": "kinds", "run": ["true"], "readOnly": true, "inputs": [{"name": "n", "type": "integer", "default": "x"}, {"name": "n"}]},
        {"name": "silent", "run": ["true"], "readOnly": true},
        {"name": "silent", "run": ["true"], "readOnly": true},
    ]);
    insta::assert_snapshot!(case.reasons(), @r#"
    GL0419 at /spec/commands/0: the command `silent` does not say how it is taken back
        give it `undo: [PROGRAM, …]`, or `readOnly: true` if it changes nothing outside
    GL0419 at /spec/commands/1/undo: the command `both` has an `undo` and says that there is nothing to take back
        keep one of `undo` and `readOnly`
    GL0419 at /spec/commands/2/writes: the command `writer` is `readOnly` and writes to a folder
        give it an `undo`, or remove `writes`
    GL0419 at /spec/commands/2/run/0: `./gone.sh` is not there
        files lie beside the migration file
    GL0419 at /spec/commands/2/run/1: `./unseen` was not looked at
        name it `./NAME`, beside the migration file
    GL0419 at /spec/commands/3/limits/memory: `0KiB` is no size
        write e.g. `512MiB` or `2GiB`
    GL0419 at /spec/commands/3/limits/cpu: `0s` leaves no time
        write e.g. `10m`
    GL0419 at /spec/commands/4/inputs/0/default: the default "x" of `n` is no whole number
        correct one of them
    GL0419 at /spec/commands/4/inputs/1/name: the input `n` is given twice
        keep one of them
    GL0419 at /spec/commands/6/name: another command is named `silent` too
        give it another name
    "#);
}

#[test]
fn wrong_expressions_are_told_with_what_was_meant() {
    insta::assert_snapshot!(case(json!([
        {"uses": "custom/count", "after": "data/verify", "if": "dataset.name =="},
        {"uses": "custom/count", "name": "two", "after": "count", "if": "tsak.id == 'x'"},
        {"uses": "custom/count", "name": "three", "after": "count", "if": "steps.four.skipped"},
        {"uses": "custom/count", "name": "four", "after": "three", "if": "steps.cuont.skipped"},
        {"uses": "custom/count", "name": "five", "after": "four", "if": "steps.four.outputs.row > 1 || steps.four.done"},
        {"uses": "custom/mark", "after": "five", "with": {"note": "${{ steps.nine.outputs.rows }}"}},
    ])).reasons(), @"
    GL0426 at /spec/steps/0/if: the condition `dataset.name ==` cannot be read: mismatched input '<EOF>' (column 16)
        it is CEL: https://cel.dev
    GL0426 at /spec/steps/2/if: the condition `steps.four.skipped` asks for the step `four`, which does not come before
        the steps before are data/expand, data/backfill, data/verify, count
    GL0426 at /spec/steps/3/if: the condition `steps.cuont.skipped` asks for the step `cuont`, which does not come before
        did you mean `count`?
    GL0426 at /spec/steps/4/if: the condition `steps.four.outputs.row > 1 || steps.four.done` asks for the output `row` of `four`, which its command does not declare
        did you mean `rows`?
    GL0426 at /spec/steps/5/with/note: the text `${{ steps.nine.outputs.rows }}` asks for the step `nine`, which does not come before
        the steps before are data/expand, data/backfill, data/verify, count, three, four, five
    GL0426 at /spec/steps/1/if: the condition `tsak.id == 'x'` uses `tsak`, but what there is is dataset, columns, task, params, steps
        it is CEL: https://cel.dev
    ");
    // What depends on a dataset blocks its pair.
    insta::assert_snapshot!(case(json!([
        {"uses": "custom/count", "after": "data/verify", "if": "dataset.name"},
        {"uses": "custom/count", "name": "two", "after": "count", "if": "steps.count.outputs.rows"},
        {"uses": "custom/mark", "after": "two", "with": {"note": 5, "least": "${{ dataset.name }}"}},
        {"uses": "custom/mark", "name": "more", "after": "two", "with": {"note": "${{ steps.two.outputs.rows }}", "least": 1}},
        {"uses": "custom/count", "name": "five", "after": "two", "if": "dataset.nme == 'a'"},
    ])).reasons(), @r#"
    GL0426 at /spec/steps/0/if: the condition `dataset.name` gives "a", which is neither true nor false
    GL0426 at /spec/steps/1/if: the condition `steps.count.outputs.rows` gives 1, which is neither true nor false
    GL0426 at /spec/steps/4/if: the condition `dataset.nme == 'a'` asks for `nme`, which is not there
    GL0426 at /spec/steps/3/with/note: the input `note`, `${{ steps.two.outputs.rows }}`, gives 1, which is no text
    GL0426 at /spec/steps/2/with/least: the input `least`, `${{ dataset.name }}`, gives "a", which is no whole number
    GL0426 at /spec/steps/2/with/note: the input `note` is 5, which is no text
    GL0426 at /spec/steps/0/if: the condition `dataset.name` gives "orders", which is neither true nor false
    GL0426 at /spec/steps/2/with/least: the input `least`, `${{ dataset.name }}`, gives "orders", which is no whole number
    GL0425: nothing can be planned: all 2 pairs are blocked
    "#);
}

#[test]
fn no_command_writes_where_datasets_lie() {
    let mut case = case(json!([{"uses": "custom/mark", "after": "data/verify", "with": {"note": "x"}}]));
    case.snapshot.scripts.insert("./marks".to_owned(), Ok(Script { path: "/data".to_owned(), hash: String::new() }));
    insta::assert_snapshot!(case.reasons(), @"
    GL0419 at /spec/commands/1/writes: the command `mark` may write to `/data`, where `/data/a` lies
        give it a folder in which there are no datasets: they appear only by `data/publish`
    GL0419 at /spec/commands/1/writes: the command `mark` may write to `/data`, where `/data/b` lies
        give it a folder in which there are no datasets: they appear only by `data/publish`
    GL0419 at /spec/commands/1/writes: the command `mark` may write to `/data`, where `/data/orders` lies
        give it a folder in which there are no datasets: they appear only by `data/publish`
    GL0419 at /spec/commands/1/writes: the command `mark` may write to `/data`, where `/data/orders_v2` lies
        give it a folder in which there are no datasets: they appear only by `data/publish`
    GL0425: nothing can be planned: all 2 pairs are blocked
    ");
}

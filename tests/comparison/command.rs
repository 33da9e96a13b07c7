//! `optlab compare`.

use serde_json::Value;

use super::err;
use super::fixture::Fixture;
use super::support::Database;

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_tables_and_checks_claims() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let said = fixture.out(&[]);
    for part in [
        "vs baseline [95%]",
        "Missing, with their pairs: opt-cayley: seed 3 failed (diverged); baseline: seed 4 failed (user_error).",
        "adjusted for 2 arms by Holm's procedure. By flips, 5 pairs reach 0.0625 at the least.",
        "Pairs trained in more than one environment: opt-cayley: device_name (a cpu, another cpu) of seed 1.",
        "train.batch_size",
        " excess % ",
        "Excess: how far the energy is above its lower bound, in percent of the bound.",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    let markdown = fixture.out(&["--format", "markdown"]);
    assert!(markdown.starts_with("| arm") && markdown.contains("Missing, with their pairs"), "{markdown}");
    let latex = fixture.out(&["--format", "latex"]);
    for part in [
        "\\toprule",
        "\\bottomrule",
        "Test error (\\%) &",
        "Bold: better than the baseline, with p below 0.05.",
        "opt-cayley & 6 & $\\mathbf{8.",
        " \\pm ",
        "^{*}$",
        "(user\\_error)",
    ] {
        assert!(latex.contains(part), "{part} is missing:\n{latex}");
    }
    assert_eq!(latex.matches("\\mathbf").count(), 1, "{latex}");
    let csv = fixture.out(&["--format", "csv", "--metric", "best_test_error"]);
    assert!(csv.starts_with("arm,method,n,mean,std,") && csv.contains(",best_test_error,true,5,"), "{csv}");
    assert!(csv.lines().all(|line| line.split(',').count() == 31), "{csv}");
    // Better with all five common seeds; the exact lower end of five successes in five is 0.025^(1/5).
    let low = csv.lines().nth(1).unwrap().rsplit(',').nth(2).unwrap().parse::<f64>().unwrap();
    assert!(csv.contains(",better,5,0,1,") && (low - 0.025_f64.powf(0.2)).abs() < 1e-12, "{csv}");
    let best = fixture.out(&["--metric", "best_test_error"]);
    assert!(best.contains("best test error % (selected on the test set)"), "{best}");
    let json: Value = serde_json::from_str(&fixture.out(&["--json", "--baseline", "other"])).unwrap();
    assert_eq!(json, fixture.compare("?baseline=other"));

    for (claims, status, says) in [
        (
            &["opt-cayley < baseline @ 0.95"][..],
            0,
            "opt-cayley < baseline @ 0.95 holds: test error % differs by -1.00",
        ),
        (&["baseline > opt-cayley @ 0.95"], 0, "holds"),
        (&["opt-cayley < baseline @ 0.95", "opt-cayley < other @ 0.9"], 0, "opt-cayley < other @ 0.9 holds"),
        (
            &["opt-cayley < baseline @ 0.99999"],
            1,
            "does not hold: test error % differs by -1.00 (99.999% interval -",
        ),
        (
            &["opt-cayley > baseline @ 0.95"],
            1,
            "p < 0.001 for this claim alone, 5 pairs; 2 of their jobs are missing)",
        ),
        (
            &["opt-cayley < baseline @ 0.95", "other < baseline @ 0.95"],
            1,
            "other < baseline @ 0.95 does not hold",
        ),
        (
            &["opt-cayly < baseline @ 0.95"],
            2,
            "there is no arm `opt-cayly`; there is opt-cayley, baseline, other",
        ),
        (&["opt-cayley < basline @ 0.95"], 2, "must be one of opt-cayley, baseline, other"),
        (&["opt-cayley = baseline @ 0.95"], 2, "needs one `<` or one `>`"),
        (&["opt-cayley < baseline @ 95"], 2, "between 0 and 1"),
    ] {
        let args: Vec<&str> = claims.iter().flat_map(|claim| ["--require", claim]).collect();
        let output = fixture.optlab(&args);
        assert_eq!(output.status.code(), Some(status), "{claims:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{claims:?}: {}", err(&output));
    }
    let untold = fixture.optlab(&["--metric", "parameters_trained", "--require", "other > baseline @ 0.95"]);
    assert_eq!(untold.status.code(), Some(1));
    assert!(
        err(&untold).contains("cannot tell whether other > baseline @ 0.95: all 6 pairs"),
        "{}",
        err(&untold)
    );
    let unknown = fixture.optlab(&["--metric", "beauty"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(err(&unknown).contains("must be one of test_error"), "{}", err(&unknown));
}

//! The report: `/experiments/{id}/report` and `optlab report`.

use std::fs;

use html5gum::{Token, Tokenizer};
use serde_json::json;
use tempfile::TempDir;

use super::fixture::Fixture;
use super::support::{Database, Server};
use super::{arm, err};

const HOSTILE: &str = "</pre></style><script>alert(1)</script> \"' & <img src=x onerror=alert(2)>";

/// What a parser finds in a page.
#[derive(Default)]
struct Page {
    /// Start tags, each with its attributes.
    tags: Vec<(String, Vec<(String, String)>)>,
    /// The text of each element that has an id, by id.
    texts: Vec<(String, String)>,
    /// The cells of each row of a table, by the id of the table.
    rows: Vec<(String, Vec<String>)>,
}

impl Page {
    fn parse(html: &str) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut page = Self::default();
        // The open elements, each with the place of its text if it has an id.
        let mut open: Vec<(String, Option<usize>)> = Vec::new();
        for token in Tokenizer::new(html) {
            match token.unwrap() {
                Token::Error(error) => panic!("{error:?}"),
                Token::Comment(comment) => panic!("{comment:?}"),
                Token::StartTag(tag) => {
                    let name = text(&tag.name);
                    let attributes = tag.attributes.iter();
                    let attributes: Vec<(String, String)> =
                        attributes.map(|(name, value)| (text(name), text(value))).collect();
                    let id = attributes.iter().find(|(name, _)| name == "id").map(|(_, id)| id.clone());
                    match name.as_str() {
                        "tr" => page.rows.push((page.table(&open), Vec::new())),
                        "th" | "td" => page.rows.last_mut().unwrap().1.push(String::new()),
                        _ => {}
                    }
                    if name != "meta" {
                        let place = id.map(|id| {
                            page.texts.push((id, String::new()));
                            page.texts.len() - 1
                        });
                        open.push((name.clone(), place));
                    }
                    page.tags.push((name, attributes));
                }
                Token::EndTag(tag) => {
                    let (name, _) = open.pop().expect("an open element");
                    assert_eq!(name, text(&tag.name), "elements are nested");
                }
                Token::String(string) => {
                    for place in open.iter().filter_map(|(_, place)| *place) {
                        page.texts[place].1.push_str(&text(&string));
                    }
                    if open.iter().any(|(name, _)| name == "th" || name == "td") {
                        page.rows.last_mut().unwrap().1.last_mut().unwrap().push_str(&text(&string));
                    }
                }
                Token::Doctype(_) => {}
            }
        }
        assert_eq!(open, [], "every element is closed");
        page
    }

    /// The id of the innermost open element that has one.
    fn table(&self, open: &[(String, Option<usize>)]) -> String {
        let place = open.iter().rev().find_map(|(_, place)| *place);
        place.map(|place| self.texts[place].0.clone()).unwrap_or_default()
    }

    fn text(&self, id: &str) -> &str {
        let found = self.texts.iter().find(|(known, _)| known == id);
        &found.unwrap_or_else(|| panic!("the page has no #{id}")).1
    }

    fn rows(&self, table: &str) -> Vec<&[String]> {
        self.rows.iter().filter(|(id, _)| id == table).map(|(_, cells)| cells.as_slice()).collect()
    }

    fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().flat_map(|(_, all)| all).map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_has_the_figures_of_the_comparison_on_sqlite() {
    has_the_figures_of_the_comparison(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_has_the_figures_of_the_comparison_on_postgres() {
    has_the_figures_of_the_comparison(Database::Postgres).await;
}

async fn has_the_figures_of_the_comparison(database: Database) {
    let fixture = Fixture::new(database).await;
    let path = format!("/api/v1/experiments/{}", fixture.experiment);
    let edit = json!({ "notes": HOSTILE, "tags": ["checked"] }).to_string();
    let json = [("content-type", "application/json")];
    assert_eq!(fixture.server.send("PATCH", &path, &json, edit.as_bytes()).status, 200);
    let answer = fixture.server.get(&format!("{path}/report"));
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "text/html; charset=utf-8"));
    let disposition = answer.headers["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(disposition, format!("attachment; filename=\"compared-{}.html\"", fixture.experiment));
    let page = Page::parse(&answer.text);

    // Nothing runs and nothing is loaded.
    for (tag, _) in &page.tags {
        assert!(!["script", "img", "link", "iframe", "object", "base"].contains(&tag.as_str()), "{tag}");
    }
    for (name, value) in page.attributes() {
        assert!(!name.starts_with("on") && !["href", "src", "srcset", "action"].contains(&name), "{name}");
        assert!(!value.contains("url(") || value.starts_with("url(#inside-"), "{name}={value}");
    }
    let css = answer.text.split("</style>").next().unwrap();
    assert!(!css.contains("@import") && !css.contains("url("), "the style loads nothing");
    assert_eq!(page.text("notes"), HOSTILE);

    // The comparison, as the API and the command write it.
    let comparison = fixture.compare("");
    assert_eq!(page.text("verdict"), comparison["verdict"].as_str().unwrap());
    assert!(
        comparison["verdict"]
            .as_str()
            .unwrap()
            .contains("Compared on the test set, not on the validation set.")
    );
    let decided =
        "Decided by test error on the test set against baseline; a conclusion needs 5 pairs of seeds.";
    let standings = page.text("standings");
    assert_eq!(standings, format!("{decided} Better: opt-cayley. No clear difference: other."));
    let rows = page.rows("arms");
    let markdown = fixture.out(&["--format", "markdown"]);
    for (row, line) in rows.iter().skip(1).zip(markdown.lines().skip(2)) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(row[..13], cells[..], "as `optlab compare` prints it");
    }
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[1][13], "better");
    assert_eq!(rows[2][13], "baseline");
    let cayley = arm(&comparison, "opt-cayley");
    let of = |pointer: &str| cayley.pointer(pointer).unwrap().as_f64().unwrap();
    let pairs = page.rows("pairs");
    let row = pairs.iter().find(|row| row[0] == "opt-cayley").unwrap();
    assert_eq!(row[1], cayley["pairs"].to_string());
    assert_eq!(row[2], format!("{:+.2}", of("/mean_difference")));
    assert_eq!(row[4], format!("{:+.2} to {:+.2}", of("/difference/low"), of("/difference/high")));
    assert_eq!(row[8], format!("{:.4}", of("/difference/sign_flip/p_value")));
    assert_eq!(row[12], rows[1][12], "P(better) is the same in both tables");
    assert_eq!(pairs.len(), 3, "the baseline has no pairs with itself");
    let seeds = page.rows("seeds");
    for value in cayley["values"].as_array().unwrap() {
        let shown = format!("{}: {:.2}", value["seed"], value["value"].as_f64().unwrap());
        assert!(seeds[1][1].contains(&shown), "{shown} is missing in {}", seeds[1][1]);
    }

    // Charts of the series that were recorded, with a line and a band of each arm.
    let drawn: Vec<&str> =
        page.attributes().filter(|(name, _)| *name == "data-series").map(|(_, series)| series).collect();
    assert_eq!(drawn, ["test/accuracy", "validation/accuracy", "energy/mean"]);
    let paths = |class: &str| {
        let has = |attributes: &&Vec<(String, String)>| {
            attributes.iter().any(|(name, value)| name == "class" && value == class)
        };
        let paths = page.tags.iter().map(|(_, attributes)| attributes).filter(has);
        paths
            .map(|attributes| attributes.iter().find(|(name, _)| name == "d").unwrap().1.clone())
            .collect::<Vec<_>>()
    };
    for arm in 0..3 {
        let (lines, bands) = (paths(&format!("line a{arm}")), paths(&format!("band a{arm}")));
        assert!(lines.len() == 3 && bands.len() == 3, "{lines:?} {bands:?}");
        assert_eq!(lines[0].matches('L').count(), 10, "eleven points: {}", lines[0]);
        assert_eq!(bands[0].matches('L').count(), 21, "both ends of eleven points: {}", bands[0]);
    }

    // Jobs, environments and the spec.
    assert_eq!(page.text("state"), "21 jobs: 19 succeeded, 2 failed");
    let failures: Vec<[&str; 4]> =
        page.rows("failures").iter().skip(1).map(|row| [&*row[1], &*row[2], &*row[3], &*row[6]]).collect();
    assert_eq!(
        failures,
        [
            ["opt-cayley", "3", "failed", "diverged: it <b>went</b> wrong"],
            ["baseline", "4", "failed", "user error: it <b>went</b> wrong"],
        ]
    );
    let environments = page.rows("environments");
    let of_jobs = |row: &&[String]| (row[3].clone(), row[5].clone());
    assert_eq!(
        environments[1..].iter().map(of_jobs).collect::<Vec<_>>(),
        [("a cpu".to_owned(), "20".to_owned()), ("another cpu".to_owned(), "1".to_owned())]
    );
    let differing: Vec<&str> =
        page.rows("differences").iter().filter(|row| row.len() == 3).map(|row| &*row[0]).collect();
    assert!(differing.contains(&"train.batch_size") && differing.contains(&"method.kind"), "{differing:?}");
    let resolved = optlab_spec::submission::parse_toml(page.text("resolved")).unwrap();
    let resolved = optlab_spec::ExperimentSpec::from_value(&resolved).unwrap();
    assert_eq!(serde_json::to_value(resolved).unwrap(), fixture.server.read(&path)["spec"]);
    let submitted = fixture.server.read(&format!("{path}/submission"))["text"].as_str().unwrap().to_owned();
    assert_eq!(page.text("submitted"), submitted);

    assert_eq!(fixture.server.get("/api/v1/experiments/99/report").status, 404);
}

#[test]
fn a_report_before_the_first_point_says_so() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let experiment = server.submit(&json!({ "recipe": "digits-mlp" }));
    let page = Page::parse(&server.get(&format!("/api/v1/experiments/{experiment}/report")).text);
    assert_eq!(page.text("charts"), "CurvesNo job has recorded a point.");
    assert!(page.text("state").ends_with("queued") && page.rows("arms").len() == 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_writes_the_report_to_a_file() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let run = |args: &[&str]| fixture.command("report", args);
    let written = run(&["-o", "report.html"]);
    assert!(written.status.success(), "{}", err(&written));
    assert_eq!(String::from_utf8_lossy(&written.stdout), "report.html\n");
    let file = fs::read_to_string(fixture.folder.path().join("report.html")).unwrap();
    let served = fixture.server.get(&format!("/api/v1/experiments/{}/report", fixture.experiment)).text;
    let timeless = |page: &str| page.split("<footer").next().unwrap().to_owned();
    assert_eq!(timeless(&file), timeless(&served));
    let again = run(&["-o", "report.html"]);
    assert!(err(&again).contains("report.html exists already"), "{}", err(&again));
    let named = run(&["--json"]);
    assert!(String::from_utf8_lossy(&named.stdout).contains("\"path\": \"compared-1.html\""), "{named:?}");
    assert_eq!(Page::parse(&String::from_utf8_lossy(&run(&["-o", "-"]).stdout)).rows("arms").len(), 4);
}

//! The configuration as a newcomer meets it: its file, its paths, its first mistakes.

use crate::cli::read;
use crate::kiungo::Installation;
use crate::world::World;

#[tokio::test]
async fn a_filter_that_shows_nothing_is_refused_by_whatever_reads_it() {
    let installation = Installation::new(&World::start().await);
    for command in [&["config", "check"][..], &["doctor"], &["serve"]] {
        let mut command = installation.command(&[command, &["--config", "kiungo.toml"]].concat());
        command.env("KIUNGO__LOG__FILTER", "inof");
        let (code, _, complaint) = read(command.output().await.unwrap());
        assert_eq!(code, 2, "{complaint}");
        assert!(complaint.contains("`inof` is not a level"), "{complaint}");
    }
}

#[tokio::test]
async fn a_configuration_is_found_by_its_file_wherever_the_program_is_started() {
    let installation = Installation::new(&World::start().await);
    let config = installation.path().join("kiungo.toml");
    let config = config.to_str().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut migrate = installation.command(&["migrate", "--config", config]);
    migrate.current_dir(elsewhere.path());
    let (code, _, complaint) = read(migrate.output().await.unwrap());
    assert_eq!(code, 0, "{complaint}");
    assert!(installation.path().join("kiungo.db").exists());
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    // Without a file, that is what is said.
    let mut check = installation.command(&["config", "check"]);
    check.current_dir(elsewhere.path());
    check.env_clear();
    let (code, _, complaint) = read(check.output().await.unwrap());
    assert_eq!(code, 2, "{complaint}");
    let said = "no configuration file is named: name one by --config FILE";
    assert!(complaint.contains(said) && complaint.lines().count() == 2, "{complaint}");
}

#[tokio::test]
async fn a_folder_that_is_missing_is_not_made_and_a_new_database_is_told_of() {
    let installation = Installation::new(&World::start().await);
    let serve = ["serve", "--config", "kiungo.toml"];
    for command in [&serve[..], &["--json", "doctor", "--config", "kiungo.toml"]] {
        let mut command = installation.command(command);
        command.env("KIUNGO__DATABASE__URL", "sqlite://nowhere/kiungo.db");
        let (code, out, complaint) = read(command.output().await.unwrap());
        assert_eq!(code, 1, "{out}{complaint}");
        let said = format!("{out}{complaint}");
        assert!(said.contains("mkdir -p nowhere") && said.contains("database.url"), "{said}");
    }
    assert!(!installation.path().join("nowhere").exists());
    let serving = installation.serve(&[]).await;
    assert!(serving.stop().await.success());
    let log = installation.log();
    assert!(log.contains("a new, empty database was made at kiungo.db"), "{log}");
    assert!(
        log.contains(&format!("ready duty=both address=127.0.0.1:{}", installation.port())),
        "{log}"
    );
    let serving = installation.serve(&[]).await;
    assert!(serving.stop().await.success());
    assert_eq!(installation.log().matches("a new, empty database").count(), 1);
}

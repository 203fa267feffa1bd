use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_engine::requests::{HookResult, RequestTurns};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::requests::{Scene, loan, main};

fn shared(holder: &str) -> RequestTurns {
    RequestTurns::Shared { holder: holder.to_owned() }
}

fn polls(scene: &Scene, stop: &CancellationToken) -> JoinHandle<()> {
    let (intake, stop) = (scene.intake.clone(), stop.clone());
    tokio::spawn(async move { intake.keep_polling(&main(), &stop).await })
}

fn rounds(scene: &Scene) -> u32 {
    scene.asked.rounds.load(Ordering::SeqCst)
}

/// Lets the time of the wall and that of the tasks go on together.
async fn pass(scene: &Scene, seconds: u64) {
    for _ in 0..seconds {
        scene.world.wait(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_processes_one_polls_and_another_goes_on_when_it_dies() {
    let scene = Scene::open().await;
    let (one, other) = (scene.beside(shared("one")), scene.beside(shared("other")));
    let stop = CancellationToken::new();
    let dying = polls(&one, &stop);
    pass(&scene, 1).await;
    polls(&other, &stop);
    for process in [&one, &other] {
        process.asked.says(loan(7, 1));
    }
    pass(&scene, 130).await;
    assert_eq!((rounds(&one), rounds(&other)), (3, 0));
    assert_eq!(scene.transfers().await, 1);
    dying.abort();
    // It renewed its lease after two minutes, for three.
    other.asked.says(loan(8, 1));
    pass(&scene, 160).await;
    assert_eq!((rounds(&one), rounds(&other)), (3, 0), "the lease has not ended");
    pass(&scene, 80).await;
    assert_eq!((rounds(&one), rounds(&other), scene.transfers().await), (3, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_gives_its_turn_to_another() {
    let scene = Scene::open().await;
    let (one, other) = (scene.beside(shared("one")), scene.beside(shared("other")));
    let (stop_one, stop) = (CancellationToken::new(), CancellationToken::new());
    let stopping = polls(&one, &stop_one);
    pass(&scene, 1).await;
    polls(&other, &stop);
    pass(&scene, 10).await;
    assert_eq!((rounds(&one), rounds(&other)), (1, 0));
    stop_one.cancel();
    stopping.await.unwrap();
    pass(&scene, 60).await;
    assert_eq!((rounds(&one), rounds(&other)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_only_serves_looks_when_a_hook_says_so() {
    let scene = Scene::open().await;
    let serving = scene.beside(RequestTurns::Others);
    polls(&serving, &CancellationToken::new());
    serving.asked.says(loan(7, 1));
    pass(&scene, 200).await;
    assert_eq!((rounds(&serving), scene.transfers().await), (0, 0));
    assert_eq!(serving.hook("").await, Ok(HookResult::Noted));
    pass(&scene, 2).await;
    assert_eq!((rounds(&serving), scene.transfers().await), (1, 1));
    serving.asked.says(loan(8, 1));
    assert_eq!(serving.hook("loan-8").await, Ok(HookResult::TakenUp));
    assert_eq!(scene.transfers().await, 2, "nobody is waited for");
    pass(&scene, 200).await;
    assert_eq!(rounds(&serving), 1);
}

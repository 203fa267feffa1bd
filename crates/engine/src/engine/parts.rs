//! The parts of an engine, put together: each knows only those that it is given.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Weak};

use kiungo_store::{Records, TransferCommits};
use tokio::sync::Semaphore;

use crate::clock::{Clock, Ids};
use crate::commit::committer::Committer;
use crate::counterparties::holds::Holds;
use crate::counterparties::ports::Ports;
use crate::dispatch::backlog::Backlog;
use crate::dispatch::dispatcher::{Advance, Dispatcher};
use crate::dispatch::distribution::{Distribution, lease};
use crate::due::schedule::Schedule;
use crate::due::shards::Shards;
use crate::due::sweep::Sweep;
use crate::due::wall_clock::WallClock;
use crate::fail_point::FailPoints;
use crate::intake::answers::Answers;
use crate::intake::arrivals::Arrivals;
use crate::intake::callbacks::Callbacks;
use crate::intake::evidence::EvidenceIntake;
use crate::intake::inbox::Inbox;
use crate::intake::notification::ProviderNotifier;
use crate::intake::offers::Offers;
use crate::intake::payments::Payments;
use crate::intake::submission::Submissions;
use crate::intake::validation::PaymentValidation;
use crate::next_look::NextLook;
use crate::persons::actions::Actions;
use crate::persons::arrival_actions::ArrivalActions;
use crate::persons::interrupted::Completer;
use crate::run::carried::Carriers;
use crate::run::changes::Changes;
use crate::run::decisions::Decisions;
use crate::run::runner::Runner;
use crate::run::sender::Sender;
use crate::setup::{EngineOptions, Setup};
use crate::sharing::Sharing;
use crate::tasks::Tasks;

/// The parts of an engine that are asked for something from outside, or run by themselves.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Records>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) tasks: Tasks,
    pub(crate) holds: Arc<Holds>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) submissions: Submissions,
    pub(crate) callbacks: Callbacks,
    pub(crate) arrival_actions: Arc<ArrivalActions>,
    pub(crate) actions: Arc<Actions>,
    pub(crate) completer: Arc<Completer>,
    pub(crate) wall_clock: Arc<WallClock>,
    pub(crate) source: WorkSource,
    /// The engine has been started.
    pub(crate) ready: AtomicBool,
    /// Kept here: the dispatcher has only a weak handle to it.
    _runner: Arc<Runner>,
}

/// The place that this process takes up work from.
pub(crate) enum WorkSource {
    /// The due table alone.
    DueTable(Arc<Schedule>),
    /// The queue, into which the due table is announced.
    Queue { sharing: Sharing, sweep: Arc<Sweep>, shards: Arc<Shards> },
}

impl WorkSource {
    /// True if this process takes part in the work.
    pub(crate) const fn works(&self) -> bool {
        match self {
            Self::DueTable(_) => true,
            Self::Queue { sharing, .. } => sharing.works,
        }
    }
}

impl Parts {
    pub(crate) fn new(setup: Setup) -> Self {
        let ground = Ground::new(setup);
        let Ground { store, clock, ports, tasks, .. } = ground.clone();
        let holds = ground.holds();
        let committer = ground.committer(&holds);
        let runner = ground.runner(&holds, &committer);
        let dispatcher = Arc::clone(&runner.dispatcher);
        let changes = Arc::clone(&runner.carriers.changes);
        let backlog = Arc::new(Backlog::new(store.clone(), Arc::clone(&clock)));
        let intake = ground.intake(&committer, &dispatcher, &changes);
        let arrival_actions = ground.arrival_actions(&intake.inbox);
        let actions = ground.actions(&holds, &changes, &arrival_actions);
        Self {
            submissions: ground.submissions(&backlog, &committer, &dispatcher),
            completer: ground.completer(&actions, &dispatcher),
            wall_clock: ground.wall_clock(),
            source: ground.source(&backlog, &dispatcher, &changes, &intake.inbox),
            callbacks: intake.callbacks,
            store,
            clock,
            ports,
            tasks,
            holds,
            dispatcher,
            changes,
            arrival_actions,
            actions,
            ready: AtomicBool::new(false),
            _runner: runner,
        }
    }
}

/// The parts that take in what arrives.
struct Intake {
    inbox: Arc<Inbox>,
    callbacks: Callbacks,
}

/// The things on which all parts stand.
#[derive(Clone)]
struct Ground {
    store: Arc<dyn Records>,
    commits: Arc<dyn TransferCommits>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    ports: Arc<Ports>,
    tasks: Tasks,
    next_look: Arc<NextLook>,
    options: EngineOptions,
    sharing: Option<Sharing>,
    fail_points: Option<Arc<dyn FailPoints>>,
}

impl Ground {
    fn new(setup: Setup) -> Self {
        Self {
            store: Arc::clone(&setup.store) as Arc<dyn Records>,
            commits: setup.store,
            clock: setup.clock,
            ids: setup.ids,
            ports: Arc::new(Ports::new(setup.providers, setup.cores)),
            tasks: Tasks::default(),
            next_look: Arc::default(),
            options: setup.options,
            sharing: setup.sharing,
            fail_points: setup.fail_points,
        }
    }

    fn holds(&self) -> Arc<Holds> {
        let Self { store, clock, ports, tasks, next_look, .. } = self.clone();
        Arc::new(Holds::new(store, clock, ports, tasks, next_look))
    }

    /// The one part that commits (rule 10).
    fn committer(&self, holds: &Arc<Holds>) -> Arc<Committer> {
        let Self { store, commits, clock, ports, fail_points, .. } = self.clone();
        let (holds, lease) = (Arc::clone(holds), lease(self.sharing.as_ref(), &self.options));
        Arc::new(Committer { store, commits, clock, ports, holds, fail_points, lease })
    }

    fn dispatcher(&self, worker: Weak<dyn Advance>) -> Arc<Dispatcher> {
        let Self { store, clock, ports, tasks, next_look, .. } = self.clone();
        let sharing = self.sharing.as_ref();
        Arc::new(Dispatcher {
            store,
            clock,
            ports,
            next_look,
            registry: Mutex::default(),
            distribution: Distribution::new(sharing, &self.options, &tasks),
            tasks,
            lease: lease(sharing, &self.options),
            busy_wait: self.options.busy_wait,
            worker,
        })
    }

    fn runner(&self, holds: &Arc<Holds>, committer: &Arc<Committer>) -> Arc<Runner> {
        Arc::new_cyclic(|runner: &Weak<Runner>| {
            let dispatcher = self.dispatcher(runner.clone());
            let carriers = self.carriers(committer, &dispatcher);
            let Self { store, clock, ports, tasks, .. } = self.clone();
            Runner {
                store,
                clock,
                ports,
                tasks,
                holds: Arc::clone(holds),
                decisions: self.decisions(holds, committer, &dispatcher, &carriers),
                sender: self.sender(),
                dispatcher,
                carriers,
            }
        })
    }

    fn carriers(&self, committer: &Arc<Committer>, dispatcher: &Arc<Dispatcher>) -> Arc<Carriers> {
        let Self { store, clock, ids, ports, tasks, .. } = self.clone();
        let changes = Arc::new(Changes {
            store: store.clone(),
            clock: Arc::clone(&clock),
            ports,
            tasks,
            committer: Arc::clone(committer),
            dispatcher: Arc::clone(dispatcher),
        });
        Arc::new(Carriers { store, clock, ids, committer: Arc::clone(committer), changes })
    }

    fn decisions(
        &self,
        holds: &Arc<Holds>,
        committer: &Arc<Committer>,
        dispatcher: &Arc<Dispatcher>,
        carriers: &Arc<Carriers>,
    ) -> Decisions {
        let Self { store, clock, ports, tasks, next_look, .. } = self.clone();
        Decisions {
            transfers: store.clone(),
            dues: store,
            clock,
            ports,
            tasks,
            next_look,
            holds: Arc::clone(holds),
            committer: Arc::clone(committer),
            dispatcher: Arc::clone(dispatcher),
            carriers: Arc::clone(carriers),
        }
    }

    fn sender(&self) -> Sender {
        let Self { clock, ports, fail_points, .. } = self.clone();
        Sender { clock, ports, fail_points, send_within: self.options.send_within }
    }

    fn submissions(
        &self,
        backlog: &Arc<Backlog>,
        committer: &Arc<Committer>,
        dispatcher: &Arc<Dispatcher>,
    ) -> Submissions {
        let Self { store, clock, ids, ports, tasks, .. } = self.clone();
        Submissions {
            store,
            clock,
            ids,
            ports,
            tasks,
            backlog: Arc::clone(backlog),
            backlog_max: self.options.backlog_max,
            committer: Arc::clone(committer),
            dispatcher: Arc::clone(dispatcher),
        }
    }

    fn intake(
        &self,
        committer: &Arc<Committer>,
        dispatcher: &Arc<Dispatcher>,
        changes: &Arc<Changes>,
    ) -> Intake {
        let Self { store, clock, ports, tasks, next_look, .. } = self.clone();
        let arrivals = Arc::new(Arrivals { store: store.clone(), clock: Arc::clone(&clock) });
        let offers = Arc::new(Offers { transfers: store.clone(), items: store.clone() });
        let notifier = Arc::new(ProviderNotifier {
            store: store.clone(),
            clock: Arc::clone(&clock),
            arrivals: Arc::clone(&arrivals),
            offers: Arc::clone(&offers),
        });
        let evidence = Arc::new(EvidenceIntake {
            store: store.clone(),
            clock: Arc::clone(&clock),
            ports: Arc::clone(&ports),
            committer: Arc::clone(committer),
            dispatcher: Arc::clone(dispatcher),
            changes: Arc::clone(changes),
        });
        let inbox = Arc::new(Inbox {
            store: store.clone(),
            clock: Arc::clone(&clock),
            ports: Arc::clone(&ports),
            tasks,
            next_look,
            dispatcher: Arc::clone(dispatcher),
            arrivals: Arc::clone(&arrivals),
            answers: Answers {
                store: store.clone(),
                clock: Arc::clone(&clock),
                evidence: Arc::clone(&evidence),
            },
            payments: self.payments(committer, dispatcher, changes, &evidence),
            evidence,
            notifier: Arc::clone(&notifier),
            taken: Mutex::new(HashSet::new()),
        });
        let validation = PaymentValidation { clock, ports: Arc::clone(&ports) };
        let callbacks = Callbacks {
            transfers: store.clone(),
            items: store,
            ports,
            arrivals,
            validation,
            offers,
            notifier,
            inbox: Arc::clone(&inbox),
        };
        Intake { inbox, callbacks }
    }

    fn payments(
        &self,
        committer: &Arc<Committer>,
        dispatcher: &Arc<Dispatcher>,
        changes: &Arc<Changes>,
        evidence: &Arc<EvidenceIntake>,
    ) -> Payments {
        let Self { store, clock, ids, .. } = self.clone();
        Payments {
            store,
            clock,
            ids,
            committer: Arc::clone(committer),
            dispatcher: Arc::clone(dispatcher),
            changes: Arc::clone(changes),
            evidence: Arc::clone(evidence),
            notice_wait_max: self.options.notice_wait_max,
        }
    }

    fn arrival_actions(&self, inbox: &Arc<Inbox>) -> Arc<ArrivalActions> {
        let Self { store, clock, ports, .. } = self.clone();
        let (transfers, items, inbox) = (store.clone(), store, Arc::clone(inbox));
        Arc::new(ArrivalActions { transfers, items, clock, ports, inbox })
    }

    fn actions(
        &self,
        holds: &Arc<Holds>,
        changes: &Arc<Changes>,
        arrivals: &Arc<ArrivalActions>,
    ) -> Arc<Actions> {
        let Self { store, clock, ids, ports, .. } = self.clone();
        Arc::new(Actions {
            store,
            clock,
            ids,
            ports,
            holds: Arc::clone(holds),
            changes: Arc::clone(changes),
            arrivals: Arc::clone(arrivals),
            second_person: self.options.second_person.clone(),
        })
    }

    fn completer(&self, actions: &Arc<Actions>, dispatcher: &Dispatcher) -> Arc<Completer> {
        let Self { store, clock, tasks, .. } = self.clone();
        let (actions, is_shared) = (Arc::clone(actions), dispatcher.is_shared());
        Arc::new(Completer { store, clock, tasks, actions, is_shared })
    }

    fn wall_clock(&self) -> Arc<WallClock> {
        let Self { store, clock, tasks, next_look, .. } = self.clone();
        Arc::new(WallClock { reports: store.clone(), dues: store, clock, tasks, next_look })
    }

    fn source(
        &self,
        backlog: &Arc<Backlog>,
        dispatcher: &Arc<Dispatcher>,
        changes: &Arc<Changes>,
        inbox: &Arc<Inbox>,
    ) -> WorkSource {
        let Self { store, clock, tasks, next_look, options, sharing, .. } = self.clone();
        let (backlog, dispatcher) = (Arc::clone(backlog), Arc::clone(dispatcher));
        let inbox = Arc::clone(inbox);
        let Some(sharing) = sharing else {
            let changes = Arc::clone(changes);
            return WorkSource::DueTable(Arc::new(Schedule {
                store,
                clock,
                tasks,
                next_look,
                backlog,
                dispatcher,
                changes,
                inbox,
                options,
            }));
        };
        let shards = Arc::new(Shards {
            store: store.clone(),
            clock: Arc::clone(&clock),
            tasks: tasks.clone(),
            dispatcher: Arc::clone(&dispatcher),
            inbox,
            places: Arc::new(Semaphore::new(options.in_flight_max.max(1))),
        });
        let sweep =
            Arc::new(Sweep { store, clock, tasks, next_look, backlog, dispatcher, options });
        WorkSource::Queue { sharing, sweep, shards }
    }
}

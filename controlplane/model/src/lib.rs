//! Value types of the house: routes, targets, consumers, overlay, usage. Parsed once, valid for ever.
//!
//! No IO. Whoever holds one of these need not check it again.

mod address;
mod api;
mod budget;
mod canary;
mod capture;
mod exchange;
mod explain;
mod foreign;
mod host;
mod inventory;
mod join;
mod mesh;
mod money;
mod overlay;
mod policy;
mod probe_target;
mod reload;
mod remark;
pub mod report;
mod role;
mod rules;
mod secret;
mod snapshot;
mod standing;
mod story;
mod table;
mod target;
mod trip;
mod usage;
mod zone;

pub use address::{BaseUrl, NotABaseUrl, Server};
pub use api::{Api, Family, TargetKind};
pub use budget::{BudgetUnit, BudgetView, grouped};
pub use canary::{CanaryFact, CanaryVerdict};
pub use capture::{CaptureAsk, CaptureView};
pub use exchange::{Ended, ExchangeView};
pub use explain::{Explanation, MANY_TOKENS, MUCH, SLOW_MS, SLOW_START_MS};
pub use foreign::{class_for, name_for};
pub use host::{Dial, HostIdentity, HostName, HostRole, HostRoles, NotARole, NotAnIdentity};
pub use inventory::{AlertView, Gauges, HistoryStep, HostLatest, HostSample, HostSeen, JobView};
pub use join::{
    AGENT_PATH, BinarySeal, CARD_PATH, CERTIFICATE_PATH, Fingerprint, HouseCard, JOIN_PATH,
    JoinAnswer, JoinAsk, MAX_BATCH_BYTES, MAX_TALK_BYTES, MAX_TOKEN_BYTES, NotACard, NotAToken,
    RENEW_PATH, REPORTS_PATH, Reach, Refused, RefusedReport, RenewAnswer, RenewAsk, ReportsAnswer,
    Token, TokenSecret, own_target,
};
pub use mesh::{KeyEnd, MeshCut, MeshFinding, MeshNode, MeshNodeView, MeshStep, MeshView};
pub use money::{MicroDollars, NotMoney};
pub use overlay::{ControlReply, ControlRequest, Observed, Overlay, Overruled};
pub use policy::{Allowance, DAY_MINUTES, Policy, Span, When};
pub use probe_target::{NotAProbeTarget, ProbeTarget};
pub use reload::{Mistake, ReloadReport};
pub use remark::{FallbackView, Remark, RemarkKind};
pub use role::{DashRole, NotADashRole, NotAWayIn, SignedInBy};
pub use rules::{AtEnd, Budget, Limit, Reaction, Rules, RunawayRules, Selector, Window};
pub use secret::{KeyHash, Secret, SecretError};
pub use snapshot::{GatewayFacts, Snapshot};
pub use standing::{BreakerState, HealthView, TargetTest, TargetView, TestFound};
pub use story::{Alias, MAX_STEPS, NotAnAlias, Stage, Step, Story, Verdict};
pub use table::{Consumer, MAX_ENTRIES, ModelPattern, OldKey, Problem, Route, RouteTable};
pub use target::{BreakerRule, Renamed, Target, Timeouts};
pub use trip::{MAX_CAUSE, Trip, TripKind, cause, shown};
pub use usage::{Tokens, UsageRecord, UsageTotals};
pub use zone::{OnBreach, OnSilence, Tier, Zone, ZoneName};

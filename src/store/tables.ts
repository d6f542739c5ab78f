/** The tables as Kysely sees them. `json` columns are written as text and read as values; bigint is read as text. */
import type { ColumnType, Generated } from 'kysely';
import type { Alert } from '../contracts/alert.ts';
import type { ApprovalState, Plan, PlanContext, Step, Vote, Watched } from '../contracts/approval.ts';
import type { ButtonMeaning } from '../contracts/buttons.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { InvestigationRequest } from '../contracts/command.ts';
import type { Enrichment, EnrichmentPart } from '../contracts/enrichment.ts';
import type { DeadLetterDoor, IntakeSource, SubscriptionWish, Verification } from '../contracts/intake.ts';
import type { Line } from '../contracts/message.ts';
import type { Admission, SnoozeRule } from '../contracts/noise.ts';
import type { RuleException } from '../contracts/rules.ts';
import type { ContainmentRequest, Standing, VoteRequest } from '../contracts/store.ts';
import type { StreamBurst, StreamDeed, StreamStory } from '../contracts/stream.ts';
import type { AliveLook, NoticeStage, StrikeRequest, StrikeStep, Told } from '../contracts/strike.ts';

type Json<T> = ColumnType<T, string, string>;
type Time = ColumnType<Date, string, string>;
type NullableTime = ColumnType<Date | null, string | null | undefined, string | null>;

export interface Tables {
  readonly alerts: {
    id: string;
    delivery_key: string;
    dedupe_key: string;
    alert: Json<Alert>;
    raw: Json<unknown>;
    received_at: Time;
    handled_at: NullableTime;
  };
  readonly cases: {
    id: string;
    dedupe_key: string;
    alert: Json<Alert>;
    channel: string;
    message_ts: string | null;
    acknowledged_by: string | null;
    acknowledged_at: NullableTime;
    opened_at: Time;
    admission: Admission | null;
    admitted_at: NullableTime;
    merged_into: string | null;
    last_at: NullableTime;
    version: Generated<number>;
    shown_version: Generated<number>;
    card_from: Generated<number>;
    round: Generated<number>;
    snooze_id: string | null;
    verdict: string | null;
    restricted_to: ColumnType<readonly string[] | null, string | null | undefined, string>;
    verdict_by: string | null;
    verdict_at: NullableTime;
  };
  readonly case_findings: {
    dedupe_key: string;
    case_id: string;
    alert: Json<Alert>;
    account_id: string;
    resource: string | null;
    tactic: string;
    at: Time;
  };
  readonly case_links: { key: string; case_id: string; at: Time };
  readonly case_entries: {
    case_id: string;
    number: number;
    alert_id: string;
    at: Time;
    said: ColumnType<Line | null, string | null, string | null>;
    own_channel: string | null;
    delivered: boolean;
  };
  readonly noise_seen: { channel: string; key: string; at: Time; times: number };
  readonly digests: {
    id: string;
    channel: string;
    opened_at: Time;
    shown: Generated<number>;
    total: Generated<number>;
  };
  readonly digest_lines: {
    digest_id: string;
    number: number;
    case_id: string;
    group_words: string;
    line: string;
  };
  readonly snoozes: {
    id: string;
    rule: Json<SnoozeRule>;
    reason: string;
    by_user: string;
    at: Time;
    until: Time;
    max_rank: number;
    case_id: string | null;
    ended_at: NullableTime;
  };
  readonly escalations: {
    case_id: string;
    round: number;
    level: number;
    due_at: Time;
    settled_at: NullableTime;
    outcome: string | null;
  };
  readonly posts: { key: string; channel: string; delivery_id: string; ts: string | null; claimed_at: Time };
  readonly buttons: { id: string; key: string; meaning: Json<ButtonMeaning> };
  readonly investigations: {
    id: string;
    name: string;
    request: Json<InvestigationRequest>;
    channel: string;
    thread_ts: string | null;
    requested_by: string;
    created_at: Time;
    finished_at: NullableTime;
    case_id: string | null;
    answer: ColumnType<unknown, string | null | undefined, string>;
  };
  readonly containment_requests: {
    id: string;
    request: Json<ContainmentRequest>;
    received_at: Time;
    handled_at: NullableTime;
  };
  readonly vote_requests: { id: string; vote: Json<VoteRequest>; received_at: Time; handled_at: NullableTime };
  readonly approvals: {
    id: string;
    number: Generated<string>;
    request_id: string;
    case_id: string;
    state: ApprovalState;
    plan: Json<Plan>;
    plan_hash: string;
    context: Json<PlanContext>;
    requester: Json<{ userId: string; person: string }>;
    required: number;
    created_at: Time;
    expires_at: Time;
    undo_of: string | null;
    channel: string;
    thread_ts: string | null;
    after: ColumnType<Readonly<Record<string, unknown>> | null, string | null | undefined, string>;
    outcome: string | null;
    sent_at: NullableTime;
    watched: ColumnType<Watched | null, string | null | undefined, string>;
    shown: string | null;
  };
  readonly approval_votes: { approval_id: string; number: Generated<string>; vote: Json<Vote> };
  readonly approval_steps: { approval_id: string; index: number; step: Json<Step> };
  readonly enrollments: {
    user_id: string;
    secret: string;
    enrolled_at: Time;
    active_at: Time;
    enrolled_by: string;
    last_step: ColumnType<string, number, number>;
  };
  readonly proofs: { approval_id: string; user_id: string; plan_hash: string; at: Time };
  readonly vote_codes: { vote_id: string; code: string };
  readonly vote_refusals: { vote_id: string; because: string };
  readonly code_failures: { user_id: string; at: Time };
  readonly host_answers: { id: string; answer: string; at: Time };
  readonly clicks: { user_id: string; minute: ColumnType<Date, never, never>; clicks: Generated<number> };
  readonly standings: { approval_id: string; user_id: string; standing: Json<Standing> };
  readonly audit: {
    seq: ColumnType<string, number, never>;
    event: string;
    actor: string;
    case_id: string | null;
    approval_id: string | null;
    at: string;
    payload: Json<Readonly<Record<string, unknown>>>;
    prev_hash: string;
    hash: string;
  };
  readonly enrichments: {
    case_id: string;
    version: string;
    wanted_at: Time;
    finished_at: NullableTime;
    tries: Generated<number>;
    state: Json<Omit<Enrichment, 'caseId' | 'version' | 'wantedAt' | 'finishedAt' | 'tries'>>;
  };
  readonly dossiers: { key: string; part: Json<EnrichmentPart>; at: Time };
  readonly stream_records: {
    event_key: string;
    number: Generated<string>;
    record: Json<CloudTrailRecord | null>;
    received_at: Time;
    handled_at: NullableTime;
  };
  readonly stream_entries: {
    correlation: string;
    group_key: string;
    event_key: string;
    rule: number;
    event_id: string;
    at: string;
    values: Json<readonly string[]>;
    deed: Json<StreamDeed>;
    stored_at: Generated<Date>;
  };
  readonly stream_bursts: {
    id: string;
    correlation: string;
    group_key: string;
    last: string;
    burst: Json<StreamBurst>;
  };
  readonly stream_stories: {
    id: string;
    account_id: string;
    principal: string;
    last: string;
    story: Json<StreamStory>;
  };
  readonly stream_shards: { name: string; at: Time };
  readonly disabled_rules: { rule: string; number: Generated<string>; reason: string; set_by: string; at: Time };
  readonly rule_exceptions: {
    id: string;
    number: Generated<string>;
    exception: Json<Omit<RuleException, 'id' | 'by'>>;
    set_by: string;
    at: Time;
  };
  readonly settings: { key: string; value: Json<unknown> };
  readonly seen_keys: { key: string; at: string; seen_at: Generated<Date> };
  readonly athena_queries: {
    id: string;
    case_id: string | null;
    title: string;
    bytes: string;
    at: Time;
    settled: Generated<boolean>;
  };
  readonly slots: { lane: string; next_at: Time };
  readonly health: { id: number; at: Time };
  readonly dead_letters: {
    id: string;
    number: Generated<string>;
    key: string;
    door: DeadLetterDoor;
    came_from: string;
    reason: string;
    body: string | null;
    alert_id: string | null;
    at: Time;
    times: Generated<number>;
    settled_at: NullableTime;
    outcome: string | null;
  };
  readonly intake_sources: {
    name: string;
    kind: IntakeSource['kind'];
    ok: boolean;
    because: string | null;
    looked_at: Time;
    since: Time;
    taken: ColumnType<string, number, number>;
    cursor: string | null;
  };
  readonly subscriptions: {
    id: string;
    message_id: string;
    topic_arn: string;
    wish: SubscriptionWish;
    token: string;
    at: Time;
    handled_at: NullableTime;
    because: string | null;
  };
  readonly strikes: {
    id: string;
    number: Generated<string>;
    request: Json<StrikeRequest>;
    received_at: Time;
    planned_at: NullableTime;
    notes: Json<readonly string[]>;
  };
  readonly strike_steps: { strike_id: string; index: number; request_id: string; step: Json<StrikeStep> };
  readonly approval_notices: { approval_id: string; stage: NoticeStage; told: Json<readonly Told[]>; at: Time };
  readonly alive_looks: { approval_id: string; look: Json<AliveLook>; over: boolean; at: Time };
  readonly verifications: { dedupe_key: string; verification: Json<Verification> };
}

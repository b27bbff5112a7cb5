-- Usage that stands in counters alone: a row of the ledger may stand for several calls then.
alter table usage add column calls integer not null default 1;

drop index usage_by_time;
create index usage_by_time on usage (at, prompt_tokens, completion_tokens, estimated, cost, calls);

-- Sources whose counters were looked at: how often, and how many requests the gateway had served since its start.
create table counted_sources (
  source text primary key not null,
  round integer not null,
  requests integer
) strict;

-- The last figure of each counter that stands in the ledger; a counter is known by the hash of its name and labels.
create table counted_series (
  source text not null,
  series text not null,
  value integer not null,
  primary key (source, series)
) strict;

-- What exchanges used, taken from the gateways' spools exactly once.
create table usage (
  id text primary key not null,
  at integer not null,
  consumer text not null,
  route text not null,
  target text not null,
  class text not null,
  model text not null,
  stream integer not null check (stream in (0, 1)),
  status integer not null,
  prompt_tokens integer not null,
  completion_tokens integer not null,
  estimated integer not null check (estimated in (0, 1)),
  took_ms integer not null,
  ended text not null,
  incident integer
) strict;

-- Covers the figures of the first page, which are asked for at every change.
create index usage_by_time on usage (at, prompt_tokens, completion_tokens, estimated);

-- Up to where the spool was taken in; written in the transaction that writes the rows.
create table spool_cursor (
  spool text primary key not null,
  file integer not null,
  byte_offset integer not null
) strict;

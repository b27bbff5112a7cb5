-- What became of requests that were refused, cut, sent elsewhere, slow or dear, and of those that a neighbour gave an id:
-- out of the gateway's spool, each once, kept for a while.
create table stories (
  id text primary key not null,
  at integer not null,
  asked_as text,
  trace text,
  told_as text,
  story text not null
) strict;

create index stories_by_time on stories (at);
create index stories_by_name on stories (asked_as, at) where asked_as is not null;
create index stories_by_trace on stories (trace, at) where trace is not null;
create index stories_by_target on stories (told_as, at) where told_as is not null;
